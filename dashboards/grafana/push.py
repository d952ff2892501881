"""Bring dashboards and alert rules into a running Grafana, keeping what people changed there by hand.

A dashboard's newest version carries our message with the hash of what we sent; any other message means that
somebody saved it since. A rule has no versions, so the hash stands in an annotation of the rule, over the
fields that we set. What somebody changed is left alone and reported; `force` writes over it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_client.client import GrafanaClientError, GrafanaException

from dashboards.grafana.alerting import conditions, rule
from dashboards.grafana.build import BOARDS, FOLDER_TITLE, FOLDER_UID, dashboard
from dashboards.grafana.language import Language, speaker
from dashboards.grafana.plain import plain
from dashboards.grafana.query import CLICKHOUSE, PROMETHEUS

Action = Literal["created", "updated", "unchanged", "kept", "failed"]

MESSAGE: Final = "pulse dashboards push "
HASH_ANNOTATION: Final = "pulse_build"

_RULE_FIELDS: Final = ("title", "condition", "for", "noDataState", "execErrState", "isPaused", "labels")
_QUERY_FIELDS: Final = ("refId", "datasourceUid", "relativeTimeRange")
_MODEL_FIELDS: Final = ("rawSql", "queryType", "type", "expression", "conditions")


class PushError(RuntimeError):
    """Grafana cannot be reached or refused; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What happened to one thing; `detail` says why it was kept or failed."""

    kind: str
    name: str
    action: Action
    detail: str = ""


class Push:
    """One push into one Grafana (a grafana_client.GrafanaApi, whose methods have no types).

    With `dry_run` nothing is written and the outcomes say what would be.
    """

    def __init__(
        self, grafana: Any, language: Language, *, dry_run: bool = False, force: bool = False
    ) -> None:
        self._grafana, self._language = grafana, language
        self._dry_run, self._force = dry_run, force

    def run(self) -> list[Outcome]:
        """Folder, dashboards, rules, and whether the data sources they name are there.

        Raises:
            PushError: not reachable, or the credential is refused.
        """
        try:
            return [
                self._folder(),
                *(self._dashboard(uid) for uid in BOARDS),
                *(self._rule(sent) for sent in rules(self._language)),
                *self._missing_sources(),
            ]
        except GrafanaException as error:
            if error.status_code in (401, 403):
                raise PushError(
                    "Grafana refuses the credential: give a service account token with the role Editor"
                ) from error
            raise PushError(f"Grafana failed: {error.message}") from error
        except OSError as error:
            raise PushError(f"Grafana cannot be reached: {error}") from error

    def _folder(self) -> Outcome:
        there = _or_none(lambda: self._grafana.folder.get_folder(FOLDER_UID))
        if there is not None:
            return Outcome("folder", FOLDER_UID, "unchanged")
        if not self._dry_run:
            self._grafana.folder.create_folder(FOLDER_TITLE, uid=FOLDER_UID)
        return Outcome("folder", FOLDER_UID, "created")

    def _dashboard(self, uid: str) -> Outcome:
        sent = dashboard(uid, self._language)
        mark = MESSAGE + digest(sent)
        there = _or_none(lambda: self._grafana.dashboard.get_dashboard(uid))
        payload = {"dashboard": sent, "folderUid": FOLDER_UID, "message": mark, "overwrite": False}
        if there is None:
            return self._save(uid, payload, "created")
        if there["meta"].get("provisioned"):
            return Outcome("dashboard", uid, "kept", "it is provisioned from a file: change the file")
        version = there["dashboard"]["version"]
        last = self._last_message(uid, version)
        if last == mark:
            return Outcome("dashboard", uid, "unchanged")
        if not last.startswith(MESSAGE) and not self._force:
            return Outcome(
                "dashboard", uid, "kept", f"changed by hand (version {version}); --force writes over it"
            )
        sent["version"] = version
        return self._save(uid, payload, "updated")

    def _save(self, uid: str, payload: dict[str, Any], action: Action) -> Outcome:
        if self._dry_run:
            return Outcome("dashboard", uid, action)
        try:
            self._grafana.dashboard.update_dashboard(payload)
        except GrafanaClientError as error:
            if error.status_code != 412:
                raise
            return Outcome(
                "dashboard", uid, "kept", f"somebody saved it meanwhile: {error.message}; push again"
            )
        return Outcome("dashboard", uid, action)

    def _last_message(self, uid: str, version: int) -> str:
        answer = self._grafana.dashboard_versions.get_dashboard_versions_by_uid(uid)
        versions = answer["versions"] if isinstance(answer, dict) else answer
        return next((str(found.get("message", "")) for found in versions if found["version"] == version), "")

    def _rule(self, sent: dict[str, Any]) -> Outcome:
        api, uid = self._grafana.alertingprovisioning, sent["uid"]
        there = _or_none(lambda: api.get_alertrule(uid))
        if there is None:
            if not self._dry_run:
                api.create_alertrule(sent, disable_provenance=True)
            return Outcome("rule", uid, "created")
        known = there.get("annotations", {}).get(HASH_ANNOTATION)
        if known != rule_digest(there) and not self._force:
            return Outcome("rule", uid, "kept", "changed by hand; --force writes over it")
        if known == sent["annotations"][HASH_ANNOTATION] and known == rule_digest(there):
            return Outcome("rule", uid, "unchanged")
        if not self._dry_run:
            api.update_alertrule(uid, sent, disable_provenance=True)
        return Outcome("rule", uid, "updated")

    def _missing_sources(self) -> Iterable[Outcome]:
        for source in (CLICKHOUSE, PROMETHEUS):
            uid = str(source.uid)
            if _or_none(lambda uid=uid: self._grafana.datasource.get_datasource_by_uid(uid)) is None:
                yield Outcome(
                    "data source",
                    uid,
                    "failed",
                    f"missing: add a {source.type_val} data source with this uid",
                )


def rules(language: Language) -> list[dict[str, Any]]:
    """The alert rules in the form of the provisioning API, each with the hash of its own fields."""
    found = []
    for condition in conditions(speaker(language)):
        sent: dict[str, Any] = plain(rule(condition, FOLDER_UID).build())
        sent["annotations"][HASH_ANNOTATION] = rule_digest(sent)
        found.append(sent)
    return found


def rule_digest(given: dict[str, Any]) -> str:
    """Hash of the fields of a rule that we set; what Grafana adds of its own does not count."""
    own = {key: given[key] for key in _RULE_FIELDS if given.get(key)}
    own["annotations"] = {
        key: value for key, value in given.get("annotations", {}).items() if key != HASH_ANNOTATION
    }
    own["data"] = [
        {key: query.get(key) for key in _QUERY_FIELDS}
        | {key: query["model"][key] for key in _MODEL_FIELDS if key in query["model"]}
        for query in given["data"]
    ]
    return digest(own)


def digest(value: object) -> str:
    """Short hash of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _or_none(ask: Any) -> Any:
    """The answer, or None where Grafana says that there is no such thing."""
    try:
        return ask()
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise

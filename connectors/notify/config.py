"""`notify.yaml`: who is told of which alerts, when and how. Secrets stand in the environment, never here."""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from connectors.notify.quiet_hours import QuietHours
from schemas.records import AlertKind, Severity

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the mildest to the worst."""
EXAMPLE: Final = Path(__file__).with_name("notify.example.yaml")

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
"""Name of an environment variable that holds a secret."""
Update = Literal["worse", "closed"]
"""What may be told of an alert after its beginning: that its severity rose, that it is over."""


class NotifyConfigError(ValueError):
    """A configuration that cannot be used; the message names the file and each field that is wrong."""


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description="What rules, status and logs call it.")
    group_by: Literal["channel", "workspace"] = Field(
        default="channel", description="Alerts that come together share a message if they agree in this."
    )
    group_wait_s: float = Field(
        default=0.3, ge=0, le=60, description="How long the first alert of a message waits for others."
    )
    give_up_s: float = Field(
        default=3600, gt=0, le=604_800, description="Seconds of failures before a message is a dead letter."
    )
    timeout_s: float = Field(default=5, gt=0, le=60, description="Longest time for one attempt.")
    language: Literal["en", "ru"] = Field(default="en", description="Language of the text.")
    timezone: str = Field(default="UTC", description="Time zone of the times in the text.")

    @model_validator(mode="after")
    def _knows_its_zone(self) -> Self:
        QuietHours.model_validate({"timezone": self.timezone, "from": "00:00", "to": "00:01"})
        return self


class Webhook(_Target):
    """A URL that gets JSON by POST."""

    kind: Literal["webhook"]
    url: str | None = Field(
        default=None, pattern=r"^https?://[^/\s]+", description="The address, if no secret."
    )
    url_env: Variable | None = Field(default=None, description="Variable that holds the address.")
    secret_env: Variable | None = Field(default=None, description="Variable that holds the signing key.")
    format: Literal["pulse", "alertmanager"] = Field(default="pulse", description="Shape of the JSON.")

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("a webhook needs either `url` or `url_env`")
        return self


class Telegram(_Target):
    """A chat that gets text from a bot."""

    kind: Literal["telegram"]
    token_env: Variable = Field(description="Variable that holds the bot's token.")
    chat: int | Annotated[str, StringConstraints(pattern=r"^@[A-Za-z0-9_]{4,}$")] = Field(
        description="Chat id (negative for groups), or @name of a public channel."
    )
    thread: int | None = Field(default=None, ge=1, description="Topic of a forum group.")
    silent_below: Severity = Field(
        default="medium", description="Milder alerts make no sound on people's phones."
    )
    api_url: str = Field(
        default="https://api.telegram.org", pattern=r"^https?://", description="Bot API server."
    )


Target = Annotated[Webhook | Telegram, Field(discriminator="kind")]


class Rule(BaseModel):
    """Which alerts go to which targets. Every rule that matches counts; a target is told once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description="What status and logs call it.")
    to: tuple[Name, ...] = Field(min_length=1, description="Names of targets.")
    workspace: str = Field(default="default", min_length=1, description="Whose alerts (glob).")
    channels: tuple[str, ...] = Field(default=("*",), min_length=1, description="Channels, e.g. 'twitch:*'.")
    kinds: tuple[str, ...] = Field(default=("*",), min_length=1, description="Alert kinds, e.g. 'attack.*'.")
    severity: Severity = Field(default="medium", description="This severity and worse.")
    updates: tuple[Update, ...] = Field(
        default=("worse", "closed"), description="What is told besides that an alert began."
    )
    quiet: QuietHours | None = Field(default=None, description="When not to disturb.")

    @model_validator(mode="after")
    def _names_known_kinds(self) -> Self:
        known = get_args(AlertKind)
        for pattern in self.kinds:
            if not any(fnmatchcase(kind, pattern) for kind in known):
                raise ValueError(f"no alert kind is called `{pattern}`; there are {', '.join(known)}")
        return self


class NotifyConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = Field(description="Version of this format.")
    page_url: str | None = Field(
        default=None, pattern=r"^https?://", description="Where people open the page; default: API_URL."
    )
    max_age_s: float = Field(
        default=3600, gt=0, description="Older alerts are not told any more (after a long outage)."
    )
    targets: tuple[Target, ...] = Field(min_length=1, description="Where messages go.")
    rules: tuple[Rule, ...] = Field(min_length=1, description="What goes where.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for what, names in (
            ("target", [target.name for target in self.targets]),
            ("rule", [rule.name for rule in self.rules]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"the {what} names {', '.join(twice)} stand here more than once")
        known = {target.name for target in self.targets}
        for rule in self.rules:
            if lost := sorted(set(rule.to) - known):
                raise ValueError(f"rule `{rule.name}` names targets that are not there: {', '.join(lost)}")
        return self


def load_config(path: Path) -> NotifyConfig:
    """Read a configuration file.

    Raises:
        NotifyConfigError: it is missing, no YAML, or a field is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotifyConfigError(f"{path}: {error.strerror}; {EXAMPLE} shows one") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotifyConfigError(f"{path} is not YAML: {error}") from None
    try:
        return NotifyConfig.model_validate(content)
    except ValidationError as error:
        raise NotifyConfigError(f"{path}: {_told(error)}") from None


def secrets_of(config: NotifyConfig, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The secrets that the targets need, by the name of their variable.

    Raises:
        NotifyConfigError: a variable is not set; the message names all that are missing, and for whom.
    """
    wanted: dict[str, str] = {}
    for target in config.targets:
        names = (target.token_env,) if target.kind == "telegram" else (target.url_env, target.secret_env)
        wanted |= {name: target.name for name in names if name}
    if missing := {name: target for name, target in wanted.items() if not environ.get(name, "").strip()}:
        lines = (f"{name} (for target `{target}`)" for name, target in missing.items())
        raise NotifyConfigError(f"set the environment variables {', '.join(lines)}")
    return {name: environ[name].strip() for name in wanted}


def _told(error: ValidationError) -> str:
    # the input itself is left out: somebody may have put a secret there
    lines = (f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors())
    return "; ".join(line.removeprefix(": ") for line in lines)

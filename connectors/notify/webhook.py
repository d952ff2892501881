"""A webhook: JSON by POST, signed; our own shape, or Alertmanager's for tools that know that one."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from connectors.core.clock import Clock
from connectors.notify.config import Webhook
from connectors.notify.message import Message, PermanentError, TemporaryError, page_link, post
from connectors.notify.outbox import Due
from schemas.playbooks import Language, told

SIGNATURE_HEADER: Final = "X-Pulse-Signature"
DELIVERY_HEADER: Final = "X-Pulse-Delivery"
_TEMPORARY: Final = (408, 425, 429)
_NOT_ENDED: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes a time that is not there (Go's zero time)."""


class WebhookSender:
    """See Sender."""

    def __init__(
        self, target: Webhook, client: httpx.AsyncClient, secrets: dict[str, str], page_url: str, clock: Clock
    ) -> None:
        self._target, self._client, self._page_url, self._clock = target, client, page_url, clock
        self._url = secrets[target.url_env] if target.url_env else target.url or ""
        self._secret = secrets[target.secret_env].encode() if target.secret_env else None

    async def ready(self) -> None:
        """A webhook has no limits that we know beforehand."""

    async def send(self, message: Message) -> None:
        """See Sender; 2xx is acceptance, 408, 425, 429 and 5xx are temporary, all else is permanent."""
        content = (
            alertmanager_body(message, self._page_url)
            if self._target.format == "alertmanager"
            else pulse_body(message, self._page_url, self._target.language)
        )
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "pulse-notify",
            DELIVERY_HEADER: message.delivery,
            "Idempotency-Key": f'"{message.delivery}"',
        }
        if self._secret is not None:
            headers[SIGNATURE_HEADER] = signature(body, self._secret, self._clock.now_ms() // 1000)
        answer = await post(self._client, self._url, body, headers, self._target.timeout_s)
        code = answer.status_code
        if answer.is_success:
            return
        if code in _TEMPORARY or code >= 500:
            reason = "rate_limited" if code == 429 else f"http_{code}"
            wait = retry_after_s(answer.headers.get("Retry-After"), self._clock.now_ms())
            raise TemporaryError(reason, f"it answered {code}", wait)
        hint = "; redirects are not followed: configure the final address" if answer.is_redirect else ""
        raise PermanentError(f"it answered {code}{hint}")


def signature(body: bytes, secret: bytes, at_s: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`; the time lets a receiver refuse old copies."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def retry_after_s(header: str | None, now_ms: int) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); 0 where unclear."""
    if not header:
        return 0
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_ms / 1000)
    except ValueError:
        return 0


def pulse_body(message: Message, page_url: str, language: Language = "en") -> dict[str, Any]:
    """Our own shape, version 1 (README.md)."""
    return {
        "version": 1,
        "delivery": message.delivery,
        "target": message.target,
        "group": message.group,
        "alerts": [_alert(due, page_url, language) for due in message.due],
    }


def alertmanager_body(message: Message, page_url: str) -> dict[str, Any]:
    """The payload that Alertmanager's webhook_config sends, version 4."""
    alerts = [_alertmanager_alert(due, page_url) for due in message.due]
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": message.group,
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": message.target,
        "groupLabels": _common([alert["labels"] for alert in alerts], only=("workspace", "channel")),
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": page_url,
        "alerts": alerts,
    }


def _alert(due: Due, page_url: str, language: Language) -> dict[str, Any]:
    alert = due.alert
    play = told(alert.kind, alert.severity, language)
    return {
        "news": due.news,
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "workspace": alert.workspace,
        "channel": alert.channel,
        "stream_id": alert.stream_id,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "started_at": alert.started_at,
        "detected_at": alert.detected_at,
        "ended_at": alert.ended_at,
        "why": alert.why,
        "authors": alert.authors,
        "messages": alert.messages,
        "playbook": alert.playbook,
        "advice": {name: play[name] for name in ("why", "steps", "actions")},
        "streams": list(alert.channels),
        "link": page_link(page_url, alert),
    }


def _alertmanager_alert(due: Due, page_url: str) -> dict[str, Any]:
    alert = due.alert
    return {
        "status": "resolved" if alert.state == "closed" else "firing",
        "labels": {
            "alertname": alert.kind,
            "severity": alert.severity,
            "workspace": alert.workspace,
            "channel": alert.channel,
            "stream_id": alert.stream_id,
        },
        "annotations": {
            "summary": str(alert.why.get("summary", "")),
            "alert_id": alert.alert_id,
            "revision": str(alert.revision),
            "authors": str(alert.authors),
            "messages": str(alert.messages),
        },
        "startsAt": _iso(alert.started_at),
        "endsAt": _NOT_ENDED if alert.ended_at is None else _iso(alert.ended_at),
        "generatorURL": page_link(page_url, alert),
        "fingerprint": alert.alert_id,
    }


def _common(maps: list[dict[str, str]], only: tuple[str, ...] | None = None) -> dict[str, str]:
    first, *others = maps
    return {
        key: value
        for key, value in first.items()
        if (only is None or key in only) and all(other.get(key) == value for other in others)
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

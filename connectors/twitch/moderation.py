"""What a moderator may do, as values: each action knows its limits, its request and the scope it needs.

Source: dev.twitch.tv/docs/api/reference (Ban User, Delete Chat Messages, Update Chat Settings, Update Shield
Mode Status, Send Chat Announcement).
"""

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, field_validator

from connectors.twitch.helix import Helix, HelixError

Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,25}$", to_lower=True)]
Reason = Annotated[str, StringConstraints(max_length=500)]


class Request(NamedTuple):
    """What is sent to Twitch."""

    method: str
    path: str
    params: dict[str, str]
    body: dict[str, Any] | None = None


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: ClassVar[str]
    channel: Login

    @property
    def target(self) -> str:
        """The login of the person it is done to; empty where it is done to nobody."""
        return ""

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """The request, by Twitch's numbers of the channel, the moderator and the target."""
        raise NotImplementedError


class _Targeted(_Action):
    user: Login

    @property
    def target(self) -> str:
        return self.user


class Timeout(_Targeted):
    """Silence a person for a while, at most two weeks; Twitch also removes their lines."""

    scope = "moderator:manage:banned_users"
    kind: Literal["timeout"] = "timeout"
    seconds: int = Field(ge=1, le=1_209_600)
    reason: Reason = ""

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        data = {"user_id": target, "duration": self.seconds, "reason": self.reason}
        return Request("POST", "/moderation/bans", _by(broadcaster, moderator), {"data": data})


class Ban(_Targeted):
    """Bar a person for good."""

    scope = "moderator:manage:banned_users"
    kind: Literal["ban"] = "ban"
    reason: Reason = ""

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        data = {"user_id": target, "reason": self.reason}
        return Request("POST", "/moderation/bans", _by(broadcaster, moderator), {"data": data})


class Unban(_Targeted):
    """Take a ban or timeout back."""

    scope = "moderator:manage:banned_users"
    kind: Literal["unban"] = "unban"

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        return Request("DELETE", "/moderation/bans", _by(broadcaster, moderator) | {"user_id": target})


class Delete(_Action):
    """Remove one line, at most six hours old."""

    scope = "moderator:manage:chat_messages"
    kind: Literal["delete"] = "delete"
    message_id: str = Field(min_length=1, max_length=100)

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        params = _by(broadcaster, moderator) | {"message_id": self.message_id}
        return Request("DELETE", "/moderation/chat", params)


class Slow(_Action):
    """A pause of 3 to 120 seconds between two lines of a person; 0 ends it."""

    scope = "moderator:manage:chat_settings"
    kind: Literal["slow"] = "slow"
    seconds: int = Field(le=120)

    @field_validator("seconds")
    @classmethod
    def _off_or_long_enough(cls, seconds: int) -> int:
        if seconds != 0 and seconds < 3:
            raise ValueError("0, or 3 to 120 seconds")
        return seconds

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        body: dict[str, Any] = {"slow_mode": self.seconds > 0}
        if self.seconds:
            body["slow_mode_wait_time"] = self.seconds
        return Request("PATCH", "/chat/settings", _by(broadcaster, moderator), body)


class FollowersOnly(_Action):
    """Only who has followed for so many minutes may write; None ends it."""

    scope = "moderator:manage:chat_settings"
    kind: Literal["followers-only"] = "followers-only"
    minutes: int | None = Field(ge=0, le=129_600)

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        body: dict[str, Any] = {"follower_mode": self.minutes is not None}
        if self.minutes is not None:
            body["follower_mode_duration"] = self.minutes
        return Request("PATCH", "/chat/settings", _by(broadcaster, moderator), body)


class Shield(_Action):
    """Twitch's shield mode, with the settings that the broadcaster chose for it."""

    scope = "moderator:manage:shield_mode"
    kind: Literal["shield"] = "shield"
    active: bool

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        body = {"is_active": self.active}
        return Request("PUT", "/moderation/shield_mode", _by(broadcaster, moderator), body)


class Announce(_Action):
    """A highlighted line to everybody."""

    scope = "moderator:manage:announcements"
    kind: Literal["announce"] = "announce"
    text: str = Field(min_length=1, max_length=500)
    color: Literal["primary", "blue", "green", "orange", "purple"] = "primary"

    def request(self, broadcaster: str, moderator: str, target: str) -> Request:
        """See `_Action`."""
        body = {"message": self.text, "color": self.color}
        return Request("POST", "/chat/announcements", _by(broadcaster, moderator), body)


Action = Annotated[
    Timeout | Ban | Unban | Delete | Slow | FollowersOnly | Shield | Announce, Field(discriminator="kind")
]
ACTION: TypeAdapter[Action] = TypeAdapter(Action)
"""Reads and writes an action as JSON."""


def preview(action: Action) -> Request:
    """The request with names in place of Twitch's numbers: what a dry run shows."""
    target = f"<id of {action.target}>" if action.target else ""
    return action.request(f"<id of {action.channel}>", "<id of the token's user>", target)


async def perform(helix: Helix, action: Action) -> None:
    """Do it, as the token's user.

    Raises:
        CredentialsError: the token is refused and cannot be renewed.
        HelixError: Twitch refuses it, an account does not exist, or the token lacks the scope.
    """
    identity = await helix.identity()
    if identity.scopes is not None and action.scope not in identity.scopes:
        raise HelixError(403, f"the token lacks the scope {action.scope}")
    names = [name for name in (action.channel, action.target) if name]
    users = await helix.users(names)
    if missing := [name for name in names if name not in users]:
        # the person's name stays out: this sentence goes to the audit log
        what = "channel" if missing[0] == action.channel else "person"
        raise HelixError(404, f"Twitch knows no such {what}")
    target = users[action.target].id if action.target else ""
    sent = action.request(users[action.channel].id, identity.user_id, target)
    await helix.request(sent.method, sent.path, list(sent.params.items()), sent.body)


def _by(broadcaster: str, moderator: str) -> dict[str, str]:
    return {"broadcaster_id": broadcaster, "moderator_id": moderator}

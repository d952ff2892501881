"""Playbooks: what to do about an alert, why, and which moderation actions are prepared.

One file a kind in `playbooks/`, each text in English and Russian. Nothing here acts: connectors may carry the
prepared actions out when a person says so.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.records import AlertKind, Severity

PLAYBOOKS: Final = Path(__file__).parent / "playbooks"
Language = Literal["en", "ru"]


class PlaybookError(ValueError):
    """A playbook that cannot be used; the message names the file and what is wrong in it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """One text in each language."""

    en: str = Field(min_length=1, max_length=300)
    ru: str = Field(min_length=1, max_length=300)

    def in_(self, language: Language) -> str:
        """The text in a language."""
        return self.ru if language == "ru" else self.en


class SlowMode(_Part):
    """Let each account write at most once in `wait_s` seconds (Twitch: 3 to 120)."""

    type: Literal["slow_mode"]
    wait_s: int = Field(ge=3, le=120)


class FollowersOnly(_Part):
    """Let only accounts write that have followed for `min_follow_s` seconds (Twitch: up to 90 days)."""

    type: Literal["followers_only"]
    min_follow_s: int = Field(ge=0, le=90 * 86_400)


class ShieldMode(_Part):
    """Turn the platform's emergency mode on."""

    type: Literal["shield_mode"]


class Timeout(_Part):
    """Silence the accounts behind the alert's evidence for `duration_s` seconds (Twitch: up to 14 days)."""

    type: Literal["timeout"]
    duration_s: int = Field(ge=1, le=14 * 86_400)


class Ban(_Part):
    """Ban the accounts behind the alert's evidence."""

    type: Literal["ban"]


class DeleteMessages(_Part):
    """Delete the lines of the alert's evidence."""

    type: Literal["delete_messages"]


class PinMessage(_Part):
    """Pin a line of the channel's own."""

    type: Literal["pin_message"]
    text: Text


Action = Annotated[
    SlowMode | FollowersOnly | ShieldMode | Timeout | Ban | DeleteMessages | PinMessage,
    Field(discriminator="type"),
]


class Play(_Part):
    """What to do at some severities of a kind."""

    severities: tuple[Severity, ...] = Field(min_length=1)
    why: Text
    steps: tuple[Text, ...] = Field(min_length=1, max_length=6)
    actions: tuple[Action, ...] = ()


class Playbook(_Part):
    """The file of one kind: each severity has exactly one play."""

    kind: AlertKind
    plays: tuple[Play, ...]

    @model_validator(mode="after")
    def _covers_each_severity_once(self) -> Self:
        named = [severity for play in self.plays for severity in play.severities]
        if sorted(named) != sorted(get_args(Severity)):
            raise ValueError(f"each severity needs exactly one play; there are plays for {', '.join(named)}")
        return self

    def play(self, severity: Severity) -> Play:
        """The play at a severity."""
        return next(play for play in self.plays if severity in play.severities)


def load_playbooks(folder: Path = PLAYBOOKS) -> Mapping[AlertKind, Playbook]:
    """Read and check all playbooks of a folder.

    Raises:
        PlaybookError: a file cannot be read or is wrong, or a kind of alert has none.
    """
    books: dict[AlertKind, Playbook] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            book = Playbook.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
            raise PlaybookError(f"{path}: {error}") from None
        if path.stem != book.kind:
            raise PlaybookError(f"{path} is the playbook of {book.kind}: name it {book.kind}.yaml")
        books[book.kind] = book
    if missing := sorted(set(get_args(AlertKind)) - books.keys()):
        raise PlaybookError(f"{folder}: no playbook for {', '.join(missing)}")
    return books


@cache
def playbooks() -> Mapping[AlertKind, Playbook]:
    """The shipped playbooks."""
    return load_playbooks()


def told(kind: AlertKind, severity: Severity, language: Language) -> dict[str, Any]:
    """A play in one language, as JSON: {kind, severity, lang, why, steps, actions}.

    Each action has its `type`, its parameters and `label`, one sentence for people.
    """
    play = playbooks()[kind].play(severity)
    return {
        "kind": kind,
        "severity": severity,
        "lang": language,
        "why": play.why.in_(language),
        "steps": [step.in_(language) for step in play.steps],
        "actions": [_told_action(action, language) for action in play.actions],
    }


_LABELS: Final[Mapping[str, Text]] = {
    "slow_mode": Text(en="Slow mode, {wait_s} s", ru="Медленный режим, {wait_s} с"),
    "followers_only": Text(
        en="Followers-only, following for {min_follow_m} min",
        ru="Только для фолловеров со стажем {min_follow_m} мин",
    ),
    "shield_mode": Text(en="Shield mode", ru="Режим щита"),
    "timeout": Text(
        en="Time the accounts of the evidence out for {duration_m} min",
        ru="Отстранить аккаунты из тревоги на {duration_m} мин",
    ),
    "ban": Text(en="Ban the accounts of the evidence", ru="Заблокировать аккаунты из тревоги"),
    "delete_messages": Text(en="Delete the lines of the evidence", ru="Удалить строки из тревоги"),
    "pin_message": Text(en="Pin: {text}", ru="Закрепить: {text}"),
}


def _told_action(action: Action, language: Language) -> dict[str, Any]:
    fields = action.model_dump()
    if isinstance(action, PinMessage):
        fields["text"] = action.text.in_(language)
    minutes = {
        f"{name.removesuffix('_s')}_m": value // 60 for name, value in fields.items() if name.endswith("_s")
    }
    return fields | {"label": _LABELS[action.type].in_(language).format(**fields, **minutes)}

"""Retention spans of `retention.yaml`: how long text and derived figures of a platform are kept."""

from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

RETENTION_FILE: Final = Path(__file__).parent / "retention.yaml"
NEVER_MS: Final = 4_102_444_800_000
"""2100-01-01: the `expires_at` of what is kept until deleted by hand."""
NEVER_S: Final = NEVER_MS // 1000

_UNITS: Final = {"h": 3600, "d": 86_400}


def _seconds(span: object) -> int:
    text = str(span)
    if text == "never":
        return NEVER_S
    if text[-1:] in _UNITS and text[:-1].isdigit():
        return int(text[:-1]) * _UNITS[text[-1]]
    raise ValueError(f"{text!r} is not a span: write hours or days as in 24h, 30d, or never")


class Spans(BaseModel):
    """What one platform permits, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: int
    derived: int

    _parse = field_validator("text", "derived", mode="before")(_seconds)


class Retention(BaseModel):
    """The whole of `retention.yaml`; spans in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dead_letters: int
    platforms: dict[str, Spans]

    _parse = field_validator("dead_letters", mode="before")(_seconds)

    @field_validator("platforms")
    @classmethod
    def _has_default(cls, platforms: dict[str, Spans]) -> dict[str, Spans]:
        if "*" not in platforms:
            raise ValueError('`platforms` needs an entry "*" for platforms that are not named')
        return platforms

    def span_s(self, platform: str, what: Literal["text", "derived"]) -> int:
        """The span of a platform in seconds; that of `*` where it is not named."""
        spans = self.platforms.get(platform, self.platforms["*"])
        return spans.text if what == "text" else spans.derived

    def expires_at(self, platform: str, received_at: int) -> int:
        """When a record's text must be gone, in ms; at most NEVER_MS."""
        return min(received_at + self.span_s(platform, "text") * 1000, NEVER_MS)


def load_retention(path: Path = RETENTION_FILE) -> Retention:
    """Read the spans.

    Raises:
        pydantic.ValidationError: where a span or an entry is wrong; it names the entry.
    """
    return Retention.model_validate(yaml.safe_load(path.read_text()))

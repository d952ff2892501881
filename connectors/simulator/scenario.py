"""Scenario files: channels and what happens in them, typed and checked."""

from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from connectors.simulator.event_kinds import Event, Part, Share

SCENARIOS: Final = Path(__file__).parent / "scenarios"

Language = Literal["en", "ru", "es", "pt", "de"]


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message names the field and says what is allowed."""


class Channel(Part):
    """A simulated channel and its usual audience."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", description="In streams and in `channels` of events.")
    language: Language
    rate_per_s: float = Field(gt=0, le=500, description="Ordinary chat lines a second, reactions included.")
    regulars: int = Field(ge=5, le=100_000, description="People who write here without being new.")
    activity_exponent: float = Field(
        default=1.0, ge=0, le=3, description="Zipf exponent of the regulars' activity; 0 = all alike."
    )
    newcomers: Share = Field(default=0.02, description="Share of ordinary lines by people never seen before.")
    subscribers: Share = Field(default=0.35, description="Share of regulars with a subscriber badge.")
    accounts_known: bool = Field(
        default=True, description="Whether the platform tells first messages and account ages."
    )


class Scenario(Part):
    """A broadcast on each channel, all beginning together, and what happens in them."""

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    description: str = ""
    length_s: float = Field(gt=0, le=86_400)
    channels: list[Channel] = Field(min_length=1)
    events: list[Event] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_agree(self) -> "Scenario":
        channels = [channel.name for channel in self.channels]
        if len(set(channels)) < len(channels):
            raise ValueError("`channels` holds a name twice")
        seen: set[str] = set()
        for number, event in enumerate(self.events):
            for name in event.channels:
                if name not in channels:
                    raise ValueError(
                        f"events.{number}.channels: no channel {name!r}; there are {', '.join(channels)}"
                    )
            if event.after is not None and event.after not in seen:
                raise ValueError(f"events.{number}.after: no earlier event is named {event.after!r}")
            if event.name is not None:
                seen.add(event.name)
        return self


def bundled() -> dict[str, Path]:
    """Names and files of the bundled scenarios."""
    return {path.stem: path for path in sorted(SCENARIOS.glob("*.yaml"))}


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A bundled scenario by name, or one from a YAML file.

    Raises:
        ScenarioError: no such scenario, not YAML, or a field is wrong; says which and what is allowed.
    """
    path = bundled().get(str(name_or_path), Path(name_or_path))
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        names = ", ".join(bundled())
        raise ScenarioError(
            f"no scenario {str(name_or_path)!r}: bundled are {names}; or give a YAML file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not YAML: {error}") from error
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'scenario'}: {e['msg']}" for e in error.errors()]
        raise ScenarioError(f"{path}: " + "\n".join(["the scenario is not valid", *lines])) from error

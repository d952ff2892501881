"""`channels.yaml`: which sources run, for which workspace, with which channels and options."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

Platform = Literal["twitch", "youtube", "telegram", "replay", "simulator"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Options = TypeVar("Options", bound=BaseModel)


class ChannelsError(ValueError):
    """A channels file that cannot be used; the message names the file and each field that is wrong."""


class SourceSettings(BaseModel):
    """One source: a platform's channels, or a replay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description="What status and logs call it; once a file.")
    platform: Platform = Field(description="Which connector runs it.")
    workspace: Name = Field(default="default", description="Whose data it is.")
    channels: tuple[str, ...] = Field(default=(), description="Channels as the platform names them.")
    enabled: bool = Field(default=True, description="False keeps the entry but does not run it.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="What only this platform knows; its connector checks them."
    )

    @model_validator(mode="after")
    def _says_what_to_listen_to(self) -> Self:
        live = self.platform not in ("replay", "simulator")
        if live and not self.channels:
            raise ValueError(f"a source on {self.platform} needs `channels`")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError("a channel is named twice")
        return self

    def typed_options(self, kind: type[Options]) -> Options:
        """The options as the connector's own settings.

        Raises:
            ChannelsError: an option is missing, unknown or wrong.
        """
        try:
            return kind.model_validate(self.options)
        except ValidationError as error:
            raise ChannelsError(_told(f"source `{self.name}`", error, ("options",))) from None


class Channels(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = Field(description="Version of this format.")
    sources: tuple[SourceSettings, ...] = Field(description="All sources, in any order.")

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        names = [source.name for source in self.sources]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the source names {', '.join(twice)} stand here more than once")
        heard: dict[tuple[str, str, str], str] = {}
        for source in self.sources:
            for channel in source.channels:
                where = (source.workspace, source.platform, channel.casefold())
                if other := heard.get(where):
                    raise ValueError(f"`{channel}` stands in `{other}` and in `{source.name}`")
                heard[where] = source.name
        return self


def load_channels(path: Path) -> Channels:
    """Read a channels file.

    Raises:
        ChannelsError: it is missing, no YAML, or a field is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChannelsError(f"{path}: {error.strerror}; infra/channels.example.yaml shows one") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ChannelsError(f"{path} is not YAML: {error}") from None
    try:
        return Channels.model_validate(content)
    except ValidationError as error:
        raise ChannelsError(_told(str(path), error)) from None


def _told(where: str, error: ValidationError, at: tuple[str, ...] = ()) -> str:
    # the input itself is left out: options may hold secrets
    lines = (
        f"{'.'.join(str(part) for part in (*at, *found['loc']))}: {found['msg']}" for found in error.errors()
    )
    return f"{where}: " + "; ".join(line.removeprefix(": ") for line in lines)

"""Settings of the served scorer: the file `serve.yaml`, one field at a time overridden by the environment."""

from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

SERVE_YAML: Final = Path(__file__).parent / "serve.yaml"
CHOICE: Final = "scorer.yaml"
"""File in the stack's home that `pulse model use` writes: a `Choice`."""


class BatchKnobs(BaseModel):
    """What a running replica can change by `reconfigure` without a restart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=4_000, ge=1, description="Rows of one request; more are refused (413).")
    max_body_bytes: int = Field(default=64 << 20, ge=1, description="Bytes of one request; more are refused.")
    chunk_rows: int = Field(
        default=512, ge=1, description="Rows that the model takes at once, of one request or of several."
    )
    chunk_tokens: int = Field(
        default=32_768, ge=1, description="Tokens that the model takes at once, estimated from the bytes."
    )


class Choice(BaseModel):
    """What somebody chose while the stack ran; goes before the file and the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(default=None, description="Model in service.")
    model_b: str | None = Field(default=None, description="The other model of an A/B test.")
    share_b: float | None = Field(
        default=None, ge=0, le=1, description="Share of the streams that it scores; 0 ends the test."
    )

    @classmethod
    def read(cls, path: Path) -> "Choice":
        """The choice in a file; the empty one where there is no file."""
        return cls.model_validate(yaml.safe_load(path.read_text("utf-8")) or {}) if path.is_file() else cls()


class ServeSettings(BaseSettings):
    """Ray Serve on this machine."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="PULSE_SCORER_", extra="forbid")

    model: str = Field(
        default="fast", description="Model name under serving/models, a folder, or hf:… (serving/models/hf)."
    )
    model_b: str | None = Field(default=None, description="The other model of an A/B test by stream.")
    share_b: float = Field(default=0.0, ge=0, le=1, description="Share of the streams that it scores.")
    device: str = Field(default="cpu", pattern="^(cpu|cuda)$", description="Where replicas compute.")
    replicas: int = Field(default=1, ge=1, description="Processes that score.")
    cpus_per_replica: float = Field(default=1.0, ge=0, description="Cores that Ray reserves for a replica.")
    gpus_per_replica: float = Field(default=0.0, ge=0, description="GPUs that Ray reserves for a replica.")
    max_ongoing_requests: int = Field(default=16, ge=1, description="Requests in one replica; more wait.")
    object_store_bytes: int = Field(default=80 << 20, description="Shared memory of Ray's object store.")
    ray_cpus: int = Field(default=2, ge=1, description="Cores that Ray may hand out.")
    user_config: dict[str, Any] = Field(default_factory=dict, description="BatchKnobs, reconfigurable.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before what the file says."""
        return env_settings, init_settings

    @classmethod
    def read(cls, path: Path = SERVE_YAML, choice: Choice | None = None) -> "ServeSettings":
        """Settings of a file, overridden by the environment, and both by a choice.

        Raises:
            pydantic.ValidationError: If a field is unknown or its value invalid.
        """
        settings = cls(**yaml.safe_load(path.read_text("utf-8")))
        return settings.model_copy(update=(choice or Choice()).model_dump(exclude_none=True))

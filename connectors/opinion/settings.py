"""Settings of the second opinion, from the environment."""

import ipaddress
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[float, Field(ge=0, le=1)]
Format = Literal["auto", "json_schema", "json_object", "text"]
_LOOPBACK_NAMES: Final = ("localhost",)


class OpinionSettings(BaseSettings):
    """Where the language model is, which lines it is asked about, and how much may be asked.

    Prefix PULSE_OPINION_. The key stands in the environment only and is masked wherever settings are shown.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="PULSE_OPINION_", hide_input_in_errors=True)

    url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="OpenAI-compatible API up to its version, as http://127.0.0.1:11434/v1; empty: off.",
    )
    model: str = Field(default="", description="Name of the model at that address.")
    api_key: SecretStr | None = Field(default=None, description="Bearer token, if the endpoint wants one.")
    allow_http: bool = Field(
        default=False, description="Permit http:// to another machine: texts and key go unencrypted."
    )
    response_format: Format = Field(
        default="auto",
        description="How the answer's form is asked for; auto: json_schema, and less where that is refused.",
    )
    extra: dict[str, Any] = Field(
        default_factory=dict, description="Further fields of each request; null takes one of ours out."
    )
    timeout_s: float = Field(default=20, gt=0, le=600, description="Longest time of one request.")
    attempts: int = Field(default=3, ge=1, le=10, description="Requests for one batch before it is dropped.")

    channels: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="Channels whose lines may be sent (globs)."
    )
    alerts: tuple[str, ...] = Field(
        default=("mood.*",), description="Alert kinds (globs) that draw attention to a stream while open."
    )
    margin: Share = Field(
        default=0.05, description="Toxicity and sarcasm no farther than this from their line are near it."
    )
    sentiment_margin: Share = Field(default=0.03, description="The same of the sentiment, whose line is 0.")
    share: Share = Field(default=0.1, description="Share of the lines near a decision line that are asked.")
    alert_share: Share = Field(default=0.5, description="Share of all lines of a stream with an open alert.")

    batch: int = Field(default=8, ge=1, le=50, description="Texts in one request.")
    batch_wait_s: float = Field(default=1, ge=0, le=60, description="Longest wait for a full batch.")
    parallel: int = Field(default=2, ge=1, le=32, description="Requests at the same time.")
    requests_per_minute: int = Field(default=60, ge=1, description="Requests, repeated ones included.")
    tokens_per_minute: int = Field(
        default=40_000, ge=100, description="Tokens of requests and answers, estimated, then as reported."
    )
    max_age_s: float = Field(default=120, gt=0, description="Lines older than this are not asked any more.")
    max_waiting: int = Field(default=500, ge=1, description="Lines that wait; the oldest give way.")
    max_text: int = Field(default=500, ge=1, le=4_096, description="Code points of a text that are sent.")
    cache_size: int = Field(default=20_000, ge=1, description="Texts whose opinion is remembered.")
    cache_s: float = Field(default=21_600, gt=0, description="How long it is remembered.")

    @model_validator(mode="after")
    def _goes_over_tls(self) -> Self:
        if self.url.startswith("http://") and not self.allow_http and not self.local:
            raise ValueError(
                "url: chat text and key would leave this machine unencrypted; use https, or set "
                "PULSE_OPINION_ALLOW_HTTP=true"
            )
        return self

    @property
    def local(self) -> bool:
        """Whether the endpoint is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host in _LOOPBACK_NAMES

    @property
    def missing(self) -> tuple[str, ...]:
        """Variables without which it stays off."""
        return tuple(
            name
            for name, value in (("PULSE_OPINION_URL", self.url), ("PULSE_OPINION_MODEL", self.model))
            if not value
        )

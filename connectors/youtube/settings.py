"""Settings of the YouTube source, from the environment (prefix `PULSE_YOUTUBE_`)."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class YouTubeSettings(BaseSettings):
    """Where and how to listen; an API key or a token file is needed."""

    model_config = SettingsConfigDict(env_prefix="PULSE_YOUTUBE_", frozen=True)

    api_key: SecretStr | None = Field(default=None, description="API key of a Google Cloud project.")
    token_file: Path | None = Field(
        default=None,
        description="OAuth client and refresh token as google-auth writes them (`authorized_user`), instead "
        "of a key: needed for chats of private broadcasts.",
    )
    url: str = Field(default="https://www.googleapis.com/youtube/v3", description="The Data API.")
    stream_address: str = Field(
        default="youtube.googleapis.com:443",
        description="Where chats are streamed from (gRPC); empty: poll only.",
    )
    token_url: str = Field(
        default="https://oauth2.googleapis.com/token", description="Where access tokens are fetched."
    )
    daily_units: int = Field(
        default=10_000, ge=1, description="Quota units that the project may spend in a day of Pacific time."
    )
    check_every_s: float = Field(
        default=60.0, gt=0, description="How often a channel's newest videos are looked at for a broadcast."
    )
    search_every_s: float = Field(
        default=3_600.0,
        gt=0,
        description="How often a broadcast that is not among them is searched for; that costs 100 units.",
    )
    answer_timeout_s: float = Field(default=15.0, gt=0, description="A later answer is given up.")
    backoff_base_s: float = Field(default=1.0, gt=0, description="Longest pause before the first retry.")
    backoff_cap_s: float = Field(default=60.0, gt=0, description="Longest pause before any retry.")
    queue_records: int = Field(default=10_000, ge=1, description="Records held while Kafka is slower.")

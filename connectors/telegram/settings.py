"""Settings of the Telegram source, from the environment (prefix `PULSE_TELEGRAM_`)."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class TelegramSettings(BaseSettings):
    """Where and how to listen as a bot; only the token is needed."""

    model_config = SettingsConfigDict(env_prefix="PULSE_TELEGRAM_", frozen=True)

    bot_token: SecretStr | None = Field(default=None, description="The bot's token, from @BotFather.")
    url: str = Field(default="https://api.telegram.org", description="The Bot API, or a local server of it.")
    poll_timeout_s: int = Field(
        default=5,
        ge=0,
        le=50,
        description="How long Telegram holds a getUpdates while nobody writes; heartbeats come as often, and "
        "an audience counts as unseen after 10 s without any.",
    )
    stalled_after_s: float = Field(
        default=10.0, gt=0, description="An answer that is so late, beyond any wait asked for, is given up."
    )
    backoff_base_s: float = Field(default=1.0, gt=0, description="Longest pause before the first retry.")
    backoff_cap_s: float = Field(default=60.0, gt=0, description="Longest pause before any retry.")
    queue_records: int = Field(default=10_000, ge=1, description="Records held while Kafka is slower.")

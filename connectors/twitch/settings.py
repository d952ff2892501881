"""Settings of the Twitch source, from the environment (prefix `PULSE_TWITCH_`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.endpoints import Endpoints


class TwitchSettings(BaseSettings):
    """Where and how to connect; the defaults need nothing but the channels' names.

    Limits: dev.twitch.tv/docs/chat (20 JOINs and 20 log-ins per 10 s for accounts that are no verified bots).
    """

    model_config = SettingsConfigDict(env_prefix="PULSE_TWITCH_", frozen=True)

    transport: Literal["irc", "eventsub", "both"] = Field(
        default="irc", description="Over what chat is heard; `both`: twice, each line counted once."
    )
    token: SecretStr | None = Field(
        default=None,
        description="User access token; scopes: chat:read for IRC, user:read:chat for EventSub, "
        "moderator:manage:… to moderate.",
    )
    refresh_token: SecretStr | None = Field(default=None, description="Renews the token once it has expired.")
    client_id: str = Field(default="", description="Of the application; Twitch tells that of a user's token.")
    client_secret: SecretStr | None = Field(
        default=None, description="Of the application, to renew tokens and for conduits."
    )
    token_file: Path | None = Field(
        default=None,
        description="JSON with access_token, refresh_token, client_id, client_secret, for its owner alone "
        "(mode 0600); renewed tokens are written back.",
    )
    api_url: str = Field(default="https://api.twitch.tv/helix", description="Twitch's API (Helix).")
    auth_url: str = Field(default="https://id.twitch.tv/oauth2", description="Where tokens come from.")
    login: str = Field(default="", description="The token's user name, in lower case.")
    url: str = Field(default="wss://irc-ws.chat.twitch.tv:443", description="Twitch's IRC over WebSocket.")
    eventsub_url: str = Field(
        default="wss://eventsub.wss.twitch.tv/ws", description="Twitch's EventSub over WebSocket."
    )
    keepalive_s: int = Field(
        default=10, ge=10, le=600, description="EventSub says that it lives at least so often."
    )
    channels_per_session: int = Field(
        default=25, ge=1, le=27, description="Channels of an EventSub session; 300 subscriptions, 11 each."
    )
    conduit: bool = Field(
        default=False, description="EventSub over a conduit of the application: for many channels."
    )
    conduit_shards: int = Field(default=2, ge=1, le=20_000, description="Sessions of the conduit.")
    emote_urls: dict[Literal["bttv", "ffz", "7tv"], str] = Field(
        default={
            "bttv": "https://api.betterttv.net/3",
            "ffz": "https://api.frankerfacez.com/v1",
            "7tv": "https://7tv.io/v3",
        },
        description="Who is asked for the names of emotes, by the channel's number; {}: nobody.",
    )
    emote_ttl_s: float = Field(default=21_600.0, gt=0, description="Names of emotes are asked for so often.")
    emote_cache: Path = Field(
        default_factory=lambda: Endpoints().pulse_home / "cache" / "emotes",
        description="Folder that keeps them meanwhile.",
    )
    channels_per_connection: int = Field(default=40, ge=1, le=100, description="Channels of a connection.")
    joins: int = Field(default=20, ge=1, description="JOINs allowed in `joins_per_s`, over all connections.")
    joins_per_s: float = Field(default=10.0, gt=0, description="Seconds in which `joins` are allowed.")
    join_timeout_s: float = Field(
        default=10.0, gt=0, description="A JOIN that is not confirmed for so long is sent again."
    )
    open_timeout_s: float = Field(default=10.0, gt=0, description="A connection must welcome us within this.")
    ping_after_s: float = Field(default=2.0, gt=0, description="Ask whether the other side lives after this.")
    stalled_after_s: float = Field(default=10.0, gt=0, description="A connection silent for so long is dead.")
    backoff_base_s: float = Field(default=1.0, gt=0, description="Longest pause before the first retry.")
    backoff_cap_s: float = Field(default=60.0, gt=0, description="Longest pause before any retry.")
    healthy_after_s: float = Field(
        default=30.0, ge=0, description="A connection that lasted so long starts the backoff anew."
    )
    queue_records: int = Field(default=10_000, ge=1, description="Records held while Kafka is slower.")

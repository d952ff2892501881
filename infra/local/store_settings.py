"""Where a stack's store is and how much it may use; light, so that commands may import it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from connectors.clickhouse.client import StoreAddress
    from schemas.endpoints import Endpoints

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


class StoreSettings(BaseSettings):
    """Settings of the store process, from the environment with the prefix PULSE_STORE_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="PULSE_STORE_")

    memory_mb: int = Field(default=600, ge=256, description="Most memory that chDB may use.")
    mark_cache_mb: int = Field(default=64, ge=8, description="chDB's cache of index marks.")
    merge_threads: int = Field(default=1, ge=1, description="Threads of chDB that merge parts.")
    member: str = Field(
        default="store-1", description="Name in the consumer group; one per process of a cluster."
    )
    hosts: tuple[str, ...] = Field(
        default=LOOPBACK_HOSTS, description="Names under which the API may be addressed."
    )


def store_address(endpoints: Endpoints, settings: StoreSettings | None = None) -> StoreAddress:
    """Where the store of a stack is, with chDB's memory bounded by the settings."""
    from connectors.clickhouse.client import StoreAddress  # loads the drivers: a second

    chosen = settings or StoreSettings()
    return StoreAddress(
        endpoints.clickhouse_url,
        endpoints.pulse_home.expanduser().resolve() / "store",
        options={
            "max_server_memory_usage": str(chosen.memory_mb << 20),
            "mark_cache_size": str(chosen.mark_cache_mb << 20),
            "index_mark_cache_size": str(8 << 20),
            "background_pool_size": str(chosen.merge_threads),
        },
    )

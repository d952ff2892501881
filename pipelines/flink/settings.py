"""Settings of the Flink jobs, from the environment of the process that submits them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.endpoints import Endpoints


class JobSettings(Endpoints):
    """What the jobs need to know; fixed at submission."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    pulse_score_parallelism: int = Field(default=1, ge=1, description="Slots of the score job.")
    pulse_detect_parallelism: int = Field(default=1, ge=1, description="Slots of the detect job.")
    pulse_state_ttl_minutes: int = Field(
        default=30,
        ge=1,
        description="How long a message id is remembered, and how late a line may be to correct its window.",
    )
    pulse_author_ttl_hours: int = Field(
        default=24, ge=1, description="How long a stream's author is remembered for `new_authors`."
    )
    pulse_mini_batch_ms: int = Field(default=500, ge=10, description="How often windows are emitted.")
    pulse_detect_tick_ms: int = Field(
        default=500, ge=50, description="How long the JVM gathers a bucket before Python sees it."
    )
    pulse_detect_buckets: int = Field(
        default=64,
        ge=1,
        description="Groups of channels; one state blob each. Fixed for the life of a state.",
    )
    pulse_score_timeout_s: float = Field(default=10.0, gt=0, description="One model call.")
    pulse_checkpoint_ms: int = Field(default=30_000, ge=500, description="Interval of checkpoints.")

"""What stands in a model folder's `config.json`."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

CONFIG: Final = "config.json"
TABLE: Final = "table.npy"
SCALES: Final = "scales.npy"
HEADS: Final = "heads.onnx"


class FastModelConfig(BaseModel):
    """Settings of a hashed n-gram model; weights stand beside it (TABLE, SCALES, HEADS)."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the model in every score.")
    version: str = Field(description="Version of the weights in every score.")
    backend: str = Field(default="fast", description="Which scorer reads this folder.")
    bits: int = Field(description="The table has 2 ** bits rows.")
    dimensions: int = Field(description="Columns of the table.")
    languages: tuple[str, ...] = Field(description="Classes of the language head, in its order.")
    supported: frozenset[str] = Field(description="Languages that are scored; others abstain.")
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="Decision threshold per label, tuned on dev: `head.label`."
    )
    notes: tuple[str, ...] = Field(
        default=(), description="What the model card must say of these weights beside what is measured."
    )

    @classmethod
    def read(cls, folder: Path) -> "FastModelConfig":
        """Read the config of a model folder."""
        return cls.model_validate_json((folder / CONFIG).read_text("utf-8"))

"""What stands in a model folder's `config.json`."""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

CONFIG: Final = "config.json"
KEYS: Final = "keys.npy"
TABLE: Final = "table.npy"
SCALES: Final = "scales.npy"
HEADS: Final = "heads.onnx"
ENCODER: Final = "encoder.onnx"
TOKENIZER: Final = "tokenizer.json"
FAST: Final = "fast"


class ScoringModelConfig(BaseModel):
    """What every model folder says of itself."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the model in every score.")
    version: str = Field(description="Version of the weights in every score.")
    backend: str = Field(description="Which scorer reads this folder.")
    supported: frozenset[str] = Field(description="Languages that are scored; others abstain.")
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="Decision threshold per label, tuned on dev: `head.label`."
    )
    notes: tuple[str, ...] = Field(
        default=(), description="What the model card must say of these weights beside what is measured."
    )

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the config of a model folder."""
        return cls.model_validate_json((folder / CONFIG).read_text("utf-8"))


class FastModelConfig(ScoringModelConfig):
    """Settings of a hashed n-gram model; weights stand beside it (KEYS, TABLE, SCALES, HEADS)."""

    backend: str = "fast"
    features: int = Field(description="Rows of the table, one a feature that the model knows.")
    dimensions: int = Field(description="Columns of the table.")
    languages: tuple[str, ...] = Field(description="Classes of the language head, in its order.")


class Blend(BaseModel):
    """How the logits of two models become one: per head `fast × slope + encoder × slope + offset`."""

    model_config = ConfigDict(frozen=True)

    slopes: dict[str, dict[str, tuple[float, float]]] = Field(
        description="Language → head → slopes of the fast model and the encoder; `` stands for all others."
    )
    offsets: dict[str, tuple[float, ...]] = Field(description="Head → offset of each label.")


class BaseModelConfig(ScoringModelConfig):
    """Settings of an encoder beside a fast model (folder FAST); weights: ENCODER, TOKENIZER."""

    backend: str = "base"
    longest: int = Field(description="Most tokens of a line that are read.")
    batch_tokens: int = Field(default=1_024, description="Tokens that go through the encoder at once.")
    blend: Blend

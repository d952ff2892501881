"""Config of the tier `hf:`: which Hugging Face classifiers score, and what their labels mean here."""

from itertools import chain
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.labels import BASIC, EMOTIONS
from serving.scorer.backend import MODELS, ModelNotFoundError

PREFIX: Final = "hf:"
PRESETS: Final = MODELS / "hf"
LABELS_FILE: Final = "pulse.yaml"
"""Name of the config inside a model's own folder."""

TARGETS: Final = (
    *(f"emotions.{label}" for label in EMOTIONS),
    *(f"basic.{label}" for label in BASIC),
    "sentiment.negative",
    "sentiment.neutral",
    "sentiment.positive",
    "toxicity",
    "hate",
    "sarcasm",
)
"""What a label of a classifier can mean."""


def _known(target: str) -> str:
    if target not in TARGETS:
        raise ValueError(f"{target} is no figure of a score; there are {', '.join(TARGETS)}")
    return target


def _no_classifiers(model: str) -> str:
    if model.startswith(PREFIX):
        raise ValueError(
            "the rest must be a Pulse model, which names languages; use `include` for classifiers"
        )
    return model


Target = Annotated[str, AfterValidator(_known)]


class HfClassifier(BaseModel):
    """One sequence-classification model and the meaning of its labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Name on the Hugging Face hub, or a folder (relative to this file).")
    revision: str | None = Field(default=None, description="Commit on the hub; unset: the newest one.")
    labels: dict[str, Target | list[Target]] = Field(
        min_length=1,
        description="The model's label (as in its config.json, case aside) → one figure or several. Labels "
        "that are not named are left out. Of several labels with one meaning the probabilities are added "
        "(softmax) or the largest counts (sigmoid).",
    )
    activation: Literal["auto", "softmax", "sigmoid"] = Field(
        default="auto", description="auto: what the model's config says its problem is."
    )
    languages: frozenset[str] | None = Field(
        default=None,
        description="Languages that it reads (ISO 639-1); lines in others keep the rest's figures.",
    )
    text: Literal["raw", "canonical"] = Field(
        default="raw", description="What it reads: the line as written, or after Pulse's normaliser."
    )
    max_tokens: int = Field(default=128, ge=8, description="Tokens of a line that are read.")

    def targets(self) -> dict[str, tuple[str, ...]]:
        """Label → its meanings."""
        return {
            label: (meaning,) if isinstance(meaning, str) else tuple(meaning)
            for label, meaning in self.labels.items()
        }


class HfModelConfig(BaseModel):
    """A whole scorer: classifiers, and the model that gives what none of them gives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the model in every score.")
    version: str | None = Field(
        default=None, description="Version in every score; unset: the revisions, or `local` for a folder."
    )
    rest: Annotated[str, AfterValidator(_no_classifiers)] = Field(
        default="fast",
        description="Pulse model that names languages, decides on abstention and gives all other figures.",
    )
    batch_tokens: int = Field(
        default=8_192, ge=128, description="Tokens of one forward pass, padding included."
    )
    classifiers: tuple[HfClassifier, ...] = Field(default=(), description="What scores, in order.")
    include: tuple[str, ...] = Field(
        default=(), description="Presets or files whose own classifiers come first; a later one overwrites."
    )


def read_hf_config(spec: str) -> HfModelConfig:
    """The config that `hf:<spec>` names: a preset, a YAML file, or a model folder that holds `pulse.yaml`.

    Raises:
        ModelNotFoundError: If there is none or it is invalid; says what to write where.
    """
    config = _read(_path(spec.removeprefix(PREFIX)))
    included = [_read(_path(other.removeprefix(PREFIX))).classifiers for other in config.include]
    classifiers = (*chain.from_iterable(included), *config.classifiers)
    if not classifiers:
        raise ModelNotFoundError(f"{spec} names no classifiers")
    return config.model_copy(update={"classifiers": classifiers})


def _read(path: Path) -> HfModelConfig:
    try:
        config = HfModelConfig.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelNotFoundError(f"{path} is no config of a Hugging Face model: {error}") from error
    classifiers = tuple(_resolved(part, path.parent) for part in config.classifiers)
    return config.model_copy(update={"classifiers": classifiers})


def _path(spec: str) -> Path:
    candidates = (PRESETS / f"{spec}.yaml", Path(spec), Path(spec) / LABELS_FILE)
    for path in candidates:
        if path.suffix in (".yaml", ".yml") and path.is_file():
            return path
    presets = ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml")))
    raise ModelNotFoundError(
        f"hf:{spec}: name a preset ({presets}), a YAML file, or a folder that holds {LABELS_FILE}; "
        f"for a model of the hub copy a preset of {PRESETS} and map its labels"
    )


def _resolved(part: HfClassifier, folder: Path) -> HfClassifier:
    """A folder beside the file goes before a name of the hub."""
    local = folder / part.model
    return part.model_copy(update={"model": str(local.resolve())}) if local.is_dir() else part

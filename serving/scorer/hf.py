"""The tier `hf:`: any Hugging Face sequence classifier over a Pulse model that gives the rest."""

from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.plain import prepare_lines
from pipelines.core.text.prepare import MAX_CODE_POINTS
from schemas.labels import BASIC, EMOTIONS
from schemas.scoring import RESPONSE
from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError, Scorer, load_scorer
from serving.scorer.batches import conform_request
from serving.scorer.hf_config import HfClassifier, HfModelConfig, read_hf_config
from serving.scorer.token_batches import token_bounded

_SCALARS: Final = ("sentiment", "toxicity", "hate", "sarcasm")
_COLUMNS: Final = {
    name: at
    for at, name in enumerate(
        (*(f"emotions.{label}" for label in EMOTIONS), *(f"basic.{label}" for label in BASIC), *_SCALARS)
    )
}
"""Column of each figure in a matrix of scores."""
_BASIC_FROM: Final = len(EMOTIONS)
_SCALARS_FROM: Final = len(EMOTIONS) + len(BASIC)


class HfScorer:
    """Lets classifiers overwrite what they know in the answer of another model; see `backend.Scorer`.

    Languages, abstention, and figures without a mapped label stay the other model's. Needs the extra `gpu` or
    `train`; on cuda computes in bfloat16.
    """

    def __init__(self, config: HfModelConfig, rest: Scorer, classifiers: "tuple[Classifier, ...]") -> None:
        self.config = config
        self._rest, self._classifiers = rest, classifiers
        own = config.version or "+".join(part.revision for part in classifiers)
        self._version = f"{own}+{rest.name}-{rest.version}"
        self._schema = RESPONSE.with_metadata({"model": self.name, "model_version": self.version})

    @classmethod
    def load(cls, spec: str, device: str = "cpu") -> Self:
        """Load the model that `hf:…` names; see `hf_config.read_hf_config`.

        Raises:
            ModelNotFoundError: If a model, its config or a library is missing, or a label is not the model's.
            DeviceUnavailableError: If torch here cannot compute on `device`.
        """
        config = read_hf_config(spec)
        parts = tuple(Classifier.load(part, device, config.batch_tokens) for part in config.classifiers)
        return cls(config, load_scorer(config.rest), parts)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.config.name

    @property
    def version(self) -> str:
        """Version of the classifiers, and name and version of the model that gives the rest."""
        return self._version

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a batch; see `serving.scorer.backend.Scorer.score`."""
        batch = conform_request(batch)
        answer = self._rest.score(batch)
        figures = _figures(answer)
        texts = _Texts(batch)
        for part in self._classifiers:
            rows = part.readable(answer["lang"])
            if len(rows):
                part.overwrite(figures, rows, texts.of(part.config.text, rows))
        toxicity, hate = _COLUMNS["toxicity"], _COLUMNS["hate"]
        np.maximum(figures[:, toxicity], figures[:, hate], out=figures[:, toxicity])
        return pa.RecordBatch.from_arrays(
            [
                answer["id"],
                _vectors(figures[:, :_BASIC_FROM]),
                _vectors(figures[:, _BASIC_FROM:_SCALARS_FROM]),
                *(pa.array(figures[:, _COLUMNS[name]]) for name in _SCALARS),
                answer["lang"],
                answer["abstained"],
            ],
            schema=self._schema,
        )


class Classifier:
    """One transformers model with its tokeniser, and where its labels go."""

    def __init__(self, config: HfClassifier, model: Any, tokenizer: Any, batch_tokens: int) -> None:
        self.config = config
        self.revision = config.revision or getattr(model.config, "_commit_hash", None) or "local"
        self._model, self._tokenizer, self._batch_tokens = model, tokenizer, batch_tokens
        self._members = _members(config, model.config.id2label)
        multi = model.config.problem_type == "multi_label_classification" or model.config.num_labels == 1
        self._sigmoid = config.activation == "sigmoid" or (config.activation == "auto" and multi)

    @classmethod
    def load(cls, config: HfClassifier, device: str, batch_tokens: int) -> Self:
        """Load weights and tokeniser; errors as `HfScorer.load`. No code of a model's own is ever run."""
        try:
            import torch
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
        except ModuleNotFoundError as error:
            raise ModelNotFoundError(
                f"hf: models need the extra `gpu`: uv sync --extra gpu ({error})"
            ) from error
        if device != "cpu" and not torch.cuda.is_available():
            raise DeviceUnavailableError(f"torch here cannot compute on {device}: set device to cpu")
        where = {"revision": config.revision, "trust_remote_code": False}
        try:
            tokenizer = AutoTokenizer.from_pretrained(config.model, **where)
            model = AutoModelForSequenceClassification.from_pretrained(config.model, **where)
        except (OSError, ValueError) as error:
            raise ModelNotFoundError(f"cannot load {config.model}: {error}") from error
        kind = torch.float32 if device == "cpu" else torch.bfloat16
        return cls(config, model.to(device=device, dtype=kind).eval(), tokenizer, batch_tokens)

    def readable(self, langs: pa.StringArray) -> NDArray[np.int64]:
        """Indices of the lines that this model reads, given the language of each."""
        known = self.config.languages
        if known is None:
            return np.arange(len(langs))
        return np.flatnonzero([lang in known for lang in langs.to_pylist()])

    def overwrite(self, figures: NDArray[np.float32], rows: NDArray[np.int64], texts: list[str]) -> None:
        """Score `texts`, which stand in `rows`, and write what the labels mean into `figures`."""
        probabilities = self.probabilities(texts)
        combine = np.max if self._sigmoid else np.sum
        found = {target: combine(probabilities[:, at], axis=1) for target, at in self._members.items()}
        classes = {name: found.pop(name) for name in list(found) if name.startswith("sentiment.")}
        if classes:
            positive, negative = (classes.get(f"sentiment.{name}", 0.0) for name in ("positive", "negative"))
            found["sentiment"] = np.clip(positive - negative, -1.0, 1.0)
        for target, values in found.items():
            figures[rows, _COLUMNS[target]] = np.clip(values, -1.0, 1.0)

    def probabilities(self, texts: list[str]) -> NDArray[np.float32]:
        """Probability of each label, shape (texts, labels); length-bucketed, bounded by tokens."""
        import torch

        encoded = self._tokenizer(texts, truncation=True, max_length=self.config.max_tokens)
        out = np.empty((len(texts), self._model.config.num_labels), dtype=np.float32)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        with torch.inference_mode():
            for rows in token_bounded(lengths, self._batch_tokens):
                part = {name: [values[row] for row in rows] for name, values in encoded.items()}
                padded = self._tokenizer.pad(part, return_tensors="pt").to(self._model.device)
                logits = self._model(**padded).logits.float()
                chosen = torch.sigmoid(logits) if self._sigmoid else torch.softmax(logits, dim=-1)
                out[rows] = chosen.cpu().numpy()
        return out


class _Texts:
    """The texts of a batch in the forms that classifiers ask for; each form is made once."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self._forms: dict[str, list[str]] = {}

    def of(self, form: str, rows: NDArray[np.int64]) -> list[str]:
        if form not in self._forms:
            self._forms[form] = self._raw() if form == "raw" else self._canonical()
        texts = self._forms[form]
        return [texts[row] for row in rows]

    def _raw(self) -> list[str]:
        return [text[:MAX_CODE_POINTS] for text in self._batch["text"].to_pylist()]

    def _canonical(self) -> list[str]:
        prepared = prepare_lines(self._batch["text"], self._batch["emotes"])
        return prepared.codes.tobytes().decode("utf-32-le").split("\n")[:-1]


def _members(config: HfClassifier, names: dict[int, str]) -> dict[str, list[int]]:
    """Figure → indices of the labels that mean it."""
    index = {name.casefold(): int(at) for at, name in names.items()}
    members: dict[str, list[int]] = {}
    for label, targets in config.targets().items():
        if label.casefold() not in index:
            raise ModelNotFoundError(
                f"{config.model} has no label {label}; it has {', '.join(names.values())}"
            )
        for target in targets:
            members.setdefault(target, []).append(index[label.casefold()])
    return members


def _figures(answer: pa.RecordBatch) -> NDArray[np.float32]:
    """All figures of an answer as one matrix in the order of _COLUMNS."""
    vectors = [
        answer[name].flatten().to_numpy().reshape(-1, answer[name].type.list_size)
        for name in ("emotions", "basic")
    ]
    scalars = [answer[name].to_numpy()[:, None] for name in _SCALARS]
    return np.concatenate([*vectors, *scalars], axis=1)


def _vectors(values: NDArray[np.float32]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1]
    )

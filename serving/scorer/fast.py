"""The CPU model: hashed bags of words and character n-grams, a shared table, a small network in ONNX."""

from pathlib import Path
from typing import Final, Self

import numba
import numpy as np
import onnxruntime
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.core.text.ngrams import code_points
from pipelines.core.text.plain import PreparedLines, prepare_lines
from pipelines.core.text.prepare import model_text
from pipelines.core.text.reading import reading_of
from pipelines.core.text.vocabulary import Vocabulary
from schemas.labels import BASIC, EMOTIONS
from schemas.scoring import REQUEST, RESPONSE
from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError
from serving.scorer.batches import conform_request
from serving.scorer.language import LanguageDecision, Languages
from serving.scorer.model_config import CONFIG, HEADS, KEYS, SCALES, TABLE, FastModelConfig

# Rows that go through the network at once; keeps its activations in the cache.
_CHUNK_ROWS: Final = 512


class FastScorer:
    """Scores on one CPU core; see `serving.scorer.backend.Scorer`."""

    def __init__(
        self,
        config: FastModelConfig,
        vocabulary: Vocabulary,
        table: NDArray[np.int8],
        scales: NDArray[np.float32],
        session: onnxruntime.InferenceSession,
    ) -> None:
        self.config, self._vocabulary = config, vocabulary
        self._table, self._scales, self._session = table, scales, session
        self._outputs = [output.name for output in session.get_outputs()]
        self._language = LanguageDecision(config.languages, config.supported)
        self._answer_schema = RESPONSE.with_metadata({"model": config.name, "model_version": config.version})
        # Compiled code and the session warm up here, not in the first request.
        self.score(
            pa.RecordBatch.from_pylist(
                [{"id": "", "text": text, "emotes": []} for text in ("warm up", "https://warm.up")], REQUEST
            )
        )

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """Read a model folder: CONFIG, KEYS, TABLE, SCALES, HEADS.

        Raises:
            ModelNotFoundError: If a file is missing.
            DeviceUnavailableError: If onnxruntime here cannot compute on `device`.
        """
        provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device, device)
        if provider not in onnxruntime.get_available_providers():
            raise DeviceUnavailableError(f"no {provider} in this onnxruntime: set device to cpu")
        for name in (CONFIG, KEYS, TABLE, SCALES, HEADS):
            if not (folder / name).is_file():
                raise ModelNotFoundError(f"{folder} lacks {name}: run `pulse train` to make the model again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / HEADS), options, providers=[provider])
        return cls(
            FastModelConfig.read(folder),
            Vocabulary(np.load(folder / KEYS)),
            np.load(folder / TABLE),
            np.load(folder / SCALES).astype(np.float32),
            session,
        )

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.config.name

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.config.version

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score a batch; see `serving.scorer.backend.Scorer.score`."""
        batch = conform_request(batch)
        return self.score_prepared(batch, prepare_lines(batch["text"], batch["emotes"]))

    def score_prepared(self, batch: pa.RecordBatch, prepared: PreparedLines) -> pa.RecordBatch:
        """Score a conforming batch whose texts have been prepared."""
        return self.answer(batch, prepared, self.forward_lines(prepared.codes, batch.num_rows))

    def answer(
        self,
        batch: pa.RecordBatch,
        prepared: PreparedLines,
        heads: dict[str, NDArray[np.float32]],
        schema: pa.Schema | None = None,
    ) -> pa.RecordBatch:
        """The answer to a conforming batch, given the probabilities of every head for its lines.

        `schema` replaces the one that carries this model's name and version.
        """
        languages = self._language.decide(prepared.readings, batch["lang"], heads["language"])
        toxicity, hate = heads["toxicity"][:, 0], heads["hate"][:, 0]
        sentiment = heads["sentiment"][:, 2] - heads["sentiment"][:, 0]
        return pa.RecordBatch.from_arrays(
            [
                batch["id"],
                _vectors(heads["emotions"], len(EMOTIONS)),
                _vectors(heads["basic"], len(BASIC)),
                pa.array(sentiment),
                pa.array(np.maximum(toxicity, hate)),
                pa.array(hate),
                pa.array(heads["sarcasm"][:, 0]),
                languages.codes,
                pa.array(languages.abstained),
            ],
            schema=schema or self._answer_schema,
        )

    def forward(self, texts: list[str]) -> dict[str, NDArray[np.float32]]:
        """Probabilities of every head for prepared texts: head → array (texts, labels of the head)."""
        return self.forward_lines(code_points(texts), len(texts))

    def bags(self, texts: list[str]) -> NDArray[np.float32]:
        """What the network reads of prepared texts: array (texts, 2 × dimensions)."""
        return self._bags(code_points(texts), len(texts))

    def languages(self, texts: list[str], hints: list[str | None]) -> Languages:
        """Language and abstention of canonical texts, given the language of each one's stream or None."""
        heads = self.forward([model_text(text) for text in texts])
        readings = np.array([reading_of(text) for text in texts], dtype=np.uint8)
        return self._language.decide(readings, pa.array(hints, pa.string()), heads["language"])

    def forward_lines(self, codes: NDArray[np.uint32], lines: int) -> dict[str, NDArray[np.float32]]:
        """`forward` of texts given as the code points of their lines, each ended by a line break."""
        inputs = self._bags(codes, lines)
        chunks = [
            self._session.run(self._outputs, {"bags": inputs[start : start + _CHUNK_ROWS]})
            for start in range(0, max(lines, 1), _CHUNK_ROWS)
        ]
        if len(chunks) == 1:
            return dict(zip(self._outputs, chunks[0], strict=True))
        return {
            name: np.concatenate([chunk[index] for chunk in chunks])
            for index, name in enumerate(self._outputs)
        }

    def _bags(self, codes: NDArray[np.uint32], lines: int) -> NDArray[np.float32]:
        bags = self._vocabulary.bags_of_lines(codes, lines)
        inputs = np.zeros((lines, 2 * self.config.dimensions), dtype=np.float32)
        half = self.config.dimensions
        _sum_rows(bags.words, bags.word_ends, self._table, self._scales, inputs, 0)
        _sum_rows(bags.chars, bags.char_ends, self._table, self._scales, inputs, half)
        return inputs


def _vectors(values: NDArray[np.float32], width: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width)


@numba.njit(cache=True)
def _sum_rows(ids, ends, table, scales, out, first):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the sum of the quantised rows of each bag, over the root of their number, from column `first`."""
    width = table.shape[1]
    # A contiguous row of its own and an unsigned index: what the compiler needs to vectorise the inner loop.
    total = np.zeros(width, dtype=np.float32)
    for bag in range(out.shape[0]):
        begin, end = ends[bag], ends[bag + 1]
        total[:] = 0
        for at in range(begin, end):
            row = np.uint64(ids[at])
            scale = scales[row]
            weights = table[row]
            for column in range(width):
                total[column] += scale * weights[column]
        if end > begin:
            factor = np.float32(1.0 / np.sqrt(np.float32(end - begin)))
            for column in range(width):
                out[bag, first + column] = total[column] * factor

"""Fingerprints of chat lines: one key for equal texts, one signature for texts that nearly agree.

Source: MinHash over shingles, A. Broder, "On the resemblance and containment of documents" (1997); banding
as in Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4 (http://www.mmds.org).
"""

import hashlib
import struct
from operator import eq
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

HASHES: Final = 16
"""Minima per signature; a pair with Jaccard j agrees in about 16 j of them."""
BANDS: Final = 8
"""Bands of two minima: a pair at j = 0.5 meets in a band with probability 0.90, at j = 0.7 with 0.996."""
AGREE: Final = 8
"""Minima that must agree before two texts count as near-identical (Jaccard of about one half)."""
MIN_SHINGLES: Final = 8
"""Shorter texts have too few shingles for a stable estimate and match only when they are equal."""
MAX_CODE_POINTS: Final = 500
"""Longer texts are cut; Twitch's own limit."""

_rng = np.random.default_rng(20_240_501)
_MULTIPLY: Final = (_rng.integers(1, 2**32, HASHES, dtype=np.uint64) | 1).astype(np.uint32)
_ADD: Final = _rng.integers(0, 2**32, HASHES, dtype=np.uint64).astype(np.uint32)
_SPACE: Final = 32
SIGNATURE_BYTES: Final = 4 * HASHES
_unpack: Final = struct.Struct(f"<{HASHES}I").unpack
_unpack_bands: Final = struct.Struct(f"<{BANDS}Q").unpack


def stable_hash(text: str) -> int:
    """64 bits that are the same in every process and on every machine (unlike `hash`)."""
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )


def signature(text: str) -> bytes:
    """MinHash signature of a normalised text: HASHES little-endian 32-bit minima, or b"" for a short text.

    Shingles are three code points within a word, so neither word order nor repetition matters.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return signatures(codes, np.array([len(text)]))[0]


def signatures(codes: npt.NDArray[np.uint32], ends: npt.NDArray[np.int64]) -> list[bytes]:
    """`signature` of many texts: their code points in a row, and where each one ends."""
    minima, signed = _minima(codes, ends, _MULTIPLY, _ADD)
    raw = minima.astype("<u4", copy=False).tobytes()
    return [
        raw[row * SIGNATURE_BYTES : (row + 1) * SIGNATURE_BYTES] if enough else b""
        for row, enough in enumerate(signed.tolist())
    ]


def bands(signed: bytes) -> tuple[int, ...]:
    """The keys under which a signature is filed; two near-identical texts share at least one, most likely."""
    return _unpack_bands(signed)


def agreement(one: bytes, other: bytes) -> int:
    """How many of the HASHES minima agree."""
    return sum(map(eq, _unpack(one), _unpack(other)))


@numba.njit(cache=True)
def _minima(codes, ends, multiply, add):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Compiled body of `signatures`: minima (texts, HASHES), and which texts have enough shingles."""
    texts = ends.shape[0]
    minima = np.full((texts, HASHES), np.uint32(0xFFFFFFFF), dtype=np.uint32)
    signed = np.zeros(texts, dtype=np.bool_)
    distinct = np.empty(MIN_SHINGLES, dtype=np.uint32)
    start = 0
    for text in range(texts):
        end = min(ends[text], start + MAX_CODE_POINTS)
        count = 0
        for i in range(start, end):
            middle = codes[i]
            if middle == _SPACE:
                continue
            first = codes[i - 1] if i > start else np.uint32(_SPACE)
            last = codes[i + 1] if i + 1 < end else np.uint32(_SPACE)
            mixed = (
                np.uint32(first * np.uint32(0x9E3779B1))
                ^ np.uint32(middle * np.uint32(0x85EBCA77))
                ^ np.uint32(last * np.uint32(0xC2B2AE3D))
            )
            mixed = np.uint32(mixed ^ (mixed >> np.uint32(13)))
            if count < MIN_SHINGLES:
                known = False
                for j in range(count):
                    known |= distinct[j] == mixed
                if not known:
                    distinct[count] = mixed
                    count += 1
            for j in range(HASHES):
                hashed = np.uint32(mixed * multiply[j] + add[j])
                hashed = np.uint32(hashed ^ (hashed >> np.uint32(15)))
                minima[text, j] = min(minima[text, j], hashed)
        signed[text] = count == MIN_SHINGLES
        start = ends[text]
    return minima, signed

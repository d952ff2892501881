"""Which lines belong to a sample: decided by their ids, so that a repeated line is in it again."""

import hashlib


def sampled(message_id: str, share: float) -> bool:
    """Whether a line belongs to the sample that holds this share (0 to 1) of all lines.

    A smaller sample is part of a larger one.
    """
    place = int.from_bytes(
        hashlib.blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    )
    return place < share * 2**48

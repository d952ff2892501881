"""Which process listens to which channel: rendezvous hashing, pure.

Every process computes the same owner of a channel from the same list of living processes. One that joins or
leaves moves only the channels that it gains or had. Source: D. Thaler, C. Ravishankar, "Using Name-Based
Mappings to Increase Hit Rates", IEEE/ACM Transactions on Networking 6 (1998).
"""

import hashlib
from collections.abc import Iterable


def owner_of(channel: str, listeners: Iterable[str]) -> str | None:
    """The listener that the channel belongs to; None where there is none.

    Args:
        channel: names the channel, workspace included.
        listeners: names of the living processes, in any order.
    """
    return max(listeners, key=lambda listener: (_weight(listener, channel), listener), default=None)


def _weight(listener: str, channel: str) -> bytes:
    return hashlib.blake2b(f"{listener}\0{channel}".encode(), digest_size=8).digest()

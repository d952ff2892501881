"""Who has spoken here before: a small growing sketch instead of a set of names."""

import msgspec

FIRST_BITS = 4_096
GROWTH = 4
LAST_BITS = 262_144
GENERATIONS_KEPT = 3
BITS_PER_AUTHOR = 10


class SeenAuthors(msgspec.Struct, array_like=True):
    """Set of 64-bit author hashes as a scalable Bloom filter: at most 3 × 32 KiB, never a false "new".

    About 1 % of newcomers pass as known per full generation. When the last generation is full, the oldest
    one is forgotten (some 26,000 authors each). Source: Almeida et al., "Scalable Bloom Filters" (2007).
    """

    generations: list[bytearray] = msgspec.field(default_factory=lambda: [bytearray(FIRST_BITS // 8)])
    newest: int = 0
    """Authors in the newest generation."""
    total: int = 0
    """Distinct authors ever added (approximate, too low by the false positives)."""

    def add(self, author: int) -> bool:
        """Remember an author; True where it was not known."""
        if self.holds(author):
            return False
        current = self.generations[-1]
        if self.newest * BITS_PER_AUTHOR >= len(current) * 8:
            current = bytearray(min(len(current) * GROWTH, LAST_BITS // 8))
            self.generations.append(current)
            del self.generations[:-GENERATIONS_KEPT]
            self.newest = 0
        mask = len(current) * 8 - 1
        for probe in _probes(author):
            bit = probe & mask
            current[bit >> 3] |= 1 << (bit & 7)
        self.newest += 1
        self.total += 1
        return True

    def holds(self, author: int) -> bool:
        """Whether the author was added before (rarely True by chance, never False by chance)."""
        probes = _probes(author)
        for generation in self.generations:
            mask = len(generation) * 8 - 1
            for probe in probes:
                bit = probe & mask
                if not generation[bit >> 3] & (1 << (bit & 7)):
                    break
            else:
                return True
        return False


def _probes(author: int) -> tuple[int, int, int, int]:
    """Four places: the low 32 bits of the hash turned by multiples of 16 bits."""
    doubled = author | author << 64
    return (
        author & 0xFFFFFFFF,
        doubled >> 16 & 0xFFFFFFFF,
        doubled >> 32 & 0xFFFFFFFF,
        doubled >> 48 & 0xFFFFFFFF,
    )

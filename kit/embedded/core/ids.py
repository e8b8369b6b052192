"""Names, uids, numbers: all chance of the machine, from one seed and a counter.

Each draw hashes (seed, counter), so the whole state is one integer that the journal keeps.
"""

from __future__ import annotations

from hashlib import blake2b

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # Models apimachinery/pkg/util/rand: no vowels, no look-alikes


class Ids:
    """Draw reproducible values; the same seed and the same order of calls give the same values for ever."""

    def __init__(self, seed: int, drawn: int = 0) -> None:
        self.seed = seed
        self.drawn = drawn

    def draw(self, size: int = 8) -> bytes:
        """Return `size` (≤ 64) fresh bytes."""
        self.drawn += 1
        return blake2b(
            self.drawn.to_bytes(8, "big"), digest_size=size, key=self.seed.to_bytes(8, "big", signed=True)
        ).digest()

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound)."""
        return int.from_bytes(self.draw(), "big") % bound

    def suffix(self, length: int = 5) -> str:
        """Return the random end of a generated name."""
        return "".join(ALPHABET[byte % len(ALPHABET)] for byte in self.draw(length))

    def uid(self) -> str:
        """Return a version 4 UUID."""
        raw = bytearray(self.draw(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        text = raw.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hexes(self, digits: int = 64) -> str:
        """Return hexadecimal digits, as of a container id."""
        return self.draw((digits + 1) // 2).hex()[:digits]

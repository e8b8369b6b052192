"""Numbers that are handed out once: cluster IPs and node ports.

Models pkg/registry/core/service/ipallocator and portallocator: random choices come from the upper band, so that the lower
one stays free for addresses that people choose.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.embedded.core.ids import Ids


class Taken(Exception):
    """Somebody has it already."""


class Outside(Exception):
    """It is not in the range."""


class Numbers:
    """A range of numbers [first, last] whose first `band` numbers are handed out only when the others are used up."""

    def __init__(self, first: int, last: int, band: int) -> None:
        self.first = first
        self.last = last
        self.band = band
        self._used: set[int] = set()

    def take(self, number: int) -> None:
        """Take one number; Taken or Outside."""
        if not self.first <= number <= self.last:
            raise Outside
        if number in self._used:
            raise Taken
        self._used.add(number)

    def next(self, below: Callable[[int], int]) -> int | None:
        """Take a free number, by chance, of the upper band first; None when all are used."""
        upper = self.first + self.band
        for low, high in ((upper, self.last), (self.first, upper - 1)):
            size = high - low + 1
            if size <= 0:
                continue
            start = below(size)
            for step in range(size):
                number = low + (start + step) % size
                if number not in self._used:
                    self._used.add(number)
                    return number
        return None

    def free(self, number: int) -> None:
        """Give a number back."""
        self._used.discard(number)

    @property
    def used(self) -> int:
        """Return how many are taken."""
        return len(self._used)

    def has(self, number: int) -> bool:
        """Return whether a number is taken."""
        return number in self._used


def band(size: int, least: int, most: int, step: int) -> int:
    """Return how many numbers are kept for people: size/step, at least `least` and at most `most`; 0 for a small range."""
    return 0 if size < least else max(least, min(most, size // step))


class Addresses:
    """The Service range: 10.96.0.0/16, without its first and last address."""

    RANGE = "10.96.0.0/16"
    SIZE = 65_534

    def __init__(self) -> None:
        base = number_of("10.96.0.0")
        self._numbers = Numbers(base + 1, base + self.SIZE, band(65_536, 16, 256, 16))

    @property
    def used(self) -> int:
        """Return how many addresses are taken."""
        return self._numbers.used

    def take(self, address: str) -> None:
        """Take one address; Taken or Outside."""
        self._numbers.take(number_of(address))

    def next(self, ids: Ids) -> str | None:
        """Take a free address."""
        number = self._numbers.next(ids.below)
        return None if number is None else address_of(number)

    def free(self, address: str) -> None:
        """Give an address back."""
        self._numbers.free(number_of(address))


class Ports:
    """Node ports: 30000-32767; one number serves several protocols, each once."""

    RANGE = "30000-32767"

    def __init__(self) -> None:
        self._numbers = Numbers(30_000, 32_767, band(2_768, 16, 128, 32))

    def take(self, port: int) -> None:
        """Take one port; Taken or Outside."""
        self._numbers.take(port)

    def next(self, ids: Ids) -> int | None:
        """Take a free port."""
        return self._numbers.next(ids.below)

    def free(self, port: int) -> None:
        """Give a port back."""
        self._numbers.free(port)


def number_of(address: str) -> int:
    """Return an IPv4 address as a number; Outside when it is none."""
    parts = address.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise Outside
    return int.from_bytes(bytes(int(part) for part in parts), "big")


def address_of(number: int) -> str:
    """Return a number as an IPv4 address."""
    return ".".join(str(part) for part in number.to_bytes(4, "big"))

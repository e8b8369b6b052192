"""Faults: what of the cluster is broken on purpose, until it is mended. They outlive the process as journal rows.

A new fault is one class with `name`, `refusal`, `begin` and `end`, and its line where the cluster is put together.
"""

from __future__ import annotations

from typing import Protocol

from kit.embedded.core.store import Row, Store

TABLE = "faults"


class Fault(Protocol):
    """A way in which a part of the cluster can break. `target` names the part."""

    name: str

    def refusal(self, target: str) -> str:
        """Return why that part can't break so, "" when it can."""
        ...

    def begin(self, target: str) -> None:
        """Break it."""
        ...

    def end(self, target: str) -> None:
        """Mend it."""
        ...


class UnknownFault(Exception):
    """Nothing breaks like that: says what is known, or why this part can't."""


class Faults:
    """The faults that there are, and those that last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kinds: dict[str, Fault] = {}
        self._lasting: set[tuple[str, str]] = set()

    def add(self, kind: Fault) -> None:
        """Know one more way to break."""
        self._kinds[kind.name] = kind

    @property
    def names(self) -> list[str]:
        """Return the kinds of faults there are."""
        return sorted(self._kinds)

    @property
    def lasting(self) -> list[tuple[str, str]]:
        """Return (kind, target) of what is broken."""
        return sorted(self._lasting)

    def begin(self, name: str, target: str) -> bool:
        """Break a part; say whether it was whole before. UnknownFault."""
        fault = self._kinds.get(name)
        if fault is None:
            raise UnknownFault(f'there is no fault "{name}": the faults are {", ".join(self.names)}')
        if why := fault.refusal(target):
            raise UnknownFault(why)
        if (name, target) in self._lasting:
            return False
        self._lasting.add((name, target))
        self._store.note(Row(TABLE, f"{name}/{target}", b"{}"))
        fault.begin(target)
        return True

    def end(self, name: str, target: str) -> bool:
        """Mend a part; say whether it was broken."""
        if (name, target) not in self._lasting:
            return False
        self._lasting.discard((name, target))
        self._store.note(Row(TABLE, f"{name}/{target}", None))
        self._kinds[name].end(target)
        return True

    def end_all(self) -> None:
        """Mend everything."""
        for name, target in self.lasting:
            self.end(name, target)

    def restore(self, key: str) -> None:
        """Break again what the journal says is broken."""
        name, _, target = key.partition("/")
        if name in self._kinds and not self._kinds[name].refusal(target):
            self.begin(name, target)

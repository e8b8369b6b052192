"""Work that waits for an answer from outside the machine or from a program in it, and is then done again with that answer in hand.

Nothing is written before admission is over, so a request that must ask a webhook raises `Waiting`, leaves no trace but its `Memo`, and is
done anew when the answers are there: the memo gives it the same answers and the same chance as before. What changed meanwhile is seen, and
asked about again, as the API server does when an update meets a newer object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kit.embedded.core.ids import Ids
from kit.embedded.core.turns import Called, Invoke, Output


class Inside(NamedTuple):
    """Where a Service of the cluster is called, and the name that its certificate must be for."""

    address: str
    port: int
    name: str


class Question(NamedTuple):
    """One POST, to a URL outside unless it has a way `inside`: `authority` is the PEM it is trusted by (b"": what the host trusts)."""

    key: str
    url: str
    body: bytes
    authority: bytes
    timeout_ms: int
    uid: str
    inside: Inside | None = None


Take = Callable[[Called], None]


@dataclass(slots=True)
class Memo:
    """What one piece of work was answered and drew so far."""

    replies: dict[str, tuple[Question, Called]] = field(default_factory=dict)
    drawn: list[bytes] = field(default_factory=list)


class Waiting(Exception):
    """The work needs answers to these questions first."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__("waiting for an answer from outside")
        self.questions = questions


class Parked(NamedTuple):
    """An effect that waits; `then` is called with its answer when there is one."""

    then: Callable[[Callable[[object], None]], None]


class Redrawn(Ids):
    """Chance that repeats what was drawn before, and goes on from there."""

    def __init__(self, base: Ids, drawn: list[bytes]) -> None:
        super().__init__(base.seed, base.drawn)
        self._base, self._kept, self._place = base, drawn, 0

    def draw(self, size: int = 8) -> bytes:
        """Return what was drawn here the last time; fresh bytes where that does not fit, and after it."""
        if self._place < len(self._kept) and len(self._kept[self._place]) == size:
            self._place += 1
            return self._kept[self._place - 1]
        del self._kept[self._place :]
        self._kept.append(self._base.draw(size))
        self._place += 1
        return self._kept[-1]


class Calls:
    """The calls that are under way; `within` makes those to Services of the cluster."""

    def __init__(self, out: Callable[[Output], None], within: Callable[[Question, Take], None]) -> None:
        self._out = out
        self._within = within
        self._number = 0
        self._open: dict[int, Take] = {}

    def ask(self, questions: Sequence[Question], memo: Memo, then: Callable[[], object]) -> None:
        """Put questions; call `then` when all are answered, with the answers in the memo."""
        left = {question.key for question in questions}

        def take(question: Question, reply: Called) -> None:
            memo.replies[question.key] = (question, reply)
            left.discard(question.key)
            if not left:
                then()

        for question in questions:
            taken: Take = lambda reply, question=question: take(question, reply)  # type: ignore[misc]  # noqa: E731
            if question.inside is not None:
                self._within(question, taken)
                continue
            self._number += 1
            self._open[self._number] = taken
            self._out(Invoke(self._number, question.url, question.body, question.authority, question.timeout_ms))

    def answered(self, reply: Called) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        take = self._open.pop(reply.id, None)
        if take is not None:
            take(reply)

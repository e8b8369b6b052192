"""An exercise in loose lines: `lab.quiz("X0.2")` shows a Parsons board, `lab.quiz("X0.2", answer=…)` does it without a mouse.

The board holds no answer to compare with: what was put together is applied, and the exercise's check looks at what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.client.apply import apply_one, documents
from kit.course.i18n import say
from kit.course.session import Session
from kit.errors import BadInput, KitError, Status
from kit.notebook.forms import bundle

_TOPIC = "boards"


class Board:
    """A manifest in loose lines, in a cell."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._puzzle = session.lesson.puzzles[name]
        self._said = ""

    @classmethod
    def opened(cls, session: Session, name: str, answers: Mapping[str, str]) -> Board:
        """Return the board of an exercise; an `answer` is put on it and applied."""
        if unknown := answers.keys() - {"answer"}:
            raise BadInput(f"{name} has no item {', '.join(sorted(unknown))}", "a board takes its manifest as answer=…")
        board = cls(session, name)
        if "answer" in answers:
            board.send(answers["answer"])
        return board

    @property
    def text(self) -> str:
        """Return the manifest that was applied last, empty when none was."""
        return str(self._session.progress.get(self._session.lesson.number, _TOPIC, self._puzzle.id) or "")

    def send(self, text: str) -> str:
        """Apply a manifest and return what the cluster says to it, in the lines that a terminal would show."""
        self._session.progress.put(self._session.lesson.number, _TOPIC, self._puzzle.id, text.strip("\n") or None)
        self._said = applied(self._session, text)
        return self._said

    def __repr__(self) -> str:
        key = "board.sent" if self.text else "board.todo"
        lang = self._session.lang
        head = say(key, lang, id=self._puzzle.id, question=self._puzzle.text.of(lang))
        lines = self.text.splitlines() if self.text else self._puzzle.pieces
        return "\n".join([head, *(f"    {line}" for line in lines), *self._said.splitlines()])

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return bundle(repr(self), self._widget)

    def _widget(self) -> Any:
        from kit.widgets import ParsonsBoard

        return ParsonsBoard(
            self._puzzle.pieces, self.send, lang=self._session.lang, arranged=tuple(self.text.splitlines())
        )


def applied(session: Session, text: str) -> str:
    """Apply every document of `text` until one is refused; return a line for each, or what is wrong."""
    lines: list[str] = []
    try:
        found = documents(text)
        lines += [str(apply_one(session.objects, document.body)) for document in found]
    except KitError as error:
        lines += [line for line in (error.what, error.next) if line]
    except Status as error:
        lines.append(error.message)
    return "\n".join(lines) or say("board.empty", session.lang)

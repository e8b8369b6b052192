"""The Parsons board: the lines of a manifest to be put in order and indented, with a few that do not belong.

Composed of `ipywidgets`, so that it works by keyboard and with a screen reader as it is: a line is a button that moves it over.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

WORDS = {
    "en": ("Lines to choose from", "Your manifest", "◀ outdent", "indent ▶", "▲", "▼", "put back", "Apply"),
    "zh": ("可选的行", "你的清单", "◀ 减少缩进", "增加缩进 ▶", "▲", "▼", "放回", "应用"),
}
STEP = "  "


class ParsonsBoard(ipywidgets.VBox):  # type: ignore[misc]
    """`pieces` are lines without indentation, in the order shown; `apply(text) -> str` gets the manifest and returns what to say."""

    def __init__(
        self, pieces: Sequence[str], apply: Callable[[str], str], *, lang: str = "en", arranged: Sequence[str] = ()
    ) -> None:
        left, right, outdent, indent, up, down, back, send = WORDS[lang]
        self._apply = apply
        self._said = ""
        size = ipywidgets.Layout(width="26em", height="15em")
        self._pool = ipywidgets.Select(options=_without(pieces, arranged), description="", layout=size, value=None)
        self._board = ipywidgets.Select(options=[], layout=size, value=None)
        self._lines = list(arranged)
        self._pool.observe(self._take, "value")
        self._answer = ipywidgets.HTML()
        moves = (
            (outdent, self._outdent),
            (indent, self._indent),
            (up, self._up),
            (down, self._down),
            (back, self._return),
        )
        buttons = [_button(label, move) for label, move in moves]
        titled = [ipywidgets.VBox([ipywidgets.Label(t), box]) for t, box in ((left, self._pool), (right, self._board))]
        super().__init__([ipywidgets.HBox(titled), ipywidgets.HBox([*buttons, _button(send, self.send)]), self._answer])
        self._redraw(None)

    @property
    def text(self) -> str:
        """The manifest as it stands."""
        return "\n".join(self._lines) + ("\n" if self._lines else "")

    def send(self) -> str:
        """Apply the manifest and show what the cluster said."""
        self._said = self._apply(self.text)
        self._answer.value = f"<pre>{html.escape(self._said)}</pre>"
        return self._said

    def arrange(self, lines: Sequence[str]) -> None:
        """Set the board's lines at once, indentation included: what the mouse does, for a script."""
        offered = [*self._pool.options, *(line.strip() for line in self._lines)]
        self._lines = list(lines)
        self._pool.options = _without(offered, lines)
        self._redraw(None)

    def _take(self, change: Any) -> None:
        if change["new"] is None:
            return
        index = self._pool.index
        line = self._pool.options[index]
        self._pool.unobserve(self._take, "value")
        self._pool.options = [o for n, o in enumerate(self._pool.options) if n != index]
        self._pool.value = None
        self._pool.observe(self._take, "value")
        previous = self._lines[-1] if self._lines else ""
        self._lines.append(previous[: len(previous) - len(previous.lstrip())] + line)
        self._redraw(len(self._lines) - 1)

    def _return(self) -> None:
        index = self._board.index
        if index is not None:
            line = self._lines.pop(index)
            self._pool.unobserve(self._take, "value")
            self._pool.options = [*self._pool.options, line.strip()]
            self._pool.value = None
            self._pool.observe(self._take, "value")
            self._redraw(None)

    def _indent(self) -> None:
        self._change(lambda line: STEP + line)

    def _outdent(self) -> None:
        self._change(lambda line: line.removeprefix(STEP))

    def _change(self, how: Callable[[str], str]) -> None:
        index = self._board.index
        if index is not None:
            self._lines[index] = how(self._lines[index])
            self._redraw(index)

    def _up(self) -> None:
        self._move(-1)

    def _down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        index = self._board.index
        if index is not None and 0 <= index + by < len(self._lines):
            self._lines.insert(index + by, self._lines.pop(index))
            self._redraw(index + by)

    def _redraw(self, chosen: int | None) -> None:
        # No-break spaces keep the indentation visible in the browser's list; equal lines stay apart by their number.
        self._board.options = [(f"{n + 1:2} {line.replace(' ', chr(0xA0))}", n) for n, line in enumerate(self._lines)]
        self._board.value = chosen

    def __repr__(self) -> str:
        body = self.text or "(empty)\n"
        return (
            f"ParsonsBoard\n{body}--\n" + "\n".join(self._pool.options) + (f"\n--\n{self._said}" if self._said else "")
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**(data or {}), "text/plain": repr(self), "text/html": f"<pre>{html.escape(repr(self))}</pre>"}
        return (data, *rest) if rest else data


def _button(label: str, act: Callable[[], Any]) -> Any:
    button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
    button.on_click(lambda _: act())
    return button


def _without(pieces: Sequence[str], used: Sequence[str]) -> list[str]:
    left = list(pieces)
    for line in used:
        if line.strip() in left:
            left.remove(line.strip())
    return left

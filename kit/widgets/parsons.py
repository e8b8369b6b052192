"""The Parsons board: the lines of a manifest to be put in order and indented, with a few that do not belong.

Composed of `ipywidgets`, so that it works by keyboard and with a screen reader: choose a line with the arrows, press a button.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import ipywidgets

WORDS = {
    "en": ("Lines to choose from", "Your manifest", "take ▶", "◀ outdent", "indent ▶", "▲", "▼", "put back", "Apply"),
    "zh": ("可选的行", "你的清单", "取用 ▶", "◀ 减少缩进", "增加缩进 ▶", "▲", "▼", "放回", "应用"),
}
STEP = "  "


class _Keys(anywidget.AnyWidget):
    """Keeps keys pressed in the board from JupyterLab, to which an arrow means the next cell and `d d` its deletion.

    Before a button's click, it sends which lines are chosen: ipywidgets holds the state of a list back while the kernel is busy,
    but never a click, which would then act on the line chosen before.
    """

    _esm = """
    export default { render({ model, el }) {
      const stop = (e) => { if (e.target.closest("select, button") && !["Escape", "Tab"].includes(e.key)) e.stopPropagation(); };
      const tell = (board) => model.send([...board.querySelectorAll("select")].map((list) => list.selectedIndex));
      const settle = (left) => {
        const board = el.closest(".kit-board");
        if (board) {
          board.addEventListener("keydown", stop);
          board.addEventListener("click", (e) => { if (e.target.closest("button")) tell(board); }, true);
        } else if (left) requestAnimationFrame(() => settle(left - 1));
      };
      settle(300);
    } };
    """


class _Lines(ipywidgets.Select):  # type: ignore[misc]
    """A list of lines; a choice that a busy kernel hears of too late, when the line has gone, is forgotten."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        self.choose(sync_data.pop("index", self.index))
        super().set_state(sync_data)

    def choose(self, index: int | None) -> None:
        """Choose a line by its place; none when there is no such line."""
        self.index = index if index is not None and 0 <= index < len(self.options) else None


class ParsonsBoard(ipywidgets.VBox):  # type: ignore[misc]
    """`pieces` are lines without indentation, in the order shown; `apply(text) -> str` gets the manifest and returns what to say."""

    def __init__(
        self, pieces: Sequence[str], apply: Callable[[str], str], *, lang: str = "en", arranged: Sequence[str] = ()
    ) -> None:
        left, right, take, outdent, indent, up, down, back, send = WORDS[lang]
        self._apply = apply
        self._said = ""
        self._pool = _choice(left, _without(pieces, arranged))
        self._board = _choice(right, [])
        self._lines = list(arranged)
        self._answer = ipywidgets.HTML()
        moves = (
            (take, self._take),
            (outdent, self._outdent),
            (indent, self._indent),
            (up, self._up),
            (down, self._down),
            (back, self._return),
        )
        buttons = [_button(label, move) for label, move in moves]
        keys = _Keys()
        keys.on_msg(self._choose)
        super().__init__(
            [
                ipywidgets.HBox([self._pool, self._board]),
                ipywidgets.HBox([*buttons, _button(send, self.send)]),
                self._answer,
                keys,
            ]
        )
        self.add_class("kit-board")
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
        self._pool.value = None
        self._redraw(None)

    def _choose(self, _: Any, places: Sequence[int], __: Any) -> None:
        for choice, place in zip((self._pool, self._board), places, strict=True):
            choice.choose(place)

    def _take(self) -> None:
        index = self._pool.index
        if index is None:
            return
        line = self._pool.options[index]
        self._pool.options = [o for n, o in enumerate(self._pool.options) if n != index]
        self._pool.value = None
        previous = self._lines[-1] if self._lines else ""
        self._lines.append(previous[: len(previous) - len(previous.lstrip())] + line)
        self._redraw(len(self._lines) - 1)

    def _return(self) -> None:
        index = self._board.index
        if index is not None:
            line = self._lines.pop(index)
            self._pool.options = [*self._pool.options, line.strip()]
            self._pool.value = None
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


def _choice(title: str, options: Sequence[str]) -> Any:
    """A list below its title; the title is its description, so that a screen reader says it too."""
    layout = ipywidgets.Layout(width="26em", height="16em", flex_flow="column", align_items="stretch")
    return _Lines(options=options, value=None, description=title, layout=layout, style={"description_width": "initial"})


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

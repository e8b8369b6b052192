"""A scene: boxes at places, lines between them. What a widget sends to the browser and what the static picture is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# How a thing is: the word a person reads and the class that colours it; colour is never the only sign (see `MARKS`).
STATES = ("good", "wait", "bad", "gone", "plain")
MARKS = {"good": "●", "wait": "◌", "bad": "✕", "gone": "○", "plain": "■"}


@dataclass(frozen=True)
class Box:
    """One thing: `id` stays the same while it lives, `note` is what stands under its name, `meter` fills 0..1 of its width."""

    id: str
    kind: str
    name: str
    state: str = "plain"
    note: str = ""
    x: float = 0
    y: float = 0
    w: float = 172
    h: float = 40
    meter: float | None = None

    def at(self, x: float, y: float) -> Box:
        """Return the box at another place."""
        return Box(self.id, self.kind, self.name, self.state, self.note, x, y, self.w, self.h, self.meter)


@dataclass(frozen=True)
class Line:
    """A relation from box to box; `kind` is owns, selects, routes, mounts."""

    source: str
    target: str
    kind: str = "owns"


@dataclass(frozen=True)
class Scene:
    """Boxes and lines on a canvas of `w` × `h` px; `title` is what a screen reader hears first."""

    title: str
    boxes: Sequence[Box] = field(default_factory=tuple)
    lines: Sequence[Line] = field(default_factory=tuple)
    w: float = 0
    h: float = 0

    def data(self) -> dict[str, Any]:
        """Return the scene as plain data for the browser."""
        plain = {"boxes": [dict(vars(box)) for box in self.boxes], "lines": [dict(vars(line)) for line in self.lines]}
        return {"title": self.title, **plain, "w": self.w, "h": self.h}

    def box(self, id: str) -> Box | None:
        """Return a box by id."""
        return next((box for box in self.boxes if box.id == id), None)


def text(scene: Scene) -> str:
    """Return the picture in words: one line a box, its relations behind it. Stable and sorted as drawn."""
    names = {box.id: f"{box.kind} {box.name}" for box in scene.boxes}
    out = [scene.title]
    for box in scene.boxes:
        note = f" ({box.note})" if box.note else ""
        ends = [
            f"{line.kind} {names[line.target]}"
            for line in scene.lines
            if line.source == box.id and line.target in names
        ]
        out.append(f"  {MARKS[box.state]} {box.kind} {box.name}{note}" + (f" → {', '.join(ends)}" if ends else ""))
    return "\n".join(out)

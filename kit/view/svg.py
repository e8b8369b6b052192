"""A scene as one SVG text: the static picture of every widget, readable in light and dark, with a title and a description."""

from __future__ import annotations

from html import escape

from kit.view.scene import MARKS, Box, Line, Scene, text

INK = {"good": "#1b7f3b", "wait": "#9a6700", "bad": "#c2272d", "gone": "#6e7781", "plain": "#3b5bdb"}
# Opaque, so that a line that passes behind a box does not cross its words.
TINT = {"good": "#eff6f1", "wait": "#f8f4ed", "bad": "#fbf0f0", "gone": "#f5f6f6", "plain": "#f1f3fc"}
LINES = {"owns": "", "selects": "6 4", "routes": "2 3", "mounts": "1 4"}


def draw(scene: Scene) -> str:
    """Return the SVG; the same scene gives the same bytes."""
    body = "".join([*(_line(line, scene) for line in scene.lines), *(_box(box) for box in scene.boxes)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {scene.w:g} {scene.h:g}" '
        f'width="{scene.w:g}" height="{scene.h:g}" font-family="system-ui, sans-serif">'
        f"<title>{escape(scene.title)}</title><desc>{escape(text(scene))}</desc>"
        f'<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>'
    )


def _line(line: Line, scene: Scene) -> str:
    source, target = scene.box(line.source), scene.box(line.target)
    if source is None or target is None:
        return ""
    dash = f' stroke-dasharray="{LINES[line.kind]}"' if LINES.get(line.kind) else ""
    return f'<path d="{curve(source, target)}" fill="none" stroke="#8c959f" stroke-width="1.5"{dash}/>'


def curve(source: Box, target: Box) -> str:
    """Return the path from the right edge of one box to the left edge of another."""
    x1, y1, x2, y2 = source.x + source.w, source.y + source.h / 2, target.x, target.y + target.h / 2
    bend = max(24.0, (x2 - x1) / 2)
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def _box(box: Box) -> str:
    ink = INK[box.state]
    dash = ' stroke-dasharray="5 3"' if box.state in ("gone", "wait") else ""
    meter = ""
    if box.meter is not None:
        meter = f'<rect x="8" y="40" width="{box.w - 16:g}" height="5" fill="#d0d7de"/>'
        meter += f'<rect x="8" y="40" width="{(box.w - 16) * box.meter:.1f}" height="5" fill="{ink}"/>'
    return (
        f'<g transform="translate({box.x:g} {box.y:g})"><rect width="{box.w:g}" height="{box.h:g}" rx="6" fill="{TINT[box.state]}" '
        f'stroke="{ink}" stroke-width="1.5"{dash}/><text x="8" y="16" font-size="12" fill="#1f2328">'
        f'<tspan fill="{ink}">{MARKS[box.state]}</tspan> {escape(clip(box.name, box.w))}</text>'
        f'<text x="8" y="31" font-size="10" fill="#57606a">{escape(clip(_under(box), box.w, 5.2))}</text>'
        f"{meter}</g>"
    )


def _under(box: Box) -> str:
    return f"{box.kind} {box.note}".strip() if box.kind not in ("Pod", "Node", "Frame") else box.note


def clip(name: str, width: float, each: float = 7.2) -> str:
    """Shorten a name in its middle so that it fits `width` px: both ends of a Pod's name say something."""
    room = max(6, int((width - 24) / each))
    return name if len(name) <= room else f"{name[: room - 6]}…{name[-5:]}"

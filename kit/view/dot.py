"""A scene as Graphviz DOT text: the same boxes and lines, placed by Graphviz."""

from __future__ import annotations

import json

from kit.view.scene import Scene
from kit.view.svg import INK

STYLES = {"owns": "solid", "selects": "dashed", "routes": "dotted", "mounts": "dotted"}


def source(scene: Scene) -> str:
    """Return the DOT text; the same scene gives the same text."""
    out = [
        "digraph cluster {",
        "  rankdir=LR",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11]',
        '  edge [color="#8c959f"]',
    ]
    for box in scene.boxes:
        label = f"{box.kind}\n{box.name}" + (f"\n{box.note}" if box.note else "")
        out.append(f'  {_quoted(box.id)} [label={_quoted(label)}, color="{INK[box.state]}"]')
    out += [
        f"  {_quoted(line.source)} -> {_quoted(line.target)} [style={STYLES[line.kind]}, tooltip={line.kind}]"
        for line in scene.lines
    ]
    return "\n".join([*out, "}"]) + "\n"


def _quoted(text: str) -> str:
    """Quote as DOT does: it knows the escapes of `"`, the backslash and the line end, but not `\\u....`."""
    return json.dumps(text, ensure_ascii=False)

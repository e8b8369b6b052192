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
        out.append(f'  {json.dumps(box.id)} [label={json.dumps(label)}, color="{INK[box.state]}"]')
    out += [
        f"  {json.dumps(line.source)} -> {json.dumps(line.target)} [style={STYLES[line.kind]}, tooltip={line.kind}]"
        for line in scene.lines
    ]
    return "\n".join([*out, "}"]) + "\n"

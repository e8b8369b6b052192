"""Where the boxes go: a column for each kind, the order within one by the neighbours to the left, so that few lines cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from kit.view.scene import Box, Line, Scene

MARGIN = 16
GAP_X = 44
GAP_Y = 12


def columns(title: str, boxes: Sequence[Box], lines: Sequence[Line], order: Mapping[str, int]) -> Scene:
    """Place boxes in the columns of `order` (kind → column); empty columns take no room. The same input gives the same places."""
    used = sorted({order[box.kind] for box in boxes})
    above: dict[str, list[str]] = {}
    for line in lines:
        above.setdefault(line.target, []).append(line.source)
    placed: dict[str, Box] = {}
    x = float(MARGIN)
    bottom = 0.0
    for column in used:
        members = [box for box in boxes if order[box.kind] == column]
        members.sort(key=lambda box: (_mean(above.get(box.id, ()), placed), box.kind, box.name))
        y = float(MARGIN)
        for box in members:
            placed[box.id] = box.at(x, y)
            y += box.h + GAP_Y
        bottom = max(bottom, y)
        x += max(box.w for box in members) + GAP_X
    known = [line for line in lines if line.source in placed and line.target in placed]
    width = x - GAP_X + MARGIN if used else 2 * MARGIN
    return Scene(title, list(placed.values()), known, width, max(bottom - GAP_Y, 0) + MARGIN)


def _mean(sources: Sequence[str], placed: Mapping[str, Box]) -> float:
    ys = [placed[source].y for source in sources if source in placed]
    return fmean(ys) if ys else 1e9

"""The base of all pictures: a scene that the browser draws and moves, with the same scene as text and as a static image."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from kit.view import dot, svg
from kit.view.scene import Scene, text

HERE = Path(__file__).parent


class Picture(anywidget.AnyWidget):
    """A live picture. `scene` and `said` (what changed, for screen readers) are the only traits that travel."""

    _esm = HERE / "picture.js"
    _css = HERE / "picture.css"
    scene = traitlets.Dict().tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)

    def __init__(self, first: Scene) -> None:
        super().__init__(scene=first.data())
        self._drawn = first

    @property
    def dot(self) -> Any:
        """The same picture as a `graphviz.Digraph`; it renders where Graphviz is installed."""
        import graphviz

        graph = graphviz.Source(dot.source(self._drawn))
        digraph = graphviz.Digraph("cluster", body=[line + "\n" for line in graph.source.splitlines()[1:-1]])
        digraph._repr_image_svg_xml = lambda: svg.draw(self._drawn)  # where `dot` is missing our own drawing is shown
        return digraph

    def show(self, scene: Scene) -> None:
        """Draw another scene; both traits go in one message. To be called by one writer at a time."""
        said = changes(self._drawn, scene)
        if scene == self._drawn:
            return
        self._drawn = scene
        with self.hold_sync():
            self.scene = scene.data()
            self.said = said

    def __repr__(self) -> str:
        return text(self._drawn)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        words = text(self._drawn)
        image = base64.b64encode(svg.draw(self._drawn).encode()).decode()
        picture = f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{image}">'
        data = {**(data or {}), "text/plain": words, "text/html": picture}
        return (data, *rest) if rest else data


def changes(before: Scene, after: Scene) -> str:
    """Say in a sentence what is new, gone or otherwise; at most four things, then how many more."""
    old = {box.id: box for box in before.boxes}
    new = {box.id: box for box in after.boxes}
    said = [f"{box.kind} {box.name} added" for id, box in new.items() if id not in old]
    said += [f"{box.kind} {box.name} removed" for id, box in old.items() if id not in new]
    said += [
        f"{box.kind} {box.name} is {box.note or box.state}"
        for id, box in new.items()
        if id in old and old[id].note != box.note
    ]
    more = f"; and {len(said) - 4} more changes" if len(said) > 4 else ""
    return "; ".join(said[:4]) + more

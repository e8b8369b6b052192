"""`kit.cluster(provider=…)`: the cluster a notebook works on, created or adopted, as one small object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.checks.text import as_html
from kit.client.capabilities import Control, control
from kit.client.connect import Connection, connect
from kit.client.objects import Objects
from kit.providers.base import Handle


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `objects` are its objects as dicts, `official()` the official client's."""

    handle: Handle
    connection: Connection
    lang: str = "en"

    @property
    def name(self) -> str:
        """Return its name."""
        return self.handle.name

    @property
    def provider(self) -> str:
        """Return `embedded`, `kind` or `kubeconfig`."""
        return self.handle.provider

    @property
    def kubeconfig(self) -> Path:
        """Return the path of its kubeconfig."""
        return Path(self.handle.kubeconfig)

    @property
    def objects(self) -> Objects:
        """Return its objects, in the namespace of the kubeconfig unless a call names another."""
        return Objects(self.connection)

    @property
    def control(self) -> Control | None:
        """Return clock, trace and reset where the provider has them, else None."""
        return control(self.connection, self.handle.control)

    def official(self) -> Any:
        """Return an `ApiClient` of the official `kubernetes` package."""
        return self.connection.official()

    def __repr__(self) -> str:
        nodes = [node["metadata"]["name"] for node in self.objects.list("node")]
        return f"Cluster {self.name} ({self.provider}): {', '.join(nodes)}"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """Show the text, and below it the button that chooses the other provider."""
        from kit.notebook.forms import box, bundle
        from kit.notebook.switch import switch

        button = [made for made in [switch(self.handle, self.lang)] if made is not None]
        return bundle(repr(self), lambda: box([_line(repr(self)), *button]))


def cluster(provider: str | None = None, nodes: int | None = None, name: str | None = None) -> Cluster:
    """Create a cluster, or adopt the one of that name; progress is shown, Interrupt cleans up."""
    from kit.providers import choose

    options: dict[str, Any] = {"name": name, "provider": provider, **({"nodes": nodes} if nodes is not None else {})}
    shown = steps() if choose.provider_name(provider) == "kind" else None
    if shown:
        options["progress"] = shown
    handle = choose.connect(**options)
    if shown:
        shown(f"cluster {handle.name} ({handle.provider}) answers")
    return opened(handle)


def steps() -> Callable[[str], None] | None:
    """Return what shows the latest step in the cell's output, None outside of a notebook."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        return None
    shown: Any = display({"text/plain": "…"}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return lambda message: shown.update({"text/plain": message}, raw=True)


def opened(handle: Handle, lang: str = "en") -> Cluster:
    """Return the cluster behind a provider's handle; `lang` is that of what is shown with it."""
    return Cluster(handle, connect(handle.kubeconfig), lang)


def _line(text: str) -> Any:
    import ipywidgets

    return ipywidgets.HTML(as_html(text))

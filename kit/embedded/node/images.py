"""Images on a node: which are there, how long a pull takes, how names are read. Models pkg/kubelet/images and distribution/reference."""

from __future__ import annotations

from typing import Any, Protocol

from kit.embedded.images.image import Image

PULL_BASE_MS = 400
BYTES_PER_MS = 250_000


class Registry(Protocol):
    """Answers an image name with an `Image`, or with something that has a `message` in the runtime's words."""

    def resolve(self, reference: str) -> Any:
        """Return the Image that a name stands for, or a Missing."""
        ...

    def fetch(self, reference: str) -> Any:
        """Return what a pull over the network gives: the Image, or a Missing."""
        ...


class Images:
    """The images of one node. With `preloaded` every simulated one is there from the start."""

    def __init__(self, registry: Registry, *, preloaded: bool) -> None:
        self._registry = registry
        self._preloaded = preloaded
        self._present: set[str] = set()

    def present(self, reference: str) -> Image | None:
        """Return the image when it is on the node."""
        found = self._registry.resolve(reference)
        if isinstance(found, Image) and (self._preloaded or full_name(reference) in self._present):
            return found
        return None

    def pull(self, reference: str) -> tuple[Image | None, str, int]:
        """Return the image, or why it can't be pulled, and how long that takes in ms."""
        found = self._registry.fetch(reference)
        if isinstance(found, Image):
            self._present.add(full_name(reference))
            return found, "", PULL_BASE_MS + found.size // BYTES_PER_MS
        return None, found.message, 40


def full_name(reference: str) -> str:
    """Return the name with registry and tag, as the runtime knows it."""
    name, at, digest = reference.partition("@")
    head, slash, _ = name.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    if at:
        return f"{name}@{digest}"
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def complaint(reference: str) -> str | None:
    """Return why a name is no image name, in the kubelet's words, or None."""
    repository = reference.partition("@")[0]
    head, slash, rest = repository.partition("/")
    path = rest if slash and ("." in head or ":" in head or head == "localhost") else repository
    path = path.rsplit(":", 1)[0] if ":" in path.rsplit("/", 1)[-1] else path
    if path != path.lower():
        shown = path if "/" in path else f"library/{path}"
        return (
            f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": '
            f"invalid reference format: repository name ({shown}) must be lowercase"
        )
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789._-/")
    if not path or set(path) - allowed or not path[0].isalnum():
        return f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": invalid reference format'
    return None

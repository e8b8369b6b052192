"""Images into a kind cluster's nodes: those of labs/images.toml that the engine has, and the guestbook, which the kit builds.

Nothing is downloaded here: what the engine lacks the nodes fetch when a Pod asks for it, and `labkit status` names it.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.errors import Damaged, KitError
from kit.providers.engine import Engine
from kit.providers.kindcli import KindCli

BASE, BUILT = "python:3.13-slim", "kit"
SOURCE = "kubernetes-lab-kit.source"
CONTEXT = ("Dockerfile", "handler.py", "server.py", "__init__.py")


@dataclass(frozen=True)
class Listed:
    """An image of the course: its name with the course's tag, further tags, and who makes it."""

    name: str
    tag: str
    aliases: tuple[str, ...] = ()
    provider: str = "registry"

    @property
    def reference(self) -> str:
        """Return name:tag."""
        return f"{self.name}:{self.tag}"

    @property
    def references(self) -> list[str]:
        """Return all its names; `latest` would be pulled anew each time, so it is left out."""
        return [f"{self.name}:{tag}" for tag in (self.tag, *self.aliases) if tag != "latest"]


@dataclass(frozen=True)
class Preloaded:
    """What is in the nodes (reference -> image id), and what could not be had (reference -> why)."""

    loaded: Mapping[str, str]
    missing: Mapping[str, str]


def table() -> list[Listed]:
    """Return the images of the course, from the clone or from the wheel."""
    document = tomllib.loads(_table_file().read_text(encoding="utf-8"))
    return [
        Listed(one["name"], one["tag"], tuple(one.get("aliases") or ()), one.get("provider", "registry"))
        for one in document["image"]
    ]


def preload(
    kind: KindCli,
    engine: Engine,
    cluster: str,
    before: Mapping[str, str],
    folder: Path,
    progress: Callable[[str], None],
) -> Preloaded:
    """Load what the nodes don't have yet (`before`: what was loaded earlier); a failure is noted, never raised."""
    images = table()
    missing = _build_ours(engine, images, progress)
    here = engine.images([name for image in images for name in image.references])
    ids = {name: str(found["Id"]) for name, found in here.items()}
    for image in images:
        if image.reference not in ids:
            missing.setdefault(
                image.reference, "the engine does not have it; the nodes fetch it when a Pod asks for it"
            )
    fresh = [name for name, id in ids.items() if before.get(name) != id]
    try:
        if fresh:
            progress(f"loading {len(fresh)} images into the nodes")
            _load(kind, engine, cluster, fresh, folder)
    except KitError as error:
        return Preloaded(dict(before), {**missing, **dict.fromkeys(fresh, error.what)})
    return Preloaded(ids, missing)


def _load(kind: KindCli, engine: Engine, cluster: str, references: list[str], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="images-", dir=folder) as place:
        archive = Path(place) / "images.tar"
        engine.save(references, archive, engine.about().platform)
        kind.load(cluster, archive)


def _build_ours(engine: Engine, images: list[Listed], progress: Callable[[str], None]) -> dict[str, str]:
    """Build the images that nobody else has, where their source changed; return those that can't be built, and why."""
    ours = [image for image in images if image.provider == BUILT]
    here = engine.images([BASE, *(image.reference for image in ours)])
    if BASE not in here:
        return {image.reference: f"it is built on {BASE}, which the engine does not have" for image in ours}
    failed: dict[str, str] = {}
    with importlib.resources.as_file(importlib.resources.files("kit.apps.guestbook")) as source:
        mark = _fingerprint(source, str(here[BASE]["Id"]))
        for image in ours:
            labels = (here.get(image.reference) or {}).get("Config", {}).get("Labels") or {}
            if labels.get(SOURCE) == mark:
                continue
            progress(f"building {image.reference}")
            try:
                engine.build(source, image.reference, {"VERSION": image.tag}, {SOURCE: mark})
            except KitError as error:
                failed[image.reference] = error.what
    return failed


def _fingerprint(source: Path, base: str) -> str:
    text = hashlib.sha256(base.encode())
    for name in CONTEXT:
        if (source / name).is_file():
            text.update((source / name).read_bytes())
    return text.hexdigest()[:16]


def _table_file() -> Path:
    """Return labs/images.toml of the clone we run from, else of what the wheel carries (kit.course.catalog looks there too)."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent, package / "course_files"):
        if (folder / "labs" / "images.toml").is_file():
            return folder / "labs" / "images.toml"
    raise Damaged("the course's list of images is missing", "install kubernetes-lab-kit again")

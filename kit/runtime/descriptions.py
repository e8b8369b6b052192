"""Field descriptions for `kubectl explain`: read from the installed `kubernetes` client's model files, without importing them.

Done once for each version of the client, by a process of its own at low priority, and kept in the cache folder. Keys are
`DEFINITION.FIELD`, as `io.k8s.api.core.v1.PodSpec.containers`; a definition's own text is at `DEFINITION.`.
"""

from __future__ import annotations

import ast
import asyncio
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import kit
from kit.kube import data
from kit.runtime import state

FORMAT = 2


def cache_file(cache: Path) -> Path:
    """Return where the descriptions of the installed client are kept."""
    return cache / f"descriptions-{importlib.metadata.version('kubernetes')}-{kit.__version__}-{FORMAT}.json"


async def fill(target: dict[str, str], cache: Path) -> None:
    """Put the descriptions into `target`, making the cache first when it is missing."""
    try:
        path = cache_file(cache)
    except importlib.metadata.PackageNotFoundError:
        return
    if not path.is_file():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kit.runtime.descriptions", str(path), stdin=asyncio.subprocess.DEVNULL
        )
        await child.wait()
    target.update(state.load(path))


def make(path: Path) -> int:
    """Write the cache and return how many descriptions there are."""
    found = importlib.util.find_spec("kubernetes")
    if found is None or found.origin is None:
        return 0
    models = Path(found.origin).parent / "client" / "models"
    known = definitions()
    texts: dict[str, str] = {}
    for file in sorted(models.glob("*.py")):
        for name, field, text in described(file.read_text(encoding="utf-8")):
            for definition in known.get(name, ()):
                texts[f"{definition}.{field}"] = text
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.replace(path, texts)
    return len(texts)


def described(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield (class, field as in JSON or "" for the class itself, description) of a model file."""
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        own_text = (ast.get_docstring(node) or "").partition("Attributes:")[0]
        if own_text.strip():
            yield node.name, "", " ".join(own_text.split())
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.value, ast.Call):
                given = {
                    word.arg: word.value.value for word in line.value.keywords if isinstance(word.value, ast.Constant)
                }
                own = line.target.id if isinstance(line.target, ast.Name) else ""
                if isinstance(text := given.get("description"), str):
                    yield node.name, str(given.get("serialization_alias") or own), text


def definitions() -> dict[str, list[str]]:
    """Return the definitions by the name of the client's class: V1PodSpec, CoreV1Event, V1ObjectMeta."""
    classes: dict[str, list[str]] = {}
    for definition in _names(data.load("schema")["definitions"]):
        parts = definition.split(".")
        kind, version, group = parts[-1], parts[-2], parts[-3]
        short = version[:1].upper() + version[1:] + kind
        for name in (short, re.sub(r"\W", "", group.title()) + short):
            classes.setdefault(name, []).append(definition)
    return classes


def _names(found: Iterable[object]) -> Iterator[str]:
    for entry in found:
        yield str(entry)


if __name__ == "__main__":
    os.nice(15)
    make(Path(sys.argv[1]))

"""The learner's progress: one plain JSON file in the learner's folder, written atomically; a damaged one is kept aside."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

NAME = "progress.json"
VERSION = 1


class Progress:
    """What the learner has done, by lab: check states, predictions, answers, hints taken. Without a path it lives in memory."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.damaged: Path | None = None
        self._labs: dict[str, dict[str, dict[str, Any]]] = self._read(path) if path else {}

    def get(self, lab: str, topic: str, key: str) -> Any:
        """Return one entry (topics: checks, predictions, answers, hints), None when it is not there."""
        return self._labs.get(lab, {}).get(topic, {}).get(key)

    def all(self, lab: str, topic: str) -> dict[str, Any]:
        """Return a copy of all entries of a topic."""
        return dict(self._labs.get(lab, {}).get(topic, {}))

    def put(self, lab: str, topic: str, key: str, value: Any) -> None:
        """Set one entry and write the file; a value of None removes it."""
        entries = self._labs.setdefault(lab, {}).setdefault(topic, {})
        if entries.get(key) == value:
            return
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
        self._write()

    def _read(self, path: Path) -> dict[str, dict[str, dict[str, Any]]]:
        if not path.exists():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            labs: dict[str, dict[str, dict[str, Any]]] = found["labs"]
            if found["version"] != VERSION or not all(
                isinstance(topic, dict) for lab in labs.values() for topic in lab.values()
            ):
                raise ValueError("not a progress file of this version")
        except (ValueError, KeyError, TypeError, AttributeError):
            self.damaged = _aside(path)
            return {}
        return labs

    def _write(self) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": VERSION, "labs": self._labs}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        write_whole(self.path, text)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _aside(path: Path) -> Path:
    """Rename a damaged file to a free name beside it."""
    number = 1
    while (target := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    path.replace(target)
    return target

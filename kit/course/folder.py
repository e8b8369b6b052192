"""The learner's folder: what is new of the course is copied there; what the learner edited is never overwritten."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kit.course.catalog import is_clone
from kit.course.progress import write_whole
from kit.errors import Damaged, Refused

RECORD = ".labkit.json"
_PARTS = (("labs", ""), ("solutions", "solutions"), ("manifests", "manifests"))
_SUFFIXES = {".ipynb", ".yaml"}


@dataclass
class Brought:
    """What bringing the folder up to date did, as paths relative to it."""

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.new)} new, {len(self.updated)} updated"] if self.new or self.updated else []
        lines += [f"you edited {name.replace('.new.', '.')}: the new one is {name}" for name in self.beside]
        return "\n".join(lines)


def learners_folder(root: Path, home: Path) -> Path:
    """Return where a learner of this course works: `./work` in a clone, `~/kubernetes-labs` from a wheel."""
    return root / "work" if is_clone(root) else home / "kubernetes-labs"


def bring(root: Path, folder: Path) -> Brought:
    """Copy what is new of the course in `root` to `folder`, beside what was edited."""
    if folder.is_symlink() and not folder.exists():
        raise Refused(f"{folder} is a link to nowhere", "remove it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    record = _record(folder)
    brought = Brought()
    for source, name in _course_files(root):
        _bring_one(source, name, folder, record, brought)
    write_whole(folder / RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return brought


def _bring_one(source: Path, name: str, folder: Path, record: dict[str, str], brought: Brought) -> None:
    target, digest = folder / name, _digest(source)
    if not target.exists():
        _copy(source, target)
        brought.new.append(name)
    elif (present := _digest(target)) == digest:
        pass
    elif present == record.get(name):
        _copy(source, target)
        brought.updated.append(name)
    elif record.get(name) != digest:
        beside = target.with_name(f"{target.stem}.new{target.suffix}")
        _copy(source, beside)
        brought.beside.append(str(beside.relative_to(folder)))
    record[name] = digest


def _course_files(root: Path) -> Iterator[tuple[Path, str]]:
    for part, inside in _PARTS:
        base = root / part
        for path in sorted(base.rglob("*")):
            relative = path.relative_to(base)
            if path.suffix in _SUFFIXES and path.is_file() and "src" not in relative.parts and not _hidden(relative):
                yield path, str(Path(inside) / relative)


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def _digest(path: Path) -> str:
    """Return a digest of what a person edits: a notebook's cells without outputs, else the bytes."""
    data = path.read_bytes()
    if path.suffix == ".ipynb":
        try:
            cells = json.loads(data)["cells"]
            edited = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
            data = json.dumps(edited).encode()
        except (ValueError, KeyError, TypeError):
            return "unreadable"
    return hashlib.sha256(data).hexdigest()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _record(folder: Path) -> dict[str, str]:
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in found.items()}
    except (ValueError, AttributeError) as error:
        raise Damaged(
            f"{path} is damaged", f"remove it: rm {path} (edited notebooks are kept, new ones come beside them)"
        ) from error

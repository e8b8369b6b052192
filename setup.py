"""Puts the course beside the code in a wheel: `kit/course_files/` there is `labs/`, `solutions/`, `manifests/` here; no second copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

COURSE = ("labs", "solutions", "manifests")
WANTED = {".ipynb", ".py", ".toml", ".yaml"}
HERE = Path(__file__).resolve().parent


class BuildWithCourse(build_py):
    """`build_py`, then the course; an editable installation finds it in the clone (kit.course.catalog.course_root)."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / "kit", ignore_errors=True)  # what an older build left is not shipped
        super().run()
        if not self.editable_mode:
            for source in course_files():
                self.copy_file(str(source), str(self._target(source)))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *map(str, map(self._target, course_files()))]

    def _target(self, source: Path) -> Path:
        target = Path(self.build_lib) / "kit" / "course_files" / source.relative_to(HERE)
        self.mkpath(str(target.parent))
        return target


def course_files() -> list[Path]:
    """Return the files of the course: no caches, no checkpoints."""
    found = (path for part in COURSE for path in sorted((HERE / part).rglob("*")) if path.suffix in WANTED)
    return [path for path in found if not any(part.startswith((".", "__")) for part in path.relative_to(HERE).parts)]


setup(cmdclass={"build_py": BuildWithCourse})

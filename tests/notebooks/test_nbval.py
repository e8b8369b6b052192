"""Every notebook under nbval, each on its own new settled cluster: exercises run to the end, solutions print what is stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from notebook_player import play

from kit.course.settled import own_register

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted([*ROOT.glob("labs/**/*.ipynb"), *ROOT.glob("solutions/**/*.ipynb")])
STRICT = ("--nbval-cell-timeout", "60", "--nbval-sanitize-with", str(ROOT / "tests/nbval.ini"))
AT_ONCE = 3  # on two cores: a notebook waits a part of its time, for kubectl and for the kernel

Played = tuple[int | None, str]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Played]]:
    """Return what waits for a notebook's end; those of this run are played a few at once, with a register of their own."""
    chosen = [item.callspec.params["notebook"] for item in request.session.items
              if isinstance(item, pytest.Function) and item.originalname == "test_runs_as_stored"]  # fmt: skip
    with own_register(), ThreadPoolExecutor(AT_ONCE) as pool:
        runs: dict[Path, Future[Played]] = {}
        for number, notebook in enumerate(chosen):
            runs[notebook] = pool.submit(play, notebook, f"nbval-{os.getpid()}-{number}", *STRICT)
        yield lambda notebook: runs[notebook].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(600)  # the last one waits for all before it
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_runs_as_stored(notebook: Path, played: Callable[[Path], Played]) -> None:
    code, said = played(notebook)
    assert code == 0, said[-6000:]


def test_there_are_notebooks_in_both_languages() -> None:
    names = {str(path.relative_to(ROOT)) for path in NOTEBOOKS}
    for lab in ("00_tour", "01_pods"):
        assert {
            f"labs/{lab}.ipynb",
            f"labs/zh/{lab}.ipynb",
            f"solutions/{lab}.ipynb",
            f"solutions/zh/{lab}.ipynb",
        } <= names

"""The percent parser: what it yields, and every fault it must name with file and line."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest

from kit.course.catalog import load
from kit.course.source import PLACEHOLDER, SourceError, parse

HERE = Path("cells.py")
GOOD = """# ---
# header
# ---

# %% [markdown] lang="en" tags=["seed:7"]
# # Title
#
# Text
# %% [markdown] lang="zh"
# # 标题

# %% tags=["task"]
def f():
    # Count.
    # zh: 数一数。
    # BEGIN SOLUTION
    return 1
    # END SOLUTION

# %% tags=["solution"]
f()

# %% tags=["check"]
lab.check("X1.1")
"""


def test_editions():
    source = parse(GOOD, HERE)
    assert source.seeds == (7,)
    assert source.checks == ("X1.1",)
    english = source.notebook("en", solution=False)
    assert [cell.text for cell in english] == [
        "# Title\n\nText",
        f"def f():\n    # Count.\n    {PLACEHOLDER}",
        'lab.check("X1.1")',
    ]
    chinese = source.notebook("zh", solution=True)
    assert chinese[0].text == "# 标题"
    assert chinese[1].text == "def f():\n    # 数一数。\n    return 1"
    assert len(chinese) == 4


MD = '# %% [markdown] lang="en"\n# a\n'
FAULTS = [
    ('# %% tags=["tsk"]\n1\n', 1, "unknown tag 'tsk'"),
    ('# %% tags=["seed:x"]\n1\n', 1, "unknown tag 'seed:x'"),
    ('# %% tags=["task"]\n# BEGIN SOLUTION\n1\n', 2, "without END"),
    ('# %% tags=["task"]\nif 1:\n    # BEGIN SOLUTION\n    1\n  # BEGIN SOLUTION\n', 5, "inside the one of line 3"),
    ('# %% tags=["task"]\n# BEGIN SOLUTION\n\n  # END SOLUTION\n', 2, "empty solution region"),
    ('# %% tags=["task"]\n1\n# END SOLUTION\n', 3, "END SOLUTION without"),
    ("# %%\n# BEGIN SOLUTION\n1\n# END SOLUTION\n", 1, "outside a cell"),
    ('# %% tags=["task"]\n1\n', 1, "without a solution region"),
    ('# %%\n1\n# %% tags=["task"]\n# BEGIN SOLUTION\n1\n# END SOLUTION\n', 3, "a task without a check"),
    (
        '# %% tags=["check"]\nlab.check("X1")\n# %% tags=["check"]\nlab.check("X1")\n',
        3,
        "checked twice (first in line 1)",
    ),
    ('# %% tags=["check"]\nlab.check("X1") or 1\n', 1, "only lab.check"),
    (MD, 1, "missing translation"),
    (MD + "# %%\n1\n", 1, "missing translation"),
    ('# %% [markdown] lang="zh"\n# a\n', 1, "without its English twin"),
    ("# %% [markdown]\n# a\n", 1, "says its language"),
    ('# %% [markdown] lang="fr"\n# a\n', 1, "unknown language 'fr'"),
    ('# %% [markdown] lang="en"\na\n', 2, "starts with '# '"),
    ('# %% lang="en"\n1\n', 1, "serves both languages"),
    ("# %%\n1\n# zh: 一\n", 3, "without an English comment"),
    ("# %% name=x\n1\n", 1, "can't read 'name=x'"),
    ("# %%\n\n# %%\n1\n", 1, "an empty cell"),
    ("# %%\n1\n!kubectl get pods -w\n", 3, "-w never ends"),
    ("# %%\n!kubectl -n x get pods --watch\n", 2, "--watch never ends"),
    ("# %%\n!kubectl logs web -f\n", 2, "-f never ends"),
    ("# %%\n!kubectl rollout status deployment/web\n", 2, "rollout status waits"),
]


@pytest.mark.parametrize(("text", "line", "words"), FAULTS)
def test_faults_are_named(text, line, words):
    with pytest.raises(SourceError) as caught:
        parse(text, HERE)
    assert words in caught.value.what
    assert caught.value.what.startswith(f"cells.py:{line}: ")


@pytest.mark.parametrize(
    "line",
    [
        "!kubectl apply -f x.yaml",
        "!timeout 5 kubectl get pods -w",
        "!kubectl logs -l app=web --tail=3",
        "!kubectl rollout status deployment/web --timeout=60s",
        "!kubectl get pods -o wide | grep -w web",
    ],
)
def test_commands_that_end_are_allowed(line):
    assert parse(f"# %%\n{line}\n", HERE).cells[0].text == line


@pytest.mark.parametrize("lesson", load().lessons, ids=lambda lesson: lesson.name)
def test_jupytext_reads_the_same_cells(lesson):
    theirs = [cell.source.rstrip() for cell in jupytext.read(lesson.folder / "cells.py").cells]
    assert theirs == [cell.text for cell in lesson.source.cells]

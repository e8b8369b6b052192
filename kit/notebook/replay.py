"""`lab.restore("01:E1.4")`: the lab made as new, then the notebook's own cells up to there, tasks solved, run in this kernel."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kit.course.i18n import say
from kit.course.stretches import points, way_to
from kit.errors import BadInput
from kit.notebook.following import go, stand

if TYPE_CHECKING:
    from kit.notebook.lab import Lab


def restore(lab: Lab, name: str, show: Callable[[str], None]) -> str:
    """Bring `lab` to the point `NN:LABEL` and return the sentence about it; answers and predictions stay the learner's."""
    home = stand(lab, "")
    number, _, point = name.partition(":")
    if number != home.lesson.number:
        known = ", ".join(f"{home.lesson.number}:{one}" for one in points(home.lesson))
        raise BadInput(f"{name!r} is no point of lab {home.lesson.number}", f"there are {known}")
    cells = way_to(home.lesson, point)
    os.environ.update(home.variables)
    home.reset()
    shell = _shell(lab)
    with home.unrecorded():
        for done, cell in enumerate(cells, 1):
            show(say("restore.step", home.lang, name=name, done=done, all=len(cells)))
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                go(lab, None, cell.text)
                shell.ex(shell.transform_cell(cell.text))
    stand(lab, "")
    return say("restore.done", home.lang, namespace=home.namespace, name=point)


def _shell(lab: Lab) -> Any:
    """Return the kernel's shell (outside of a notebook one of our own), in which `lab` is the lab."""
    from IPython.core.getipython import get_ipython
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from kit.notebook.magics import load_ipython_extension

    shell: Any = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    if shell is None:
        shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))  # type: ignore[no-untyped-call]
        load_ipython_extension(shell)
    shell.user_ns["lab"] = lab
    return shell

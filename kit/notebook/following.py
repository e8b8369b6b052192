"""`lab` goes to the cluster that an exercise needs: the learner's own, or the small one beside it; kubectl goes with it.

Before a cell runs it is looked up in the notebook as it was built, by its id (which an edit does not change), or by its text where no
id is sent. A cell that the learner has added runs where the one before it ran.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kit.course.i18n import say
from kit.course.session import Session
from kit.course.stretches import places
from kit.errors import KitError, Status

if TYPE_CHECKING:
    from kit.notebook.lab import Lab


def follow(info: Any) -> None:
    """Go where the cell that is about to run belongs (IPython's event `pre_run_cell`)."""
    from IPython.core.getipython import get_ipython

    from kit.notebook.lab import Lab

    shell = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    lab = shell.user_ns.get("lab") if shell is not None else None
    if not isinstance(lab, Lab):
        return
    try:
        go(lab, getattr(info, "cell_id", None), info.raw_cell or "")
    except KitError as error:
        sys.stderr.write("\n".join(line for line in (error.what, error.next) if line) + "\n")
    except Status as error:
        sys.stderr.write(error.message + "\n")


def go(lab: Lab, cell_id: str | None, text: str) -> None:
    """Let `lab` stand where a cell belongs."""
    session = lab.session
    name = places(session.lesson, session.lang).of(cell_id, text) if _may_leave(session) else None
    if name is not None:
        stand(lab, name)


def stand(lab: Lab, name: str) -> Session:
    """Let `lab` stand where an exercise or a fault is done (empty: on the learner's own cluster), and say so when it moves."""
    session = lab.session
    there = session.place_of(name)
    if there is not session:
        lab.session = there
        os.environ.update(there.variables)
        text = (
            there.why_beside(name) if there.main else say("beside.back", session.lang, provider=there.handle.provider)
        )
        sys.stdout.write(text + "\n")
    return there


def _may_leave(session: Session) -> bool:
    """Tell whether anything in the lab is not done on the learner's own cluster."""
    home, lesson = session.main or session, session.lesson
    needs = {need for found in (lesson.exercises, lesson.faults) for one in found.values() for need in one.needs}
    return bool(home.lacks(tuple(needs)))

"""The checks of one lab, registered by exercise; and how a check is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kit.checks.conditions import Condition, Seen
from kit.checks.report import Outcome, Report, State
from kit.checks.text import NOTHING, Text, same
from kit.checks.world import World
from kit.errors import BadInput, KitError, Status

Check = Callable[[], Iterator[Condition]]
Observer = Callable[[World], str]


@dataclass
class Checks:
    """What `checks.py` of a lab registers: checks by exercise, and what really happened by experiment."""

    checks: dict[str, Check] = field(default_factory=dict)
    observers: dict[str, Observer] = field(default_factory=dict)

    def check(self, exercise: str) -> Callable[[Check], Check]:
        """Register a generator of conditions as the check of `exercise`."""

        def register(function: Check) -> Check:
            if exercise in self.checks:
                raise BadInput(f"two checks are called {exercise}", "an exercise has one check")
            self.checks[exercise] = function
            return function

        return register

    def outcome(self, experiment: str) -> Callable[[Observer], Observer]:
        """Register a function that says which option of a prediction came true."""

        def register(function: Observer) -> Observer:
            if experiment in self.observers:
                raise BadInput(f"two outcomes are called {experiment}", "an experiment has one outcome")
            self.observers[experiment] = function
            return function

        return register

    def run(self, exercise: str, world: World, traps: Mapping[str, Text], lang: str) -> Report:
        """Run a check and return its report; `traps` are the sentences of the exercise's known wrong solutions."""
        if exercise not in self.checks:
            raise BadInput(f"there is no exercise {exercise} in this lab", f"it has {', '.join(sorted(self.checks))}")
        try:
            return _judged(exercise, list(self.checks[exercise]()), world, traps, lang)
        except (KitError, Status) as error:
            return Report(exercise, State.ERROR, sentence=said(error), lang=lang)
        finally:
            _leave(world)


def _judged(exercise: str, conditions: list[Condition], world: World, traps: Mapping[str, Text], lang: str) -> Report:
    outcomes: list[Outcome] = []
    for number, condition in enumerate(conditions):
        seen = _looked(condition, world)
        if condition.trap:
            if seen.ok:
                sentence = traps.get(condition.trap) or condition.wanted
                found = Outcome(condition.name, condition.wanted, seen.observed, None)
                return Report(exercise, State.WRONG, (*outcomes, found), sentence, condition.trap, lang)
            continue
        outcomes.append(Outcome(condition.name, condition.wanted, seen.observed, seen.ok, seen.why))
        if not seen.ok:
            rest = [
                Outcome(later.name, later.wanted, NOTHING, None) for later in conditions[number + 1 :] if not later.trap
            ]
            state = State.TODO if condition.gate else State.WRONG
            return Report(exercise, state, (*outcomes, *rest), lang=lang)
    return Report(exercise, State.PASS, tuple(outcomes), lang=lang)


def _looked(condition: Condition, world: World) -> Seen:
    """Look until the condition holds or its cluster time is over; the last look is what is reported."""
    seen = condition.look(world)
    if seen.ok or not condition.within:
        return seen
    last = [seen]

    def again() -> Seen | None:
        last[0] = condition.look(world)
        return last[0] if last[0].ok else None

    return world.wait(again, condition.within) or last[0]


def said(error: KitError | Status) -> Text:
    """Return what an error tells the learner: what happened, and what to do next."""
    if isinstance(error, Status):
        return Text(f"the cluster refused: {error.message}", f"集群拒绝了请求:{error.message}")
    return same(f"{error.what}. {error.next}" if error.next else error.what)


def _leave(world: World) -> None:
    try:
        world.leave()
    except (KitError, Status):
        return

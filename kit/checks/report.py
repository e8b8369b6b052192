"""The answer of a check: PASS, TODO, WRONG or ERROR, with what was wanted and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kit.checks.text import NOTHING, Text, as_html


class State(StrEnum):
    """How far an exercise is."""

    PASS = "PASS"
    TODO = "TODO"
    WRONG = "WRONG"
    ERROR = "ERROR"


# a state's word stands on its colour, so that it is read in light themes and dark ones (at least 4.5 : 1)
COLOURS = dict(zip(State, ("#1a7f37", "#57606a", "#a35200", "#cf222e"), strict=True))
ON_COLOUR = "#ffffff"


@dataclass(frozen=True)
class Outcome:
    """One condition after it was looked at; `ok` is None when an earlier one decided."""

    name: str
    wanted: Text
    observed: Text
    ok: bool | None
    why: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a check found; its text holds names but no ages and no uids, so it is the same run after run."""

    exercise: str
    state: State
    outcomes: tuple[Outcome, ...] = ()
    sentence: Text = NOTHING
    trap: str = ""
    lang: str = "en"

    @property
    def passed(self) -> bool:
        """Tell whether every condition holds."""
        return self.state is State.PASS

    @property
    def failing(self) -> Outcome | None:
        """Return the condition that decided, None when all hold."""
        return next((outcome for outcome in self.outcomes if outcome.ok is False), None)

    def __repr__(self) -> str:
        return "\n".join(
            [self._headline(), *(line for outcome in self.outcomes for line in self._lines(outcome)), *self._footer()]
        )

    def _repr_html_(self) -> str:
        colour = COLOURS[self.state]
        head, *rest = repr(self).splitlines()
        state, _, words = head.partition(" ")
        label = f"<strong style='background:{colour};color:{ON_COLOUR};padding:.1em .5em'>{state}</strong>"
        body = "".join(
            f"<div style='white-space:pre-wrap;margin-left:1em'>{as_html(line.strip())}</div>" for line in rest
        )
        frame = f"border-left:4px solid {colour};padding:.3em .8em"
        return f"<div role='status' style='{frame}'>{label} <strong>{as_html(words)}</strong>{body}</div>"

    def _headline(self) -> str:
        if self.passed:
            return f"PASS {self.exercise}"
        text = self.sentence.of(self.lang)
        failing = self.failing
        if not text and failing is not None:
            frame = _WANTS.of(self.lang)
            text = frame.format(wanted=failing.wanted.of(self.lang), observed=failing.observed.of(self.lang))
        return f"{self.state.value} {self.exercise}: {text}"

    def _lines(self, outcome: Outcome) -> list[str]:
        mark = {True: "✓", False: "✗", None: "·"}[outcome.ok]
        tail = f": {outcome.observed.of(self.lang)}" if outcome.ok is False and outcome.observed else ""
        why = [f"    {step.of(self.lang)}" for step in outcome.why] if outcome.ok is False else []
        return [f"  {mark} {outcome.wanted.of(self.lang)}{tail}", *why]

    def _footer(self) -> list[str]:
        if self.state is State.WRONG:
            return ["  " + _HINT.of(self.lang).format(exercise=self.exercise)]
        return []


_WANTS = Text("wants {wanted}, found {observed}", "需要:{wanted};实际:{observed}")
_HINT = Text('lab.hint("{exercise}") gives a hint', 'lab.hint("{exercise}") 会给出提示')

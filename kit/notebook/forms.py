"""Predictions and quizzes as small forms of ipywidgets, each with a text twin that is the same run after run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.checks.text import as_html
from kit.course.catalog import Question
from kit.course.predict import asked, explained
from kit.course.quiz import reply_to
from kit.course.session import Session


class Prediction:
    """A prediction in a cell: pick an answer before the run; `.explain()` after it compares with what happened."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name
        self._question = session.prediction(name)

    def explain(self) -> Explanation:
        """Look at the cluster and say what happened, and what a wrong prediction misunderstood."""
        outcome = self._session.outcome(self._name)
        return Explanation(explained(self._question, self._session.predicted(self._name), outcome, self._session.lang))

    def __repr__(self) -> str:
        return asked(self._question, self._session.predicted(self._name), self._session.lang)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        def choose(option: str) -> str:
            self._session.predict(self._name, option)
            return ""

        chosen = self._session.predicted(self._name)
        return bundle(repr(self), lambda: box([_row(self._question, chosen, choose, self._session.lang)]))


class Explanation:
    """What happened in an experiment, in words."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{as_html(line)}</div>" for line in self.text.splitlines())
        return f"<div role='status' style='border-left:4px solid #0969da;padding:.3em .8em'>{lines}</div>"


class Quiz:
    """A quiz in a cell; every wrong option answers with the misconception behind it."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name
        session.sheet(name)

    @property
    def score(self) -> tuple[int, int]:
        """Return how many answers are right, and how many questions there are."""
        sheet = self._session.sheet(self._name)
        return sheet.right, len(sheet.questions)

    def __repr__(self) -> str:
        return self._session.sheet(self._name).text()

    def _repr_mimebundle_(self, **_: Any) -> Any:
        sheet = self._session.sheet(self._name)
        rows = [(question, self._session.answers.get(question.id)) for question in sheet.questions]
        return bundle(
            repr(self),
            lambda: box([_row(question, chosen, self._choose(question), sheet.lang) for question, chosen in rows]),
        )

    def _choose(self, question: Question) -> Callable[[str], str]:
        def choose(option: str) -> str:
            self._session.answer(question.id, option)
            return reply_to(question, option, self._session.lang)

        return choose


def bundle(text: str, widget: Callable[[], Any]) -> Any:
    """Return the MIME bundle of a widget with `text` as its plain text; only the text where there is no kernel."""
    found: Any = {"text/plain": text}
    if not _in_kernel():
        return found
    made = widget()._repr_mimebundle_()
    data, metadata = made if isinstance(made, tuple) else (made, {})
    return {**(data or {}), **found}, metadata or {}


def box(rows: list[Any]) -> Any:
    """Return widgets stacked."""
    import ipywidgets

    return ipywidgets.VBox(rows)


def _row(question: Question, chosen: str | None, choose: Callable[[str], str], lang: str) -> Any:
    import ipywidgets

    options = [(option.text.of(lang), option.id) for option in question.options]
    title = ipywidgets.HTML(f"<strong>{as_html(question.id)}</strong> {as_html(question.text.of(lang))}")
    radio = ipywidgets.RadioButtons(options=options, value=chosen, layout=ipywidgets.Layout(width="auto"))
    reply = ipywidgets.HTML()

    def on_change(change: Any) -> None:
        if change["new"] is not None:
            reply.value = f"<div role='status'>{as_html(choose(change['new']))}</div>"

    radio.observe(on_change, names="value")
    return ipywidgets.VBox([title, radio, reply])


def _in_kernel() -> bool:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    return shell is not None and hasattr(shell, "kernel")

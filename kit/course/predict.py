"""Predictions: asked before a run, compared afterwards with what the cluster really did; never a lock."""

from __future__ import annotations

from kit.course.catalog import Question
from kit.course.i18n import say


def asked(question: Question, chosen: str | None, lang: str) -> str:
    """Return the one line that stands for a prediction: TODO while nothing is chosen."""
    text = question.text.of(lang)
    if not chosen:
        return say("predict.todo", lang, id=question.id, question=_spaced(text, lang))
    return say(
        "predict.done", lang, id=question.id, question=_spaced(text, lang), choice=question.option(chosen).text.of(lang)
    )


def explained(question: Question, chosen: str | None, outcome: str, lang: str) -> str:
    """Return what happened, whether it was predicted, and what a wrong prediction misunderstood."""
    if not outcome:
        return say("predict.early", lang, id=question.id)
    happened = question.option(outcome)
    lines = [say("predict.happened", lang, id=question.id, outcome=happened.text.of(lang))]
    if not chosen:
        lines.append(say("predict.none", lang))
    elif chosen == outcome:
        lines.append(say("predict.right", lang))
    else:
        wrong = question.option(chosen)
        lines.append(say("predict.wrong", lang, choice=wrong.text.of(lang), says=wrong.says.of(lang)))
    return "\n".join([*lines, happened.says.of(lang)])


def _spaced(text: str, lang: str) -> str:
    return text if lang == "zh" else text.rstrip() + ("" if text.endswith((".", "?", "!")) else ".")

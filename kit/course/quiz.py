"""Quizzes: every wrong option answers with the misconception behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.course.catalog import Question
from kit.course.i18n import say

PASS_SHARE = 0.8


@dataclass(frozen=True)
class Sheet:
    """A quiz with the answers given so far, by question id."""

    id: str
    questions: Sequence[Question]
    answers: Mapping[str, str]
    lang: str

    @property
    def right(self) -> int:
        """Return how many answers are right."""
        return sum(self.answers.get(question.id) == question.answer for question in self.questions)

    @property
    def left(self) -> int:
        """Return how many questions have no answer."""
        return sum(not self.answers.get(question.id) for question in self.questions)

    @property
    def passed(self) -> bool:
        """Tell whether four of five answers are right."""
        return self.right >= PASS_SHARE * len(self.questions)

    def text(self) -> str:
        """Return the quiz as text: a TODO line while questions are open, then the score; a reply to each answer."""
        key = "quiz.todo" if self.left else "quiz.score"
        head = say(key, self.lang, id=self.id, left=self.left, right=self.right, total=len(self.questions))
        return "\n".join([head, *(line for question in self.questions for line in self._lines(question))])

    def _lines(self, question: Question) -> list[str]:
        chosen = self.answers.get(question.id, "")
        options = [
            f"    ({'x' if option.id == chosen else ' '}) {option.id}: {option.text.of(self.lang)}"
            for option in question.options
        ]
        reply = [f"    {reply_to(question, chosen, self.lang)}"] if chosen else []
        return [f"  {question.id}: {question.text.of(self.lang)}", *options, *reply]


def reply_to(question: Question, chosen: str, lang: str) -> str:
    """Return what choosing an option is answered with."""
    mark = "✓" if chosen == question.answer else "✗"
    return f"{mark} {question.option(chosen).says.of(lang)}"

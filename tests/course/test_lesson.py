"""Lab texts: both languages everywhere, predictions and quizzes answer wrong picks, step scripts refuse nonsense."""

from __future__ import annotations

import pytest

from kit.checks.text import Text
from kit.course.catalog import load
from kit.course.i18n import STRINGS, say
from kit.course.predict import asked, explained
from kit.course.quiz import Sheet
from kit.course.steps import Stage
from kit.errors import BadInput

LESSONS = load().lessons


def _texts(found):
    if isinstance(found, dict) and set(found) == {"en", "zh"}:
        yield Text(found["en"], found["zh"])
    elif isinstance(found, dict):
        for value in found.values():
            yield from _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_text_is_translated(lesson):
    texts = list(_texts(lesson.data))
    assert len(texts) > 50
    for text in texts:
        assert text.en.strip()
        assert any(letter >= "\u3000" for letter in text.zh), text
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en), text


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_statements_named_are_the_statements_taught(lesson):
    taught = lesson.data["statements"]
    assert {int(number) for number in taught if number != "planned"} == set(lesson.source.seeds)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_hints_never_are_the_command(lesson):
    for exercise in (*lesson.exercises.values(), *lesson.faults.values()):
        for tiers in [exercise.hints.usual, *exercise.hints.special.values()]:
            for hint in tiers:
                assert "kubectl apply" not in hint.en
                assert "apiVersion:" not in hint.en


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_answers_are_options(lesson):
    for questions in lesson.quizzes.values():
        for question in questions:
            assert question.option(question.answer).id == question.answer
    assert len({question.id for questions in lesson.quizzes.values() for question in questions}) == sum(
        len(questions) for questions in lesson.quizzes.values()
    )


def test_strings_have_the_same_fields_in_both_languages():
    import string

    for key, text in STRINGS.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(words) if name} for words in (text.en, text.zh)]
        assert fields[0] == fields[1], key
    assert say("advance", "zh", time="5m") == "集群时间过去了 5m。"


def test_a_prediction_tells_the_misconception():
    question = load().find("01").predictions["E1.3"]
    assert asked(question, None, "en").startswith("TODO E1.3: ")
    assert "\n" not in asked(question, None, "zh")
    wrong = explained(question, "newpod", "container", "en")
    assert "You predicted: The Pod is destroyed" in wrong
    assert "this is what the tutorial says" in wrong.lower()
    assert "You predicted it." in explained(question, "container", "container", "en")
    assert "run the cells above" in explained(question, None, "", "en")


def test_a_quiz_counts():
    questions = load().find("01").quizzes["Q1"]
    assert Sheet("Q1", questions, {}, "en").text().startswith("TODO Q1: 4 of 4 questions unanswered")
    right = {question.id: question.answer for question in questions}
    sheet = Sheet("Q1", questions, right, "en")
    assert (sheet.right, sheet.left, sheet.passed) == (4, 0, True)
    wrong = Sheet("Q1", questions, {**right, "move": "live"}, "zh")
    assert "✗ 有些虚拟机可以这样,Pod 不行。" in wrong.text()
    assert not wrong.passed


def test_unknown_things_are_named():
    with pytest.raises(BadInput, match="no lab 77"):
        load().find("77")
    assert load().find(1).name == load().find("01").name == load().find("01_pods").name == "01_pods"
    with pytest.raises(BadInput, match="has no option 'x'"):
        load().find("01").predictions["E1.3"].option("x")
    with pytest.raises(BadInput, match="without a verb"):
        Stage(None, None, {}, lambda *_: None).play([{"do": "it"}])

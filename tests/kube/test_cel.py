"""Expressions: what they give, what fails while they run, and what they may cost."""

from __future__ import annotations

from typing import Any

import pytest

from kit.kube.cel import types
from kit.kube.cel.engine import Budget, BudgetError, CompileError, RunError, compiled
from kit.kube.cel.values import of_json


def run(text: str, value: Any) -> Any:
    """Return what an expression about `self` gives, or why it fails."""
    try:
        return compiled(text, {"self": types.DYN}).run({"self": of_json(value)}, Budget(10_000))
    except RunError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "value", "want"),
    [
        ("self == 1", 1, True),
        ('self == "x"', 1, False),
        ("self == 1.0 && self < 1.5", 1, True),
        ('"k" in self', {"k": 1}, True),
        ('self == {"a": 1}', {"a": 1}, True),
        ('self < "a"', 1, "no such overload"),
        ("self.a == null", {}, "no such key: a"),
        ("self == true", 1, False),
        ('self.exists(x, x == "b")', ["a", "b"], True),
        ("self.exists_one(x, x > 1)", [1, 2], True),
        ("self.map(x, x * 2) == [2, 4]", [1, 2], True),
        ("self.filter(x, x > 1).size() == 1", [1, 2], True),
        ("self.all(k, self[k] > 0)", {"a": 1}, True),
        ("self.isSorted()", [1, 3, 2], False),
        ("self.sum() == 6 && self.min() == 1 && self.max() == 3", [1, 2, 3], True),
        ('self.split(",").join("-") == "a-b"', "a,b", True),
        ('self.matches("^a+$") && self.find("a") == "a"', "aaa", True),
        ('self.substring(1, 2) == "b" && self.indexOf("c") == 2', "abc", True),
        ("self.x || true", {}, True),
        ("false && self.x", {}, False),
        ("self.x ? true : false", {}, "no such key: x"),
        ('duration("1h") > duration("30m")', 1, True),
        ('timestamp("2020-01-01T00:00:00Z").getFullYear() == 2020', 1, True),
        ("has(self.a) ? self.a > 0 : true", {}, True),
        ("has(self.a.b)", {}, "no such key: a"),
        ("self[5]", [1], "index out of bounds: 5"),
        ("1 / self", 0, "division by zero"),
        ("9223372036854775807 + self > 0", 1, "integer overflow"),
    ],
)
def test_values(text: str, value: Any, want: Any) -> None:
    assert run(text, value) == want


def test_the_same_expression_costs_the_same() -> None:
    program = compiled("self.all(x, x > 0)", {"self": types.DYN})
    left = set()
    for _ in range(3):
        budget = Budget(10_000)
        program.run({"self": of_json([1, 2, 3])}, budget)
        left.add(budget.left)
    assert len(left) == 1


def test_a_budget_ends_a_run() -> None:
    program = compiled("self.all(x, self.all(y, x + y >= 0))", {"self": types.DYN})
    with pytest.raises(BudgetError):
        program.run({"self": of_json(list(range(1000)))}, Budget(1000))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "[" * 300 + "]" * 300,
        "!" * 5000 + "true",
        "a" * 100_000,
        '"\\',
        "self.",
        "self.a.b(",
        "{",
        "1 ? 2",
        "\0",
    ],
)
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises(CompileError) as refused:
        compiled(text, {"self": types.DYN})
    assert str(refused.value).startswith("ERROR: <input>:")


def test_a_pattern_that_backtracks_does_not_here() -> None:
    assert run('self.matches("^(a+)+$")', "a" * 30 + "b") is not None
    assert not run('self.matches("^(a+)+$")', "a" * 3000 + "b")


@pytest.mark.parametrize(
    "text",
    [
        "lists.range(10000).map(x, lists.range(10000)).flatten().size()",
        "lists.range(9000).distinct().size()",
        "lists.range(9000).map(x, self).join().size()",
        "'%s'.format([lists.range(9000).map(x, self)]).size()",
        "lists.range(9000).map(x, lists.range(9000).map(y, self)).size()",
        "self.replace('', self).size()",
        "lists.range(9000).all(x, !self.matches('(a+)+$' + string(x)))",
        "lists.range(9000).map(x, -x).sort().first().value()",
    ],
)
def test_what_grows_is_stopped(text: str) -> None:
    program = compiled(text, {"self": types.STRING})
    with pytest.raises(RunError):
        program.run({"self": "a" * 100_000}, Budget(60_000))

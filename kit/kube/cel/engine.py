"""Compiles expressions and runs them, each step counted. Importing this module imports cel-python: see the package.

Parser and evaluator are cel-python's; the words of errors and the semantics of missing keys are cel-go's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from celpy import celtypes
from celpy.celparser import CELParseError, CELParser
from celpy.evaluation import Activation, CELEvalError, Evaluator

from kit.kube.cel.checker import Checker, located
from kit.kube.cel.functions import FUNCTIONS
from kit.kube.cel.types import Type

MAX_DEPTH: Final = 120
MAX_LENGTH: Final = 16 * 1024
_END: Final = (
    "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, "
    "NUM_UINT, STRING, BYTES, IDENTIFIER}"
)


class CompileError(ValueError):
    """An expression that can't be run; the message is cel-go's, with line and mark."""


class RunError(ValueError):
    """An expression that failed while it ran: no such key, no such overload, division by zero."""


class BudgetError(RunError):
    """An expression that took more steps than it was given."""


class Budget:
    """Steps left, shared by all expressions of one request."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def take(self, steps: int = 1) -> None:
        """Spend steps; raise BudgetError when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise BudgetError("operation cancelled: actual cost limit exceeded")


@dataclass(frozen=True)
class Program:
    """A checked expression."""

    tree: Any
    type: Type
    text: str
    evaluator: Callable[..., Bounded] | None = None

    def run(self, values: Mapping[str, Any], budget: Budget) -> Any:
        """Return what the expression gives for these values (of `values.of_json`); raise RunError."""
        try:
            make = self.evaluator or Bounded
            return make(self.tree, Activation(functions=FUNCTIONS), budget, values, {}).evaluate()
        except CELEvalError as error:
            raise RunError(_words(error)) from None
        except RecursionError:
            raise BudgetError("operation cancelled: actual cost limit exceeded") from None
        except (TypeError, AttributeError):
            raise RunError("no such overload") from None


def compiled(
    text: str,
    variables: Mapping[str, Type],
    *,
    checks: type[Checker] = Checker,
    evaluator: Callable[..., Bounded] | None = None,
) -> Program:
    """Return an expression, parsed and checked; raise CompileError. Other checks and evaluators know more than plain CEL."""
    if len(text) > MAX_LENGTH or _nesting(text) > MAX_DEPTH:
        raise CompileError(located(text[:80].split("\n", maxsplit=1)[0], 0, "expression recursion limit exceeded: 250"))
    try:
        tree = CELParser().parse(text)
    except CELParseError as error:
        raise CompileError(_syntax(text, error)) from None
    except RecursionError:
        raise CompileError(
            located(text[:80].split("\n", maxsplit=1)[0], 0, "expression recursion limit exceeded: 250")
        ) from None
    checker = checks(text, variables)
    found = checker.type_of(tree)
    if checker.errors:
        raise CompileError("\n".join(checker.errors))
    return Program(tree, found, text, evaluator)


def _nesting(text: str) -> int:
    """Return how deeply brackets and signs are nested: the parser and the evaluator recurse."""
    depth = most = run = 0
    for char in text:
        run = run + 1 if char in "!-" else 0
        depth += (char in "([{?") - (char in ")]}")
        most = max(most, depth, run)
    return most


def _syntax(text: str, error: CELParseError) -> str:
    if _unfinished(text, error) or error.line is None or error.line < 1 or error.column is None or error.column < 1:
        return located(text, len(text), _END)
    lines = text.split("\n")
    place = sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1
    if place >= len(text):
        return located(text, len(text), _END)
    return located(text, place, f"Syntax error: extraneous input '{text[place]}' expecting <EOF>")


def _unfinished(text: str, error: CELParseError) -> bool:
    """Return whether a text ends too early: the parser then names its last token."""
    if error.line is None or error.column is None:
        return True
    place = sum(len(line) + 1 for line in text.split("\n")[: error.line - 1]) + error.column - 1
    rest = text[place:].strip()
    return rest in _OPEN or (not rest[1:] and _nesting_at(text) > 0)


def _nesting_at(text: str) -> int:
    return sum((char in "([{") - (char in ")]}") for char in text)


_OPEN: Final = frozenset(
    [
        ">",
        "<",
        ">=",
        "<=",
        "==",
        "!=",
        "&&",
        "||",
        "+",
        "-",
        "*",
        "/",
        "%",
        "?",
        ":",
        "!",
        ".",
        ",",
        "in",
        "(",
        "[",
        "{",
    ]
)


def _words(error: CELEvalError) -> str:
    said = str(error.args[0]) if error.args else ""
    if said in _TEXTS:
        return _TEXTS[said]
    return said if said.startswith(_OURS) else "no such overload"


_TEXTS: Final = {"modulus or divide by zero": "division by zero"}
_OURS: Final = (
    "no such key",
    "index out of",
    "min called",
    "max called",
    "return error for overflow",
    "composited variable",
)


class Bounded(Evaluator):
    """cel-python's evaluator with steps that count and cel-go's words for what is missing."""

    def __init__(
        self, ast: Any, activation: Any, budget: Budget, values: Mapping[str, Any], literals: dict[int, Any]
    ) -> None:
        super().__init__(ast, activation)
        self._budget = budget
        self._outer = self._values = values
        self._literals = literals

    def sub_evaluator(self, ast: Any) -> Bounded:
        """Return the evaluator of a macro's body, on the same budget."""
        return type(self)(ast, self.activation, self._budget, self._values, self._literals)

    def set_activation(self, values: Mapping[str, Any]) -> Bounded:
        """Set the variable of a macro."""
        self._values = {**self._outer, **values}
        return self

    def ident_value(self, name: str, root_scope: bool = False) -> Any:
        """Return what a name stands for: a variable, a type or a function."""
        return self._values[name] if name in self._values else self.activation.resolve_variable(name)

    def primary(self, tree: Any) -> Any:
        """Return a name's value or a literal; the rest is cel-python's."""
        inner = tree.children[0]
        if inner.data == "ident":
            return self.ident_value(str(inner.children[0]))
        if inner.data != "literal":
            return super().primary(tree)
        if id(inner) not in self._literals:
            self._literals[id(inner)] = self.literal(inner)
        return self._literals[id(inner)]

    def _visit_tree(self, tree: Any) -> Any:
        """Evaluate one place of the tree: a step. Places that only pass on their one child cost nothing."""
        while tree.data in _PASSING and len(tree.children) == 1:
            tree = tree.children[0]
        self._budget.take()
        return super()._visit_tree(tree)

    def expr(self, tree: Any) -> Any:
        """Choose between two values."""
        if len(tree.children) == 1:
            return self._visit_tree(tree.children[0])
        condition, one, other = tree.children
        chosen = self._visit_tree(condition)
        if isinstance(chosen, CELEvalError):
            return chosen
        if not isinstance(chosen, celtypes.BoolType):
            return CELEvalError("no such overload", TypeError, None, tree=tree)
        return self._visit_tree(one if chosen else other)

    def relation(self, tree: Any) -> Any:
        """Compare two values. Of different types they are not equal, as in cel-go; otherwise ordered values must be alike."""
        if len(tree.children) == 1:
            return self._visit_tree(tree.children[0])
        head, last = tree.children
        left, right = self._visit_tree(head.children[0]), self._visit_tree(last)
        for one in (left, right):
            if isinstance(one, CELEvalError):
                return one
        name = str(head.data)
        if name in {"relation_eq", "relation_ne"}:
            return celtypes.BoolType(equal(left, right) == (name == "relation_eq"))
        if name == "relation_in":
            found = right if isinstance(right, Mapping | list) else None
            if found is None:
                return CELEvalError("no such overload", TypeError, None, tree=tree)
            return celtypes.BoolType(any(equal(left, one) for one in found))
        try:
            return celtypes.BoolType(_ORDERED[name](_bare(left), _bare(right)))
        except TypeError:
            return CELEvalError("no such overload", TypeError, None, tree=tree)

    def member_dot(self, tree: Any) -> Any:
        """Return a field."""
        member = self.visit(tree.children[0])
        if isinstance(member, CELEvalError):
            return member
        name = str(tree.children[1])
        if not isinstance(member, Mapping):
            return CELEvalError("no such overload", TypeError, None, tree=tree)
        if name not in member:
            return CELEvalError(f"no such key: {name}", KeyError, None, tree=tree)
        return member[celtypes.StringType(name)]

    def member_index(self, tree: Any) -> Any:
        """Return an item of a list, or the value of a key."""
        member, index = self.visit(tree.children[0]), self.visit(tree.children[1])
        for one in (member, index):
            if isinstance(one, CELEvalError):
                return one
        if isinstance(member, list):
            if not isinstance(index, int) or isinstance(index, bool):
                return CELEvalError("no such overload", TypeError, None, tree=tree)
            if not 0 <= index < len(member):
                return CELEvalError(f"index out of bounds: {int(index)}", IndexError, None, tree=tree)
            return member[index]
        if isinstance(member, Mapping):
            return (
                member[index] if index in member else CELEvalError(f"no such key: {index}", KeyError, None, tree=tree)
            )
        return CELEvalError("no such overload", TypeError, None, tree=tree)

    def macro_has_eval(self, exprlist: Any) -> Any:
        """Return whether a field is there; the object it may be in must be."""
        inner = exprlist.children[0]
        while inner.data != "member_dot":
            inner = inner.children[0]
        member = self.visit(inner.children[0])
        if isinstance(member, CELEvalError):
            return member
        if not isinstance(member, Mapping):
            return CELEvalError("no such overload", TypeError, None, tree=inner)
        return celtypes.BoolType(str(inner.children[1]) in member)

    def member_dot_arg(self, tree: Any) -> Any:
        """Call a method: `min` is an ordinary one here; what goes through a collection costs its length."""
        name = str(tree.children[1])
        if name not in {"min", "reduce"}:
            return super().member_dot_arg(tree)
        member = self.visit(tree.children[0])
        return member if isinstance(member, CELEvalError) else self.method_eval(member, tree.children[1])

    def method_eval(self, object: Any, method_ident: Any, exprlist: Any = None) -> Any:
        """Call a method; long texts and lists cost more."""
        self._budget.take(_cost(object))
        for one in exprlist or ():
            if isinstance(one, CELEvalError):
                return one
        return super().method_eval(object, method_ident, exprlist)


_PASSING: Final = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "paren_expr"}
)


_ORDERED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "relation_lt": operator.lt,
    "relation_le": operator.le,
    "relation_gt": operator.gt,
    "relation_ge": operator.ge,
}


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal: numbers by what they count, others of one type only."""
    for kind in (celtypes.BoolType, str, bytes, list, Mapping):
        if isinstance(one, kind) or isinstance(other, kind):
            return isinstance(one, kind) and isinstance(other, kind) and _same(one, other)
    return bool(_bare(one) == _bare(other))


def _bare(value: Any) -> Any:
    """Return a number as Python's own, which compares with numbers of other types."""
    if isinstance(value, int) and not isinstance(value, celtypes.BoolType):
        return int(value)
    return float(value) if isinstance(value, float) else value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    return bool(one == other)


def _cost(value: Any) -> int:
    return len(value) // 10 if isinstance(value, str | list | dict) else 1

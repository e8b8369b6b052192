"""Compiles expressions and runs them, each step counted. Nothing imports this before there is an expression: see the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kit.kube.cel.checker import Checker
from kit.kube.cel.evaluating import Budget, BudgetError, Evaluator
from kit.kube.cel.literals import failing, faults
from kit.kube.cel.numbers import RunError
from kit.kube.cel.parsing import TOO_DEEP, SyntaxFault, located, parse
from kit.kube.cel.tree import Node
from kit.kube.cel.types import Type

__all__ = ["Budget", "BudgetError", "CompileError", "PlanError", "Program", "RunError", "compiled"]


class CompileError(ValueError):
    """An expression that can't be run; the message is cel-go's, with line and mark."""


class PlanError(CompileError):
    """An expression of good types that fails already with its constants: `int("x")`."""


@dataclass(frozen=True)
class Program:
    """A checked expression."""

    tree: Node
    type: Type
    text: str
    evaluator: Callable[[Mapping[str, Any], Budget], Evaluator] = Evaluator

    def run(self, values: Mapping[str, Any], budget: Budget) -> Any:
        """Return what the expression gives for these values (of `values.of_json`); raise RunError."""
        before = budget.begin()
        try:
            return self.evaluator(values, budget).value_of(self.tree)
        except RecursionError:
            raise BudgetError("operation cancelled: actual cost limit exceeded") from None
        finally:
            budget.end(before)


def compiled(
    text: str,
    variables: Mapping[str, Type],
    *,
    checks: type[Checker] = Checker,
    evaluator: Callable[[Mapping[str, Any], Budget], Evaluator] = Evaluator,
) -> Program:
    """Return an expression, parsed and checked; raise CompileError. Other checks and evaluators know more than plain CEL."""
    try:
        tree = parse(text)
        checker = checks(text, variables)
        checker.type_of(tree)
        found = checker.settle(tree)
        checker.faults += [] if checker.faults else faults(tree)
        if checker.faults:
            raise CompileError("\n".join(checker.errors))
        why = failing(tree)
    except SyntaxFault as error:
        raise CompileError(str(error)) from None
    except RecursionError:
        raise CompileError(located(text[:80].split("\n", maxsplit=1)[0], 0, TOO_DEEP)) from None
    if why:
        raise PlanError(f"program instantiation failed: {why}")
    return Program(tree, found, text, evaluator)

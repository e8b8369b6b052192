"""Scripts of lab.toml: setup, traps, alternatives, faults. A step applies YAML, runs kubectl, gives an answer or waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.checks.phrases import phrase
from kit.checks.world import World
from kit.client.apply import apply
from kit.course.terminal import shell
from kit.errors import BadInput, KitError

Step = Mapping[str, Any]
_VERBS = ("apply", "sh", "answer", "wait")


@dataclass
class Stage:
    """Where steps act: the world, the lab's manifests, a shell's variables, and where answers go."""

    world: World
    manifests: Path
    variables: Mapping[str, str]
    answer: Callable[[str, str], None]

    def play(self, steps: Sequence[Step]) -> None:
        """Do the steps in order; the first that fails raises."""
        for step in steps:
            self._do(step)

    def _do(self, step: Step) -> None:
        verb = next((verb for verb in _VERBS if verb in step), None)
        if verb is None:
            raise BadInput(f"a step without a verb: {dict(step)}", f"one of {', '.join(_VERBS)}")
        getattr(self, f"_{verb}")(step)

    def _apply(self, step: Step) -> None:
        text = step["apply"]
        if "\n" not in text.strip():
            text = (self.manifests / text).read_text(encoding="utf-8")
        apply(self.world.objects, text, step.get("namespace"))

    def _sh(self, step: Step) -> None:
        shell(step["sh"], self.variables)

    def _answer(self, step: Step) -> None:
        for question, option in step["answer"].items():
            self.answer(question, option)

    def _wait(self, step: Step) -> None:
        condition = phrase(step["wait"])
        within = step.get("within", "60s")
        if not self.world.wait(lambda: condition.look(self.world).ok or None, within):
            raise KitError(f"{step['wait']}: not within {within}; found {condition.look(self.world).observed.en}")

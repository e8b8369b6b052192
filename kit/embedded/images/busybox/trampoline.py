"""Runs generators that call one another without the interpreter's stack, and sorts signals out."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any

from kit.embedded.core.program import Signal

MAX_CALLS = 8000


class Interrupted(Exception):
    """A signal came while the shell waited in `wait` or `read`."""


class TooDeep(Exception):
    """The script's calls are nested deeper than is simulated."""


class Signals:
    """The signals that came and were not yet acted upon; `breakable` says that the current wait ends with one."""

    def __init__(self) -> None:
        self.pending: list[int] = []
        self.breakable = False


def run(generator: Generator[Any, Any, Any], signals: Signals) -> Generator[Any, Any, Any]:
    """Drive `generator`; a generator it yields is called and its result sent back, all else is a call to the node.

    A signal is noted and the call done again, unless `signals.breakable`.
    """
    stack: list[Generator[Any, Any, Any]] = []
    send, value, error = generator.send, None, None
    while True:
        try:
            item = send(value) if error is None else generator.throw(error)
        except StopIteration as stop:
            if not stack:
                return stop.value
            generator = stack.pop()
            send, value, error = generator.send, stop.value, None
            continue
        except GeneratorExit:
            raise
        except Exception as raised:
            if not stack:
                raise
            generator = stack.pop()
            send, error = generator.send, raised
            continue
        value = error = None
        if item.__class__ is GeneratorType:
            if len(stack) > MAX_CALLS:
                item.close()
                error = TooDeep()
                continue
            stack.append(generator)
            generator = item
            send = generator.send
            continue
        while True:
            try:
                value = yield item
            except Signal as signal:
                signals.pending.append(signal.number)
                if not signals.breakable:
                    continue
                error = Interrupted()
            except GeneratorExit:
                generator.close()
                raise
            except Exception as raised:  # noqa: BLE001 - an Errno, handed on to whoever made the call
                error = raised
            break

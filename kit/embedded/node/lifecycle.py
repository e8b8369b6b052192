"""The Pod's phase and what its conditions ask of the containers. Models getPhase and pkg/kubelet/status/generate.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kit.embedded.node.units import Unit


class Tally(NamedTuple):
    """How many main containers are in which state; `unknown` have never run."""

    unknown: int
    running: int
    stopped: int
    succeeded: int
    retrying: int


def initialized(units: Sequence[Unit]) -> bool:
    """Say whether all init containers are done and all sidecars have started."""
    return all(_init_done(unit) for unit in units if unit.kind in ("init", "sidecar"))


def incomplete(units: Sequence[Unit]) -> list[str]:
    """Return the init containers that are not done yet."""
    return [unit.name for unit in units if unit.kind in ("init", "sidecar") and not _init_done(unit)]


def _init_done(unit: Unit) -> bool:
    if unit.kind == "sidecar":
        return unit.started or unit.last is not None or (unit.ending is not None and unit.instances > 1)
    return unit.ending is not None and unit.ending.code == 0


def phase(units: Sequence[Unit], policy: str, *, over: bool) -> str:
    """Return the phase; `over` says that nothing will be started any more (the Pod is being deleted or has been stopped)."""
    inits = [unit for unit in units if unit.kind == "init"]
    failed = [unit for unit in inits if unit.ending is not None and unit.ending.code != 0]
    if failed and (policy == "Never" or over):
        return "Failed"
    mains = [unit for unit in units if unit.kind == "main"]
    tally = _tally(mains)
    if not initialized(units) and not over and not tally.running and not tally.stopped:
        return "Pending"
    if over and not tally.running and not tally.unknown:
        return "Succeeded" if tally.succeeded == tally.stopped else "Failed"
    found = _of(tally, policy)
    if found in ("Succeeded", "Failed") and any(unit.kind == "sidecar" and unit.running for unit in units):
        return "Running"
    return found


def ended(units: Sequence[Unit], policy: str) -> bool:
    """Say whether nothing is left to run: an init container failed for good, or every main one is done."""
    mains = [unit for unit in units if unit.kind == "main"]
    if any(unit.kind == "init" and unit.ending and unit.ending.code and not unit.wants(policy) for unit in units):
        return True
    return all(unit.ending is not None and not unit.running and not unit.wants(policy) for unit in mains)


def _tally(mains: Sequence[Unit]) -> Tally:
    ended = [unit for unit in mains if not unit.running and unit.ending is not None]
    return Tally(
        unknown=sum(1 for unit in mains if not unit.running and unit.ending is None),
        running=sum(1 for unit in mains if unit.running),
        stopped=len(ended),
        succeeded=sum(1 for unit in ended if unit.ending is not None and unit.ending.code == 0),
        retrying=sum(1 for unit in ended if unit.problem is not None),
    )


def _of(tally: Tally, policy: str) -> str:
    rules = (
        (tally.unknown > 0, "Pending"),
        (tally.running > 0, "Running"),
        (policy == "Always", "Running"),
        (tally.stopped == tally.succeeded, "Succeeded"),
        (policy == "Never", "Failed"),
        (True, "Running"),
    )
    return next(result for holds, result in rules if holds)

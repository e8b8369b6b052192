"""Which Pods of lower priority would have to go so that one that fits nowhere fits.

Models pkg/scheduler/framework/preemption and plugins/defaultpreemption. PodDisruptionBudgets are not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kit.embedded.controllers.scheduler import filters
from kit.embedded.controllers.scheduler.nodefit import Reasons
from kit.embedded.controllers.scheduler.occupancy import Load, Seat, World
from kit.embedded.core.store import Obj


class Choice(NamedTuple):
    """A node, and the Pods that must leave it."""

    node: str
    victims: Sequence[Obj]


def priority(pod: Obj) -> int:
    """Return a Pod's priority."""
    return int(pod["spec"].get("priority") or 0)


def may_preempt(pod: Obj, world: World) -> bool:
    """Say whether a Pod may drive others away: not while those it drove away already are still ending."""
    load = world.loads.get((pod.get("status") or {}).get("nominatedNodeName", ""))
    ending = load is not None and any(
        "deletionTimestamp" in other["metadata"] and priority(other) < priority(pod) for other in load.pods
    )
    return pod["spec"].get("preemptionPolicy") != "Never" and not ending


def choose(pod: Obj, world: World, refused: Mapping[str, Reasons]) -> Choice | None:
    """Return where preemption costs least: lowest highest priority, then lowest sum, then fewest victims."""
    found = []
    for node in world.nodes:
        name = node["metadata"]["name"]
        if not any(reason in filters.UNRESOLVABLE for reason in refused[name]):
            victims = _victims(pod, node, world)
            if victims:
                found.append(Choice(name, victims))
    return min(found, key=_cost, default=None)


def _cost(choice: Choice) -> tuple[int, int, int]:
    ranks = [priority(pod) for pod in choice.victims]
    return max(ranks), sum(rank + 2**31 for rank in ranks), len(ranks)


def _victims(pod: Obj, node: Obj, world: World) -> Sequence[Obj]:
    """Take all lesser Pods off, then give back, the greatest first, each that leaves room."""
    name, seats = node["metadata"]["name"], list(world.load(node).seats.values())
    lesser = sorted((one for one in seats if priority(one.pod) < priority(pod)), key=_rank)
    kept = [one for one in seats if priority(one.pod) >= priority(pod)]

    def fits(staying: Sequence[Seat]) -> bool:
        tried = replace(world, loads={**world.loads, name: Load.of(staying)})
        return not filters.reasons(pod, node, tried)

    if not lesser or not fits(kept):
        return ()
    victims = []
    for one in lesser:
        if fits([*kept, one]):
            kept.append(one)
        else:
            victims.append(one.pod)
    return victims


def _rank(one: Seat) -> tuple[int, str, str]:
    return -priority(one.pod), (one.pod.get("status") or {}).get("startTime") or "", one.pod["metadata"]["name"]

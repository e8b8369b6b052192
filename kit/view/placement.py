"""The placement board: each node a frame, its Pods inside, a bar of what they request of its CPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.kube.quantities import Quantity
from kit.view.graph import pod_state
from kit.view.scene import Box, Scene

Obj = Mapping[str, Any]
WIDTH = 200
POD = (176, 40)
GAP = 14
HEAD = 52
WAITING = "waiting for a node"


def scene(nodes: Iterable[Obj], pods: Iterable[Obj], title: str, waiting: str = WAITING) -> Scene:
    """Return the board; Pods without a node stand in a frame of their own at the right, when there are any."""
    listed = sorted(pods, key=lambda pod: (pod["metadata"].get("namespace", ""), pod["metadata"]["name"]))
    frames = [
        (node["metadata"]["name"], node) for node in sorted(nodes, key=lambda node: str(node["metadata"]["name"]))
    ]
    by_node: dict[str, list[Obj]] = {name: [] for name, _ in frames}
    for pod in listed:
        by_node.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
    rows = max((len(found) for found in by_node.values()), default=0)
    height = HEAD + rows * (POD[1] + 8) + 8
    boxes: list[Box] = []
    for index, (name, node) in enumerate([*frames, *([("", None)] if by_node.get("") else [])]):
        x = float(GAP + index * (WIDTH + GAP))
        boxes.append(_frame(name, node, by_node[name], x, height, waiting))
        boxes += [_pod(pod, x, row) for row, pod in enumerate(by_node[name])]
    width = GAP + (len(frames) + bool(by_node.get(""))) * (WIDTH + GAP)
    return Scene(title, boxes, (), width, height + 2 * GAP)


def _frame(name: str, node: Obj | None, pods: Iterable[Obj], x: float, height: float, waiting: str) -> Box:
    if node is None:
        return Box("Frame/", "Frame", waiting, "wait", "", x, GAP, WIDTH, height)
    total = Quantity.parse((node["status"].get("allocatable") or {}).get("cpu", "0")).milli
    asked = sum(_cpu(pod) for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"))
    note = f"{asked}m of {total}m CPU requested"
    return Box(
        f"Frame/{name}",
        "Node",
        name,
        _node_state(node),
        note,
        x,
        GAP,
        WIDTH,
        height,
        min(1.0, asked / total) if total else 0.0,
    )


def _node_state(node: Obj) -> str:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or [])
    return "bad" if not ready else "gone" if node["spec"].get("unschedulable") else "plain"


def _cpu(pod: Obj) -> int:
    found = ((container.get("resources") or {}).get("requests") or {} for container in pod["spec"]["containers"])
    return sum(Quantity.parse(requests.get("cpu", "0")).milli for requests in found)


def _pod(pod: Obj, x: float, row: int) -> Box:
    state, note = pod_state(pod)
    name = pod["metadata"]["name"]
    y = GAP + HEAD + row * (POD[1] + 8)
    return Box(f"Pod/{pod['metadata'].get('namespace', '')}/{name}", "Pod", name, state, note, x + 12, y, *POD)

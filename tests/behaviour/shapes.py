"""Objects that the behaviour tests make."""

from __future__ import annotations

from typing import Any


def pod(name: str, image: str = "busybox:1.37", command: list[str] | None = None, **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent"}
    for key in ("resources", "env", "livenessProbe", "readinessProbe", "lifecycle", "ports", "volumeMounts"):
        if key in spec:
            container[key] = spec.pop(key)
    if command:
        container["command"] = command
    spec.setdefault("terminationGracePeriodSeconds", 1)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }


SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.2; done"]

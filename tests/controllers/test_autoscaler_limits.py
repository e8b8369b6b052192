"""What an autoscaler says when the rate and the bounds hold it back, also where both allow the same number."""

from __future__ import annotations

import pytest

from kit.embedded.controllers.autoscaler import limits


def policy(value: int) -> dict[str, object]:
    """Return rules that allow so many Pods a minute."""
    return {"policies": [{"type": "Pods", "value": value, "periodSeconds": 60}]}


@pytest.mark.parametrize(
    ("pods", "current", "wanted", "out", "reason"),
    [
        (2, 2, 9, 4, "ScaleUpLimit"),
        (4, 2, 9, 6, "TooManyReplicas"),
        (6, 2, 9, 6, "TooManyReplicas"),
        (2, 6, 1, 4, "ScaleDownLimit"),
        (4, 6, 1, 2, "TooFewReplicas"),
        (5, 6, 1, 2, "TooFewReplicas"),
        (5, 3, 4, 4, "DesiredWithinRange"),
    ],
)
def test_what_holds_back_is_named(pods: int, current: int, wanted: int, out: int, reason: str) -> None:
    """The bound is named where the rate allows just as much, as upstream does."""
    rules = {"scaleUp": policy(pods), "scaleDown": policy(pods)}
    spec = {"minReplicas": 2, "maxReplicas": 6, "behavior": rules}
    found, (named, _) = limits.limited(spec, limits.Memory(), current, wanted, 0)
    assert (found, named) == (out, reason)

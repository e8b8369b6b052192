"""Names of resources and the amounts they may have: cpu, hugepages-2Mi, example.com/gpu, requests.storage.

Models pkg/apis/core/validation/validation.go (validateResourceName and those after it) and pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes

CONTAINER: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTED: Final = frozenset(
    {
        "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    }
)  # fmt: skip
MEASURED: Final = frozenset(
    {
        *CONTAINER, "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
        "limits.ephemeral-storage",
    }
)  # fmt: skip
STANDARD: Final = COUNTED | MEASURED | {"storage"}
HUGE, REQUESTS, OURS = "hugepages-", "requests.", "kubernetes.io/"


def huge(name: str) -> bool:
    """Return whether a resource is pages of a size of their own."""
    return name.startswith(HUGE)


def native(name: str) -> bool:
    """Return whether a resource is Kubernetes' own."""
    return "/" not in name or OURS in name


def overcommitted(name: str) -> bool:
    """Return whether more of a resource may be promised than there is."""
    return native(name) and not huge(name)


def known(name: str, at: str, out: Causes) -> None:
    """Want a standard resource, or a name with a domain."""
    _tell(_known(name), name, at, out)


def of_container(name: str, at: str, out: Causes) -> None:
    """Want a resource that a container can ask for."""
    _tell(_of_container(name), name, at, out)


def of_quota(name: str, at: str, out: Causes) -> None:
    """Want a resource that a quota can count."""
    known(name, at, out)
    counted = name in COUNTED | MEASURED or name.startswith((HUGE, REQUESTS + HUGE))
    if "/" not in name and not counted:
        out.append(status.invalid_value(at, name, "must be a standard resource for quota"))


def amount(name: str, value: Any, at: str, out: Causes) -> None:
    """Want a quantity that is not negative, and a whole number of what is counted."""
    natural(value, at, out)
    if _whole(name) and parsed(value).nano % 10**9:
        out.append(status.invalid_value(at, str(parsed(value)), "must be an integer"))


def natural(value: Any, at: str, out: Causes) -> None:
    """Want a quantity that is not negative."""
    if parsed(value).nano < 0:
        out.append(status.invalid_value(at, str(parsed(value)), checks.NOT_NEGATIVE))


@lru_cache(maxsize=2048)
def parsed(value: Any) -> Quantity:
    """Return a quantity."""
    return Quantity.parse(value)


def _tell(complaints: Iterable[str], name: str, at: str, out: Causes) -> None:
    out.extend(status.invalid_value(at, name, text) for text in complaints)


@lru_cache(maxsize=512)
def _known(name: str) -> tuple[str, ...]:
    if complaints := names.qualified(name):
        return tuple(complaints)
    if "/" not in name and name not in STANDARD and not name.startswith((HUGE, REQUESTS + HUGE)):
        return ("must be a standard resource type or fully qualified",)
    return ()


@lru_cache(maxsize=512)
def _of_container(name: str) -> tuple[str, ...]:
    if "/" not in name and name not in CONTAINER and not huge(name):
        return *_known(name), "must be a standard resource for containers"
    if not native(name) and not _extended(name):
        return *_known(name), "doesn't follow extended resource name standard"
    return _known(name)


@lru_cache(maxsize=512)
def _whole(name: str) -> bool:
    return name in COUNTED or _extended(name)


def _extended(name: str) -> bool:
    """Return whether a resource is somebody else's: also its name in a quota must be one."""
    return not native(name) and not name.startswith(REQUESTS) and not names.qualified(REQUESTS + name)

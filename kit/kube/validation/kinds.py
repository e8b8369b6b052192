"""Which checks each kind must pass: the table of validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kit.kube import names
from kit.kube.validation import apps, pod
from kit.kube.validation.checks import Causes, Check, Obj

Whole = Callable[[Obj, Causes], None]
Change = Callable[[Obj, Obj, Causes], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """The checks of one kind: its names, a new object, a changed one (`again`, then `update`), its status, its parts."""

    name: Callable[[str], list[str]] = names.subdomain
    create: Whole | None = None
    again: Whole | None = None
    update: Change | None = None
    status: Change | None = None
    parts: Mapping[str, Change] = field(default_factory=dict)


OTHERS: Final = Rules()


def _same(check: Whole, *, update: Change | None = None, status: Change | None = None, **more: Any) -> Rules:
    """Return the rules of a kind whose changed objects must pass what new ones must."""
    return Rules(create=check, again=check, update=update, status=status, **more)


def _counts(check: Check) -> Change:
    return lambda new, old, out: check(new, "", out)


RULES: Final[dict[str, Rules]] = {
    "Pod": Rules(
        create=pod.create, update=pod.update, status=pod.update_status, parts={"ephemeralcontainers": pod.ephemeral}
    ),
    "ReplicationController": _same(apps.replication_controller, status=_counts(apps.COUNTS)),
    "Deployment.apps": _same(apps.deployment, update=apps.keep_selector, status=_counts(apps.COUNTS)),
    "ReplicaSet.apps": _same(apps.replica_set, update=apps.keep_selector, status=_counts(apps.COUNTS)),
    "DaemonSet.apps": _same(apps.daemon_set, update=apps.keep_selector),
    "StatefulSet.apps": Rules(
        names.label, apps.stateful_set, apps.stateful_set_spec, apps.keep_identity, _counts(apps.COUNTS)
    ),
    "Namespace": Rules(names.label),
    "Service": Rules(names.label),
    "PodDisruptionBudget.policy": Rules(names.path_segment),
    "ClusterRoleBinding.rbac.authorization.k8s.io": Rules(names.path_segment),
    "ClusterRole.rbac.authorization.k8s.io": Rules(names.path_segment),
    "RoleBinding.rbac.authorization.k8s.io": Rules(names.path_segment),
    "Role.rbac.authorization.k8s.io": Rules(names.path_segment),
}

"""Fills the ClusterRoles that gather the rules of others: `view`, `edit`, `admin`, and whoever else has an aggregationRule.

Models pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube.selectors import of_object

ROLES = "clusterroles.rbac.authorization.k8s.io"
API_VERSION = "rbac.authorization.k8s.io/v1"


def _gathering(event: Event, view: View) -> Iterable[Key]:
    """Map a ClusterRole to all that gather: labels may have come or gone."""
    for role in view.list(ROLES):
        if role.get("aggregationRule"):
            yield Key(ROLES, "", role["metadata"]["name"])


class ClusterRoleAggregation:
    """The aggregation controller."""

    name = "clusterrole-aggregation-controller"
    user = "system:serviceaccount:kube-system:clusterrole-aggregation-controller"
    manager = "clusterrole-aggregation-controller"
    component = "clusterrole-aggregation-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {ROLES: _gathering}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Apply the rules of the roles that are selected, each once."""
        role = view.at(key)
        if role is None or not role.get("aggregationRule"):
            return
        rules = gathered(role, view.list(ROLES))
        if rules == (role.get("rules") or []):
            return
        meta = {"name": key.name}
        wanted = {"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": meta, "rules": rules}
        answer = yield Patch(key, wanted, "apply")
        if isinstance(answer, Status):
            raise answer


def gathered(role: Obj, roles: Sequence[Obj]) -> list[Obj]:
    """Return the rules of all roles that one selects, selector by selector and in the order of names."""
    out: list[Obj] = []
    for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
        wanted = of_object(selector)
        for one in roles:
            meta = one["metadata"]
            if meta["name"] != role["metadata"]["name"] and wanted.matches(meta.get("labels") or {}):
                out += [rule for rule in one.get("rules") or () if rule not in out]
    return out

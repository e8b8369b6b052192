"""Defaulting: what the API server fills in before it looks at an object.

One walker, one table. `plan` compiles a definition of the schema into a `Plan`; `fields` holds the constants,
`rules` what depends on other fields, `wire` how Go writes a field that is empty.
"""

from __future__ import annotations

from typing import Any

from kit.kube.defaults.plan import plan_of

__all__ = ["apply_defaults"]


def apply_defaults(obj: dict[str, Any]) -> dict[str, Any]:
    """Return `obj` as the API server reads it; the input stays as it is and unchanged parts are shared."""
    plan = plan_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    return obj if plan is None else plan.apply(obj)

"""Validation of Pod templates and of the selectors that must match them.

Models pkg/apis/core/validation/validation.go (ValidatePodTemplateSpec) and pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from kit.kube import selectors, status
from kit.kube.selectors import Selector
from kit.kube.validation import checks, metadata, pod_spec
from kit.kube.validation.checks import Causes, Obj

MISMATCH = "`selector` does not match template `labels`"


def template(value: Obj, at: str, out: Causes) -> None:
    """Check a Pod template."""
    meta, spec = value.get("metadata") or {}, value.get("spec") or {}
    checks.labels(meta.get("labels"), f"{at}.labels", out)
    metadata.notes(meta.get("annotations"), f"{at}.annotations", out)
    pod_spec.validate(spec, f"{at}.spec", out, pod=False)
    if spec.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        out.append(status.forbidden_value(f"{at}.spec.ephemeralContainers", why))


def controlled(value: Obj, of: str, at: str, out: Causes) -> None:
    """Check the template of a controller whose Pods run for ever; `of` is its kind."""
    template(value, at, out)
    spec = value.get("spec") or {}
    if spec.get("restartPolicy") not in (None, "Always"):
        found = [cause for cause in out if cause.field == f"{at}.spec.restartPolicy"]
        if not found:
            out.append(status.not_supported(f"{at}.spec.restartPolicy", spec["restartPolicy"], ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {of} is not Supported"
        out.append(status.forbidden_value(f"{at}.spec.activeDeadlineSeconds", why))


def readable(selector: Any, why: str, out: Causes) -> bool:
    """Check the selector of a controller; return whether it can be read."""
    found = selectors.complaints(selector or {}, "spec.selector")
    out.extend(found)
    if selector == {}:
        out.append(status.invalid_value("spec.selector", selector, why))
    return not found


def matching(selector: Selector, value: Obj, out: Causes, at: str = "spec.template") -> None:
    """Want a template whose labels the selector matches."""
    labels = (value.get("metadata") or {}).get("labels")
    if not selector.empty and not selector.matches(labels):
        out.append(status.invalid_value(f"{at}.metadata.labels", labels, MISMATCH))

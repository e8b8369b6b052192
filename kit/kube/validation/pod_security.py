"""Validation of security contexts of Pods and containers.

Models pkg/apis/core/validation/validation.go (validatePodSpecSecurityContext, ValidateSecurityContext).
"""

from __future__ import annotations

import re
from typing import Final

from kit.kube import status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, rows
from kit.kube.validation.internal import CORE, internal

PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
PROC_MOUNTS: Final = ("Default", "Unmasked")


def pod_context(context: Obj, at: str, out: Causes) -> None:
    """Check what a Pod says about the users and profiles of all its containers."""
    _POD(context, at, out)
    seen: set[str] = set()
    for index, one in enumerate(context.get("sysctls") or ()):
        name = one.get("name") or ""
        where = f"{at}.sysctls[{index}].name"
        if not name:
            out.append(status.required(where))
        elif len(name) > 253 or not re.fullmatch(SYSCTL, name):
            why = f"must have at most 253 characters and match regex ^{SYSCTL}$"
            out.append(status.invalid_value(where, name, why))
        elif name.replace("/", ".") in seen:
            out.append(status.duplicate(where, name))
        seen.add(name.replace("/", "."))
    _profiles(context, at, out)


def container_context(context: Obj, at: str, out: Causes, *, apart: bool) -> None:
    """Check what a container says about its user and its rights; `apart`: its Pod has a user namespace of its own."""
    _CONTAINER(context, at, out)
    if context.get("procMount") == "Unmasked" and not apart:
        why = "`hostUsers` must be false to use `Unmasked`"
        out.append(status.invalid_value(f"{at}.procMount", "Unmasked", why))
    _profiles(context, at, out)
    if context.get("allowPrivilegeEscalation") is False:
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        if context.get("privileged"):
            out.append(status.invalid_value(at, internal(context, CORE + "SecurityContext"), why))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            out.append(status.invalid_value(at, internal(context, CORE + "SecurityContext"), why))


def _profiles(context: Obj, at: str, out: Causes) -> None:
    for key, kind in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        profile = context.get(key)
        if profile is not None:
            _profile(profile, f"{at}.{key}", kind, out)


def _profile(profile: Obj, at: str, kind: str, out: Causes) -> None:
    chosen, local = profile.get("type"), profile.get("localhostProfile")
    name = f"{kind}Profile" if kind == "seccomp" else "appArmorProfile"
    if not chosen:
        out.append(status.required(f"{at}.type", f"type is required when {name} is set"))
    elif chosen not in PROFILES:
        out.append(status.not_supported(f"{at}.type", chosen, PROFILES))
    elif chosen == "Localhost" and not local:
        out.append(status.required(f"{at}.localhostProfile", f"must be set when {kind} type is Localhost"))
    elif chosen == "Localhost":
        _local(str(local), f"{at}.localhostProfile", out)
    elif local is not None:
        shown = internal(profile, CORE + ("SeccompProfile" if kind == "seccomp" else "AppArmorProfile"))
        value = shown if kind == "seccomp" else local
        why = f"can only be set when {kind} type is Localhost"
        out.append(status.invalid_value(f"{at}.localhostProfile", value, why))


def _local(path: str, at: str, out: Causes) -> None:
    if path.startswith("/"):
        out.append(status.invalid_value(at, path, "must be a relative path"))
    if ".." in path.split("/"):
        out.append(status.invalid_value(at, path, "must not contain '..'"))


_POD: Final = rows(
    ("fsGroup", checks.identity),
    ("runAsUser", checks.identity),
    ("runAsGroup", checks.identity),
    ("supplementalGroups[]", checks.identity),
    ("fsGroupChangePolicy", checks.one_of("Always", "OnRootMismatch")),
    ("supplementalGroupsPolicy", checks.one_of("Merge", "Strict")),
)
_CONTAINER: Final = rows(
    ("runAsUser", checks.identity),
    ("runAsGroup", checks.identity),
    ("procMount", checks.one_of(*PROC_MOUNTS)),
)

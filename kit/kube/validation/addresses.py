"""Validation of IPAddresses, ServiceCIDRs and IngressClasses. Models pkg/apis/networking/validation/validation.go."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

CONTROLLER_MAX: Final = 250
PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def name(value: str) -> list[str]:
    """Return what is wrong with the name of an IPAddress: an address as it is usually written. Models ValidateIPAddressName."""
    if not checks.is_ip(value):
        return checks.ip_complaints(value)
    usual = str(ip_address(value))
    return [] if usual == value else [f"must be in canonical form ({status.shown(usual)})"]


def ip(obj: Obj, out: Causes) -> None:
    """Check an IPAddress."""
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        out.append(status.required("spec.parentRef"))
        return
    checks.subdomain(parent.get("group"), "spec.parentRef.group", out)
    for key in ("resource", "name"):
        checks.needed(names.path_segment)(parent.get(key), f"spec.parentRef.{key}", out)
    checks.named(names.path_segment)(parent.get("namespace"), "spec.parentRef.namespace", out)


def service_cidr(obj: Obj, out: Causes) -> None:
    """Check a ServiceCIDR."""
    found = (obj.get("spec") or {}).get("cidrs") or []
    if not found:
        out.append(status.required("spec.cidrs", "at least one CIDR required"))
    elif len(found) > 2:
        out.append(status.invalid_value("spec.cidrs", {"CIDRs": found}, "may only hold up to 2 values"))
    else:
        for index, one in enumerate(found):
            checks.cidr(one, f"spec.cidrs[{index}]", out)
        families = [ip_network(one, strict=False).version for one in found if checks.is_cidr(one)]
        if len(families) == 2 and families[0] == families[1]:
            why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            out.append(status.invalid_value("spec.cidrs", found, why))


def ingress_class(obj: Obj, out: Causes) -> None:
    """Check an IngressClass."""
    spec = obj.get("spec") or {}
    controller = spec.get("controller") or ""
    if len(controller) > CONTROLLER_MAX:
        out.append(status.too_long("spec.controller", CONTROLLER_MAX))
    _domain_path(controller, "spec.controller", out)
    if spec.get("parameters") is not None:
        _parameters(spec["parameters"], "spec.parameters", out)


def _domain_path(value: str, at: str, out: Causes) -> None:
    """Want a path with a domain before it. Models IsDomainPrefixedPath."""
    host, slash, path = value.partition("/")
    if not value:
        out.append(status.required(at))
    elif not (slash and host and path):
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        out.append(status.invalid_value(at, value, why))
    else:
        checks.name(names.subdomain, host, at, out)
        if not re.fullmatch(PATH, path):
            out.append(status.invalid_value(at, path, names.regex("Invalid path", PATH)))


def _parameters(given: Obj, at: str, out: Causes) -> None:
    if given.get("apiGroup") is not None:
        checks.name(names.subdomain, given["apiGroup"], f"{at}.apiGroup", out)
    for key in ("kind", "name"):
        checks.needed(names.path_segment)(given.get(key), f"{at}.{key}", out)
    scope, space = given.get("scope"), given.get("namespace")
    if scope is None:
        out.append(status.required(f"{at}.scope"))
    elif scope not in ("Cluster", "Namespace"):
        out.append(status.not_supported(f"{at}.scope", scope, ("Cluster", "Namespace")))
    elif scope == "Cluster" and space is not None:
        out.append(status.forbidden_value(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'"))
    elif scope == "Namespace":
        _space(space, f"{at}.namespace", out)


def _space(space: Any, at: str, out: Causes) -> None:
    if space is None:
        out.append(status.required(at, "`parameters.scope` is set to 'Namespace'"))
    else:
        checks.name(names.label, space, at, out)

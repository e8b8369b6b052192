"""Validation of Ingresses, NetworkPolicies, Endpoints and EndpointSlices.

Models pkg/apis/networking/validation/validation.go, pkg/apis/discovery/validation/validation.go and, for Endpoints,
pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, rows
from kit.kube.validation.core_service import not_special
from kit.kube.validation.pod_probes import port

PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
BAD_PARTS: Final = ("//", "/./", "/../", "%2f", "%2F")
BAD_ENDS: Final = ("/..", "/.")
PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
MIXED: Final = "cannot set both port name & port number"
_DNS_NOT_IP: Final = "must be a DNS name, not an IP address"


def ingress(obj: Obj, out: Causes) -> None:
    """Check an Ingress."""
    spec = obj.get("spec") or {}
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        why = "either `defaultBackend` or `rules` must be specified"
        out.append(status.invalid_value("spec", None, why))
    if spec.get("defaultBackend") is not None:
        _backend(spec["defaultBackend"], "spec.defaultBackend", out)
    for index, rule in enumerate(spec.get("rules") or ()):
        _rule(rule, f"spec.rules[{index}]", out)
    for index, one in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(one.get("hosts") or ()):
            _name(host, f"spec.tls[{index}].hosts[{number}]", out)
    checks.subdomain(spec.get("ingressClassName"), "spec.ingressClassName", out)


def _name(host: str, at: str, out: Causes) -> None:
    checks.name(names.wildcard_subdomain if "*" in host else names.subdomain, host, at, out)


def _rule(rule: Obj, at: str, out: Causes) -> None:
    host = rule.get("host")
    if host:
        if checks.is_ip(host):
            out.append(status.invalid_value(f"{at}.host", host, _DNS_NOT_IP))
        else:
            _name(host, f"{at}.host", out)
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        out.append(status.required(f"{at}.http.paths"))
    for index, one in enumerate(http.get("paths") or ()):
        _path(one, f"{at}.http.paths[{index}]", out)


def _path(one: Obj, at: str, out: Causes) -> None:
    kind, path = one.get("pathType"), one.get("path") or ""
    if kind is None:
        out.append(status.required(f"{at}.pathType", "pathType must be specified"))
    elif kind in {"Exact", "Prefix"}:
        _absolute(path, f"{at}.path", out)
        _tidy(path, f"{at}.path", out)
    elif kind == "ImplementationSpecific":
        if path:
            _absolute(path, f"{at}.path", out)
    else:
        out.append(status.not_supported(f"{at}.pathType", kind, PATH_TYPES))
    _backend(one.get("backend") or {}, f"{at}.backend", out)


def _absolute(path: str, at: str, out: Causes) -> None:
    if not path.startswith("/"):
        out.append(status.invalid_value(at, path, "must be an absolute path"))


def _tidy(path: str, at: str, out: Causes) -> None:
    for bad in BAD_PARTS:
        if bad in path:
            out.append(status.invalid_value(at, path, f"must not contain '{bad}'"))
    for bad in BAD_ENDS:
        if path.endswith(bad):
            out.append(status.invalid_value(at, path, f"cannot end with '{bad}'"))


def _backend(backend: Obj, at: str, out: Causes) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if resource is not None and service is not None:
        out.append(status.invalid_value(at, "", "cannot set both resource and service backends"))
    elif resource is not None:
        rows(("kind", checks.required), ("name", checks.required))(resource, f"{at}.resource", out)
    elif service is None:
        out.append(status.invalid_value(at, "", "resource or service backend is required"))
    else:
        _service(service, at, out)


def _service(service: Obj, at: str, out: Causes) -> None:
    name, chosen = service.get("name"), service.get("port") or {}
    if not name:
        out.append(status.required(f"{at}.service.name"))
    else:
        checks.name(names.label, name, f"{at}.service.name", out)
    if chosen.get("name") and chosen.get("number"):
        out.append(status.invalid_value(at, "", MIXED))
    elif chosen.get("name"):
        checks.name(names.port_name, chosen["name"], f"{at}.service.port.name", out)
    elif chosen.get("number"):
        checks.port(chosen["number"], f"{at}.service.port.number", out)
    else:
        out.append(status.required(at, "port name or number is required"))


def keep_controller(new: Obj, old: Obj, out: Causes) -> None:
    """Want an IngressClass that stays its controller's."""
    wanted = (new.get("spec") or {}).get("controller")
    if wanted != (old.get("spec") or {}).get("controller"):
        out.append(status.immutable("spec.controller", wanted))


def network_policy(obj: Obj, out: Causes) -> None:
    """Check a NetworkPolicy."""
    spec = obj.get("spec") or {}
    checks.selector(spec.get("podSelector"), "spec.podSelector", out)
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            at = f"spec.{direction}[{index}]"
            for number, one in enumerate(rule.get("ports") or ()):
                _policy_port(one, f"{at}.ports[{number}]", out)
            for number, one in enumerate(rule.get(peers) or ()):
                _peer(one, f"{at}.{peers}[{number}]", out)
    if len(spec.get("policyTypes") or ()) > 2:
        why = "may not specify more than two policyTypes"
        out.append(status.invalid_value("spec.policyTypes", spec["policyTypes"], why))
        return
    for index, one in enumerate(spec.get("policyTypes") or ()):
        checks.one_of("Ingress", "Egress")(one, f"spec.policyTypes[{index}]", out)


def _policy_port(one: Obj, at: str, out: Causes) -> None:
    checks.one_of(*PROTOCOLS)(one.get("protocol"), f"{at}.protocol", out)
    number, end = one.get("port"), one.get("endPort")
    if number is not None:
        port(number, f"{at}.port", out)
    if end is None:
        return
    if number is None:
        out.append(status.required(f"{at}.endPort", "may not be specified when `port` is not specified"))
    elif isinstance(number, str):
        out.append(status.invalid_value(f"{at}.endPort", number, "may not be specified when `port` is non-numeric"))
    elif end < number:
        out.append(status.invalid_value(f"{at}.endPort", end, "must be greater than or equal to `port`"))
    else:
        checks.port(end, f"{at}.endPort", out)


def _peer(one: Obj, at: str, out: Causes) -> None:
    block = one.get("ipBlock")
    others = one.get("podSelector") is not None or one.get("namespaceSelector") is not None
    if block is None and not others:
        out.append(status.required(at, "must specify a peer"))
        return
    checks.selector(one.get("podSelector"), f"{at}.podSelector", out)
    checks.selector(one.get("namespaceSelector"), f"{at}.namespaceSelector", out)
    if block is not None:
        _block(block, f"{at}.ipBlock", out)
        if others:
            out.append(status.forbidden_value(at, "may not specify both ipBlock and another peer"))


def _block(block: Obj, at: str, out: Causes) -> None:
    whole = block.get("cidr")
    if not whole:
        out.append(status.required(f"{at}.cidr"))
        return
    checks.cidr(whole, f"{at}.cidr", out)
    if not checks.is_cidr(whole):
        return
    for index, one in enumerate(block.get("except") or ()):
        where = f"{at}.except[{index}]"
        if not checks.is_cidr(one):
            checks.cidr(one, where, out)
        elif not _inside(one, whole):
            out.append(status.invalid_value(where, one, "must be a strict subset of `cidr`"))


def _inside(part: str, whole: str) -> bool:
    inner, outer = ip_network(part, strict=False), ip_network(whole, strict=False)
    if inner.version != outer.version:
        return False
    return inner.prefixlen > outer.prefixlen and inner.network_address in outer


def endpoints(obj: Obj, out: Causes) -> None:
    """Check Endpoints."""
    for index, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{index}]"
        groups = [key for key in ("addresses", "notReadyAddresses") if subset.get(key)]
        if not groups:
            out.append(status.required(at, "must specify `addresses` or `notReadyAddresses`"))
        for key in groups:
            for number, one in enumerate(subset[key]):
                _endpoint(one, f"{at}.{key}[{number}]", out)
        for number, one in enumerate(subset.get("ports") or ()):
            _endpoint_port(one, f"{at}.ports[{number}]", len(subset["ports"]) > 1, out)


def _endpoint(one: Obj, at: str, out: Causes) -> None:
    address, before = one.get("ip") or "", len(out)
    checks.address(address, f"{at}.ip", out)
    checks.label(one.get("hostname"), f"{at}.hostname", out)
    checks.subdomain(one.get("nodeName"), f"{at}.nodeName", out)
    if len(out) > before and not checks.is_ip(address):
        out.append(status.invalid_value(f"{at}.ip", address, "must be a valid IP address"))
    elif checks.is_ip(address):
        not_special(address, f"{at}.ip", out)


def _endpoint_port(one: Obj, at: str, many: bool, out: Causes) -> None:
    if many and not one.get("name"):
        out.append(status.required(f"{at}.name"))
    checks.label(one.get("name"), f"{at}.name", out)
    checks.port(one.get("port") or 0, f"{at}.port", out)
    checks.always_one_of("SCTP", "TCP", "UDP")(one.get("protocol"), f"{at}.protocol", out)


def endpoint_slice(obj: Obj, out: Causes) -> None:
    """Check an EndpointSlice."""
    kind = obj.get("addressType")
    if not kind:
        out.append(status.required("addressType"))
        return
    if kind not in {"FQDN", "IPv4", "IPv6"}:
        out.append(status.not_supported("addressType", kind, ("FQDN", "IPv4", "IPv6")))
        return
    for index, one in enumerate(obj.get("endpoints") or ()):
        _slice_endpoint(one, kind, f"endpoints[{index}]", out)
    seen: set[Any] = set()
    for index, one in enumerate(obj.get("ports") or ()):
        name = one.get("name") or ""
        if name in seen:
            out.append(status.duplicate(f"ports[{index}].name", name))
        seen.add(name)
        checks.label(name, f"ports[{index}].name", out)
        checks.always_one_of("SCTP", "TCP", "UDP")(one.get("protocol"), f"ports[{index}].protocol", out)


def _slice_endpoint(one: Obj, kind: str, at: str, out: Causes) -> None:
    if not one.get("addresses"):
        out.append(status.required(f"{at}.addresses"))
    for index, address in enumerate(one.get("addresses") or ()):
        where = f"{at}.addresses[{index}]"
        if kind == "FQDN":
            checks.name(names.subdomain, address, where, out)
        elif not checks.is_ip(address):
            checks.address(address, where, out)
        elif checks.family(address) != kind:
            out.append(status.invalid_value(where, address, f"must be an {kind} address"))
        else:
            not_special(address, where, out)


def keep_address_type(new: Obj, old: Obj, out: Causes) -> None:
    """Want an EndpointSlice that stays of its type, and is fine."""
    if new.get("addressType") != old.get("addressType"):
        out.append(status.immutable("addressType", None))
    else:
        endpoint_slice(new, out)


def keep_cidrs(new: Obj, old: Obj, out: Causes) -> None:
    """Want a ServiceCIDR whose networks stay; more may come."""
    wanted, before = (new.get("spec") or {}).get("cidrs") or [], (old.get("spec") or {}).get("cidrs") or []
    for index, was in enumerate(before):
        if index >= len(wanted) or wanted[index] != was:
            value = wanted[index] if index < len(wanted) else None
            out.append(status.immutable(f"spec.cidrs[{index}]", value))

"""Validation of Services.

Models pkg/apis/core/validation/validation.go (ValidateService, ValidateServiceUpdate), whose order this keeps.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, rows
from kit.kube.validation.internal import CORE, internal
from kit.kube.validation.pod_probes import port

TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
BALANCED: Final = "may only be used when `type` is 'LoadBalancer'"
DISTRIBUTIONS: Final = ("PreferClose", "PreferSameZone", "PreferSameNode")
AFFINITY_MAX: Final = 86_400
LOOPBACK: Final = "may not be in the loopback range (127.0.0.0/8, ::1/128)"


def service(obj: Obj, out: Causes) -> None:
    """Check a Service."""
    spec = obj["spec"]
    kind, ips, ports = spec.get("type"), _addresses(spec), spec.get("ports") or ()
    unfit: Causes = []
    if kind != "ExternalName":
        _cluster_ips(spec, ips, unfit)
    if (
        unfit
    ):  # found when addresses are looked for, before anything else is asked (registry/core/service/storage/alloc.go)
        out[:] = unfit
        return
    headless = ips[:1] == ["None"]
    if not ports and not headless and kind != "ExternalName":
        out.append(status.required("spec.ports"))
    if kind in {"LoadBalancer", "NodePort"} and headless:
        why = f"may not be set to 'None' for {kind} services"
        out.append(status.invalid_value("spec.clusterIPs[0]", "None", why))
    if kind == "ExternalName":
        _external_name(spec, ips, out)
    _ports(ports, out)
    checks.labels(spec.get("selector"), "spec.selector", out)
    _affinity(spec, out)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        where, before = f"spec.externalIPs[{index}]", len(out)
        checks.address(address, where, out)
        if len(out) == before:
            not_special(address, where, out)
    checks.always_one_of(*TYPES)(kind, "spec.type", out)
    _node_ports(spec, out)
    _repeated(ports, out)
    _balancer(spec, out)
    _traffic(spec, out)


def _addresses(spec: Obj) -> list[str]:
    given: list[str] = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return given


def _external_name(spec: Obj, ips: list[str], out: Causes) -> None:
    if ips:
        out.append(status.forbidden_value("spec.clusterIPs", "may not be set for ExternalName services"))
    name = (spec.get("externalName") or "").removesuffix(".")
    checks.needed(names.subdomain)(name, "spec.externalName", out)


def _ports(ports: Any, out: Causes) -> None:
    seen: set[str] = set()
    for index, one in enumerate(ports):
        at, name = f"spec.ports[{index}]", one.get("name")
        if name:
            checks.label(name, f"{at}.name", out)
            if name in seen:
                out.append(status.duplicate(f"{at}.name", name))
            seen.add(name)
        elif len(ports) > 1:
            out.append(status.required(f"{at}.name"))
        checks.port(one.get("port") or 0, f"{at}.port", out)
        checks.always_one_of(*PROTOCOLS)(one.get("protocol"), f"{at}.protocol", out)
        port(one.get("targetPort"), f"{at}.targetPort", out)
        checks.named(names.qualified)(one.get("appProtocol"), f"{at}.appProtocol", out)


def _repeated(ports: Any, out: Causes) -> None:
    taken: set[tuple[Any, Any]] = set()
    for index, one in enumerate(ports):
        key = (one.get("protocol"), one.get("port"))
        if key in taken:
            shown = internal({"protocol": key[0], "port": key[1]}, CORE + "ServicePort")
            out.append(status.duplicate(f"spec.ports[{index}]", shown))
        taken.add(key)


def _affinity(spec: Obj, out: Causes) -> None:
    kind, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    if not kind:
        out.append(status.required("spec.sessionAffinity"))
    elif kind not in {"ClientIP", "None"}:
        out.append(status.not_supported("spec.sessionAffinity", kind, ("ClientIP", "None")))
    if kind == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= AFFINITY_MAX:
            why = f"must be greater than 0 and less than {AFFINITY_MAX}"
            out.append(status.invalid_value("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, why))
    elif kind == "None" and config is not None:
        why = "must not be set when session affinity is None"
        out.append(status.forbidden_value("spec.sessionAffinityConfig", why))


def _cluster_ips(spec: Obj, ips: list[str], out: Causes) -> None:
    """Models ValidateServiceClusterIPsRelatedFields."""
    families = spec.get("ipFamilies") or []
    for index, one in enumerate(families):
        if one not in {"IPv4", "IPv6"}:
            out.append(status.not_supported(f"spec.ipFamilies[{index}]", one, ("IPv4", "IPv6")))
        elif one == "IPv6" and not ips:
            out.append(status.invalid_value(f"spec.ipFamilies[{index}]", one, "not configured on this cluster"))
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    checks.one_of(*policies)(spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy", out)
    if spec.get("clusterIPs") and spec.get("clusterIP", ips[0]) != ips[0]:
        out.append(status.invalid_value("spec.clusterIPs", ips, "first value must match `clusterIP`"))
    for index, one in enumerate(ips):
        at = f"spec.clusterIPs[{index}]"
        if one == "None":
            if index:
                out.append(status.invalid_value(at, one, "must be empty when `clusterIPs` is set to 'None'"))
            continue
        before = len(out)
        checks.address(one, at, out)
        if len(out) == before and index < len(families) and checks.family(one) != families[index]:
            why = f"expected an {families[index]} value as indicated by `ipFamilies[{index}]`"
            out.append(status.invalid_value(at, one, why))


def not_special(address: str, at: str, out: Causes) -> None:
    """Want an address of a machine of its own. Models ValidateNonSpecialIP."""
    found = ip_address(address)
    if found.is_unspecified:
        out.append(status.invalid_value(at, address, f"may not be unspecified ({address})"))
    if found.is_loopback:
        out.append(status.invalid_value(at, address, LOOPBACK))
    if found.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        out.append(status.invalid_value(at, address, why))
    if found.is_multicast and (found.packed[:3] == b"\xe0\x00\x00" or found.version == 6):
        why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        out.append(status.invalid_value(at, address, why))


def _node_ports(spec: Obj, out: Causes) -> None:
    if spec.get("type") != "ClusterIP":
        return
    for index, one in enumerate(spec.get("ports") or ()):
        if one.get("nodePort"):
            why = "may not be used when `type` is 'ClusterIP'"
            out.append(status.forbidden_value(f"spec.ports[{index}].nodePort", why))


def _balancer(spec: Obj, out: Causes) -> None:
    balanced = spec.get("type") == "LoadBalancer"
    ranges = spec.get("loadBalancerSourceRanges") or ()
    if ranges and not balanced:
        out.append(status.forbidden_value("spec.LoadBalancerSourceRanges", BALANCED))
    elif ranges:
        for index, one in enumerate(ranges):
            checks.cidr(one.strip(), f"spec.LoadBalancerSourceRanges[{index}]", out)
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        out.append(status.forbidden_value("spec.allocateLoadBalancerNodePorts", BALANCED))
    if spec.get("loadBalancerClass") is not None:
        if balanced:
            checks.name(names.qualified, spec["loadBalancerClass"], "spec.loadBalancerClass", out)
        else:
            out.append(status.forbidden_value("spec.loadBalancerClass", BALANCED))


def _traffic(spec: Obj, out: Causes) -> None:
    kind, policy = spec.get("type"), spec.get("externalTrafficPolicy")
    reachable = kind in {"NodePort", "LoadBalancer"} or (kind == "ClusterIP" and spec.get("externalIPs"))
    if policy and not reachable:
        why = "may only be set for externally-accessible services"
        out.append(status.invalid_value("spec.externalTrafficPolicy", policy, why))
    elif reachable:
        checks.always_one_of("Cluster", "Local")(policy, "spec.externalTrafficPolicy", out)
    number = spec.get("healthCheckNodePort")
    if number and not (kind == "LoadBalancer" and policy == "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        out.append(status.invalid_value("spec.healthCheckNodePort", number, why))
    _WORDS(spec, "spec", out)


_WORDS: Final = rows(
    ("internalTrafficPolicy", checks.one_of("Cluster", "Local")),
    ("trafficDistribution", checks.one_of(*DISTRIBUTIONS)),
)


def update(new: Obj, old: Obj, out: Causes) -> None:
    """Check what changes in a Service, then the Service."""
    spec, before = new["spec"], old["spec"]
    ips, was = _addresses(spec), _addresses(before)
    if "ExternalName" not in {spec.get("type"), before.get("type")} and ips and was and ips[0] != was[0]:
        out.append(status.invalid_value("spec.clusterIPs[0]", ips, "may not change once set"))
    if spec.get("type") == before.get("type") == "LoadBalancer":
        wanted = spec.get("loadBalancerClass")
        if wanted != before.get("loadBalancerClass"):
            out.append(status.invalid_value("spec.loadBalancerClass", wanted, "may not change once set"))
    service(new, out)

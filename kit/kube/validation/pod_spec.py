"""Validation of a Pod's spec, in Pods and in templates.

Models pkg/apis/core/validation/validation.go (ValidatePodSpec), whose order this keeps.
"""

from __future__ import annotations

from typing import Final

from kit.kube import names, status
from kit.kube.validation import checks, pod_containers, pod_resources, pod_scheduling, pod_security, pod_volumes
from kit.kube.validation.checks import INT32, Causes, Obj, known_good, rows

DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
NAMESERVERS_MAX: Final = 3
SEARCHES_MAX: Final = 32
SEARCH_LENGTH_MAX: Final = 2048


def validate(spec: Obj, at: str, out: Causes, *, pod: bool = True) -> None:
    """Check the spec of a Pod, or of a template when `pod` is false."""
    volumes = pod_volumes.volumes(spec.get("volumes") or (), f"{at}.volumes", out)
    pod_containers.containers(spec, at, out, volumes=volumes, pod=pod)
    if spec.get("resources"):
        pod_resources.pod_level(spec, at, out)
    _policies(spec, at, out)
    if spec.get("nodeSelector"):
        checks.labels(spec["nodeSelector"], f"{at}.nodeSelector", out)
    if spec.get("securityContext"):
        pod_security.pod_context(spec["securityContext"], f"{at}.securityContext", out)
    if spec.get("affinity"):
        pod_scheduling.affinity(spec["affinity"], f"{at}.affinity", out)
    if spec.get("dnsConfig") or spec.get("dnsPolicy") == "None":
        _dns_config(spec, f"{at}.dnsConfig", out)
    if spec.get("readinessGates"):
        _GATES(spec, at, out)
    if spec.get("schedulingGates"):
        pod_scheduling.gates(spec["schedulingGates"], f"{at}.schedulingGates", out)
    if spec.get("topologySpreadConstraints"):
        pod_scheduling.spread(spec["topologySpreadConstraints"], f"{at}.topologySpreadConstraints", out)
    _identity(spec, at, out)
    if spec.get("tolerations"):
        pod_scheduling.tolerations(spec["tolerations"], f"{at}.tolerations", out)
    _RARE(spec, at, out)
    if spec.get("os"):
        _os(spec["os"], f"{at}.os", out)


def _policies(spec: Obj, at: str, out: Causes) -> None:
    policy = spec.get("restartPolicy")
    if policy not in RESTART_POLICIES:
        out.append(checks.unsupported(f"{at}.restartPolicy", policy, RESTART_POLICIES))
    policy = spec.get("dnsPolicy")
    if policy not in DNS_POLICIES:
        out.append(checks.unsupported(f"{at}.dnsPolicy", policy, DNS_POLICIES))


def _dns_config(spec: Obj, at: str, out: Causes) -> None:
    """Models validatePodDNSConfig."""
    config = spec.get("dnsConfig") or {}
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        if not spec.get("dnsConfig"):
            out.append(status.required(at, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        out.append(status.required(f"{at}.nameservers", why))
    if len(servers) > NAMESERVERS_MAX:
        why = f"must not have more than {NAMESERVERS_MAX} nameservers"
        out.append(status.invalid_value(f"{at}.nameservers", servers, why))
    for index, server in enumerate(servers):
        checks.address(server, f"{at}.nameservers[{index}]", out)
    if len(searches) > SEARCHES_MAX:
        why = f"must not have more than {SEARCHES_MAX} search paths"
        out.append(status.invalid_value(f"{at}.searches", searches, why))
    if len(" ".join(searches)) > SEARCH_LENGTH_MAX:
        why = f"must not have more than {SEARCH_LENGTH_MAX} characters (including spaces) in the search list"
        out.append(status.invalid_value(f"{at}.searches", searches, why))
    for index, search in enumerate(searches):
        if search != ".":
            checks.name(names.subdomain, search.removesuffix("."), f"{at}.searches[{index}]", out)
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            out.append(status.required(f"{at}.options[{index}]", "must not be empty"))


def _identity(spec: Obj, at: str, out: Causes) -> None:
    for key, rule in _NAMES:
        value = spec.get(key)
        if value and known_good(rule, value):
            checks.name(rule, value, f"{at}.{key}", out)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32:
        why = f"must be between 1 and {INT32}, inclusive"
        out.append(status.invalid_value(f"{at}.activeDeadlineSeconds", deadline, why))
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            checks.label(spec[key], f"{at}.{key}", out)


_NAMES: Final = (("serviceAccountName", names.subdomain), ("nodeName", names.subdomain))
_GATES: Final = rows(("readinessGates.[].conditionType", checks.named(names.qualified)))
_RARE: Final = rows(
    ("hostAliases.[].ip", checks.address),
    ("hostAliases.[].hostnames.[]", checks.subdomain),
    ("priorityClassName", checks.subdomain),
    ("runtimeClassName", checks.subdomain),
    ("preemptionPolicy", checks.one_of("Never", "PreemptLowerPriority")),
)


def _os(value: Obj, at: str, out: Causes) -> None:
    name = value.get("name")
    if not name:
        out.append(status.required(f"{at}.name", "cannot be empty"))
    elif name not in {"linux", "windows"}:
        out.append(status.not_supported(at, name, ("linux", "windows")))

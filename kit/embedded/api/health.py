"""/healthz, /livez, /readyz: their checks, all together or one alone. All of them hold while the machine turns.

Models k8s.io/apiserver/pkg/server/healthz/healthz.go.
"""

from __future__ import annotations

from kit.embedded.api.answers import TEXT, text
from kit.embedded.core.turns import Request, Response
from kit.kube.gotext import go_quoted

_HOOKS = (
    "start-apiserver-admission-initializer", "generic-apiserver-start-informers", "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter", "storage-object-count-tracker-hook", "start-apiextensions-informers",
    "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller",
    "peer-endpoint-reconciler-controller", "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller", "start-kube-apiserver-identity-lease-garbage-collector",
    "storage-readiness", "start-legacy-token-tracking-controller", "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes", "priority-and-fairness-config-producer",
    "bootstrap-controller", "start-kubernetes-service-cidr-controller", "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers", "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller", "apiservice-registration-controller", "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
)  # fmt: skip
_SHARED = (
    *(f"poststarthook/{hook}" for hook in _HOOKS),
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
)
_ALIVE = ("ping", "log", "loopback-serving-certificate", "etcd", *_SHARED)
CHECKS = {
    "healthz": _ALIVE,
    "livez": _ALIVE,
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", *_SHARED, "shutdown"),
}


def answer(request: Request, path: str) -> Response | None:
    """Return the answer of /healthz, /livez, /readyz and their checks, None for other paths."""
    root, slash, check = path.removeprefix("/").partition("/")
    if root not in CHECKS or (slash and check not in CHECKS[root]):
        return None
    if check:
        return Response(200, (("Cache-Control", "no-cache, private"), ("Content-Type", TEXT)), b"ok")
    if not any(key == "verbose" for key, _ in request.query):
        return text("ok")
    left_out = {value for key, value in request.query if key == "exclude"}
    lines = [f"[+]{one} excluded: ok" if one in left_out else f"[+]{one} ok" for one in CHECKS[root]]
    unknown = sorted(left_out - set(CHECKS[root]))
    if unknown:
        named = ",".join(go_quoted(one) for one in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {named}")
    return text("\n".join([*lines, f"{root} check passed", ""]))

"""What the API server counts of itself, for /metrics: requests, watches, objects. Durations are measured where time exists, at the edge.

Models k8s.io/apiserver/pkg/endpoints/metrics/metrics.go. As there, what no route leads to and what is refused before its handler
(nobody known, not allowed, no such resource or method) is not among the requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.discovery import version
from kit.embedded.api.health import CHECKS
from kit.embedded.api.negotiation import aggregated
from kit.embedded.core.allocators import Addresses
from kit.embedded.core.counts import Counts
from kit.embedded.core.exposition import COUNTER, GAUGE, Family, Labels, Sample
from kit.embedded.core.turns import Request
from kit.kube.kinds import Resource

# verb, group, version, resource, subresource, scope, component, dry_run
LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component", "dry_run")
OPEN = LABELS[:7]
VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
CONNECTED = frozenset({"exec", "attach", "portforward", "proxy", "log"})
_ROOTS = {"/healthz": "/healthz", "/livez": "/livez", "/readyz": "/readyz", "/openapi/v3": "openapi/v3"}


def about(at: Attributes, *, applied: bool = False) -> Labels:
    """Return what a request about a resource is counted under."""
    resource, verb = at.resource, VERBS[at.verb]
    if at.subresource in CONNECTED:
        verb = "CONNECT"
    elif applied and verb == "PATCH":
        verb = "APPLY"
    scope = "resource" if at.name or verb == "POST" else "namespace" if at.namespace else "cluster"
    dry = "All" if at.dry_run else ""
    return verb, resource.group, resource.version, resource.plural, at.subresource, scope, "apiserver", dry


def about_path(request: Request, path: str) -> Labels | None:
    """Return what a request about another path is counted under, None where it is not."""
    found = _ROOTS.get(path)
    if found is None and path.startswith("/openapi/v3/"):
        found = "openapi/v3/"
    if found is not None:
        return request.method, "", "", "", found, "", "", ""
    if path in {"/api", "/apis"} and aggregated(request.headers.get("accept", "")) is not None:
        return request.method, "", "", "", path[1:], "", "apiserver", ""
    return None


def families(context: Context, watching: Mapping[Labels, int]) -> Iterator[Family]:
    """Yield everything that the machine knows; `watching` are the events that open watches have sent."""
    counts = context.counts
    yield from _built(context)
    yield Family(
        "apiserver_request_total", "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, "
        "resource, scope, component, and HTTP response code.", COUNTER, (*LABELS, "code"),
        [Sample((*labels, str(code)), number) for (labels, code), number in sorted(counts.requests.items())],
    )  # fmt: skip
    yield Family(
        "apiserver_longrunning_requests", "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, "
        "version, resource, scope and component. Not all requests are tracked this way.", GAUGE, OPEN,
        _samples(counts.open),
    )  # fmt: skip
    yield Family("apiserver_watch_events_total", "[BETA] Number of events sent in watch clients", COUNTER,
                 ("group", "version", "resource"), _samples(counts.events + Counter(watching)))  # fmt: skip
    yield Family(
        "apiserver_requested_deprecated_apis", "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API "
        "group, version, resource, subresource, and removed_release.", GAUGE,
        ("group", "version", "resource", "subresource", "removed_release"), _samples(counts.deprecated),
    )  # fmt: skip
    yield Family(
        "authorization_attempts_total", "[ALPHA] Counter of authorization attempts broken down by result. It can be either "
        "'allowed', 'denied', 'no-opinion' or 'error'.", COUNTER, ("result",),
        _samples({(result,): number for result, number in counts.authorizations.items()}),
    )  # fmt: skip
    yield from _standing(context)


# label -> field of /version
_BUILT = {
    "build_date": "buildDate",
    "compiler": "compiler",
    "git_commit": "gitCommit",
    "git_tree_state": "gitTreeState",
    "git_version": "gitVersion",
    "go_version": "goVersion",
    "major": "major",
    "minor": "minor",
    "platform": "platform",
}


def _built(context: Context) -> Iterator[Family]:
    """Yield which version this is."""
    told, named = version(context), context.settings.version.removeprefix("v")
    yield Family(
        "kubernetes_build_info", "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git "
        "tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
        GAUGE, tuple(_BUILT), [Sample(tuple(told[field] for field in _BUILT.values()), 1)],
    )  # fmt: skip
    least = f"{told['minCompatibilityMajor']}.{told['minCompatibilityMinor']}"
    yield Family(
        "version_info", "[ALPHA] Provides the compatibility version info of the component. The component label is the name of the "
        "component, usually kube, but is relevant for aggregated-apiservers.", GAUGE,
        ("binary", "component", "emulation", "min_compat"), [Sample((named, "kube", named.rpartition(".")[0], least), 1)],
    )  # fmt: skip


def _standing(context: Context) -> Iterator[Family]:
    """Yield what is so at this moment."""
    stored: dict[Labels, int] = {
        (resource.group, resource.plural): context.store.count(resource.group_resource) for resource in _stored(context)
    }
    yield Family(
        "apiserver_resource_objects", "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a "
        "fetching error, the value will be -1.", GAUGE, ("group", "resource"), _samples(stored),
    )  # fmt: skip
    used, cidr = context.addresses.used, (Addresses.RANGE,)
    yield Family("kube_apiserver_clusterip_allocator_allocated_ips", "[ALPHA] Gauge measuring the number of allocated IPs for "
                 "Services", GAUGE, ("cidr",), [Sample(cidr, used)])  # fmt: skip
    yield Family("kube_apiserver_clusterip_allocator_available_ips", "[ALPHA] Gauge measuring the number of available IPs for "
                 "Services", GAUGE, ("cidr",), [Sample(cidr, Addresses.SIZE - used)])  # fmt: skip


def _stored(context: Context) -> Iterator[Resource]:
    """Yield each resource that is kept, in one of its versions."""
    seen: set[str] = set()
    for resource in context.registry:
        if "watch" in resource.verbs and resource.group_resource not in seen:
            seen.add(resource.group_resource)
            yield resource


def slis(counts: Counts) -> Iterator[Family]:
    """Yield what /metrics/slis tells: the health checks, each of which holds while the machine turns."""
    listed = [(check, root) for root, checks in CHECKS.items() if root != "livez" for check in checks]
    yield Family("kubernetes_healthcheck", "[STABLE] This metric records the result of a single healthcheck.", GAUGE,
                 ("name", "type"), _samples(dict.fromkeys(listed, 1)))  # fmt: skip
    asked: dict[Labels, int] = {
        (check, "success", root): number for root, number in counts.checks.items() for check in CHECKS[root]
    }
    yield Family("kubernetes_healthchecks_total", "[STABLE] This metric records the results of all healthcheck.", COUNTER,
                 ("name", "status", "type"), _samples(asked))  # fmt: skip


def _samples(found: Mapping[Labels, int]) -> list[Sample]:
    return [Sample(labels, number) for labels, number in sorted(found.items())]

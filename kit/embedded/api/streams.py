"""log, exec, attach, port-forward and proxies: what the API server checks before the kubelet or the network takes over.

Models pkg/registry/core/pod/{strategy.go (LogLocation, ExecLocation ...),rest/subresources.go}.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from kit.embedded.api import reading
from kit.embedded.api.answers import refusal
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.embedded.core.turns import Request, Response, Ticket
from kit.errors import Status
from kit.kube import status, times

Stream = Callable[[Context, Attributes, Request, Ticket, str], bool]
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
KUBELET_PORT = 10250
DIALLING = "error dialing backend: "
LOG_OPTIONS = frozenset(
    (
        "follow",
        "previous",
        "sinceSeconds",
        "sinceTime",
        "timestamps",
        "tailLines",
        "limitBytes",
        "insecureSkipTLSVerifyBackend",
    )
)
LOG_NUMBERS = {"tailLines": 0, "sinceSeconds": 1, "limitBytes": 1}
NOT_TRUE = frozenset({"", "false", "0"})


def log(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Send a container's log."""
    options = _log_options(at)
    pod = reading.found(context, at).obj
    container = _container(pod, at.query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        ticket.answer(Response(204, (("Cache-Control", "no-cache, private"),), b""))
        return False
    path = f"containerLogs/{at.namespace}/{at.name}/{container}"
    asked = urlencode(sorted((key, value) for key, value in at.query.items() if key in LOG_OPTIONS))
    _dialled(context, pod, f'Get "https://{{address}}/{path}{"?" if asked else ""}{asked}": ')
    _nodes(context).logs(pod, container, options, ticket)
    return False


def _dialled(context: Context, pod: Obj, doing: str) -> None:
    """Refuse when the kubelet of the Pod's node can't be reached: the node is off."""
    nodes, node = _nodes(context), pod["spec"]["nodeName"]
    if not nodes.reached(node):
        address = f"{nodes.address(node)}:{KUBELET_PORT}"
        why = f"dial tcp {address}: connect: no route to host"
        raise Status("", doing.format(address=address) + why, code=500)


def _log_options(at: Attributes) -> dict[str, Any]:
    query, causes = at.query, []
    options: dict[str, Any] = {name: _true(query, name) for name in ("follow", "previous", "timestamps")}
    for name, least in LOG_NUMBERS.items():
        if name in query:
            options[name] = reading.integer(query[name])
            if options[name] < least:
                why = f"must be greater than {'or equal to ' if least == 0 else ''}0"
                causes.append(status.invalid_value(name, options[name], why))
    if "sinceTime" in query:
        options["sinceTime"] = query["sinceTime"]
        causes += _time_faults(query)
    if causes:
        raise status.invalid("", "PodLogOptions", at.name, causes)
    return options


def _time_faults(query: Mapping[str, str]) -> list[status.Cause]:
    try:
        times.parse(query["sinceTime"])
    except ValueError as error:
        raise status.bad_request(str(error)) from None
    if "sinceSeconds" in query:
        return [status.forbidden_value("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")]
    return []


def exec_(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Run a process in a container."""
    pod, container, options = _process(context, at, request)
    argv = [value for key, value in request.query if key == "command"]
    if not argv:
        raise status.bad_request("you must specify at least 1 command for the container")
    _dialled(context, pod, DIALLING)
    _nodes(context).execute(pod, container, argv, options, ticket)
    return True


def attach(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Join a container's main process."""
    pod, container, options = _process(context, at, request)
    _dialled(context, pod, DIALLING)
    _nodes(context).attach(pod, container, options, ticket)
    return True


def _process(context: Context, at: Attributes, request: Request) -> tuple[Obj, str, dict[str, bool]]:
    pod = reading.found(context, at).obj
    container = _container(pod, at.query.get("container", ""))
    _on_node(pod)
    _upgrade(request)
    options = {name: _true(at.query, name) for name in ("stdin", "stdout", "stderr", "tty")}
    if not any(options[name] for name in ("stdin", "stdout", "stderr")):
        raise status.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return pod, container, options


def portforward(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Open a port-forward: the WebSocket itself (no `ports`), or one connection of it (exactly one)."""
    pod = reading.found(context, at).obj
    _on_node(pod)
    _upgrade(request)
    _dialled(context, pod, DIALLING)
    asked = [value for key, value in request.query if key == "ports"]
    if not asked:
        ticket.begin(upgrade="ports")
        return True
    port = reading.integer(asked[0])
    if not 0 < port < 65_536:
        raise status.bad_request(f"port {asked[0]} must be in the range 1-65535")
    if context.network is None:
        raise status.unavailable("the network is not up yet")
    context.network.forward(pod, port, ticket)
    return True


def pod_proxy(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Hand a request on to a port of a Pod (the API server stands on the control plane's node)."""
    scheme, name, port = _target(at.name, "pod")
    pod = context.store.get(Key("pods", at.namespace, name))
    if pod is None:
        raise status.not_found("pods", name)
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        raise status.bad_request("address not allowed")
    return _fetch(context, request, ticket, address, port or _first_port(pod), scheme, rest)


def _first_port(pod: Obj) -> str:
    ports = [port["containerPort"] for one in pod["spec"]["containers"] for port in one.get("ports") or ()]
    return str(ports[0]) if ports else "80"


def service_proxy(context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str) -> bool:
    """Hand a request on to an endpoint of a Service."""
    scheme, name, port = _target(at.name, "service")
    service = context.store.get(Key("services", at.namespace, name))
    if service is None and port:
        raise status.not_found("services", name)
    if service is None:
        raise status.unavailable(f'no endpoints available for service "{name}"')
    found = _service_port(service, port)
    endpoints = _endpoints(context, at.namespace, name, found)
    if not endpoints:
        raise status.unavailable(f'no endpoints available for service "{name}"')
    address, number = endpoints[context.ids.below(len(endpoints))]
    return _fetch(context, request, ticket, address, str(number), scheme, rest)


def _service_port(service: Obj, port: str) -> str:
    """Return the name of the Service's port that a proxy path means; ServiceUnavailable when there is none."""
    name = service["metadata"]["name"]
    for one in service["spec"].get("ports") or ():
        if port in {"", one.get("name", ""), str(one["port"])}:
            return str(one.get("name", ""))
    raise status.unavailable(f'no service port "{port}" found for service "{name}"')


def _endpoints(context: Context, namespace: str, service: str, port: str) -> list[tuple[str, int]]:
    out = []
    for piece in context.store.list("endpointslices.discovery.k8s.io", namespace):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != service:
            continue
        numbers = [one["port"] for one in piece.get("ports") or () if one.get("name", "") == port]
        for endpoint in piece.get("endpoints") or ():
            if numbers and (endpoint.get("conditions") or {}).get("ready") is not False:
                out += [(address, numbers[0]) for address in endpoint["addresses"]]
    return out


def _target(name: str, what: str) -> tuple[str, str, str]:
    """Split `[SCHEME:]NAME[:PORT]`."""
    parts = name.split(":")
    if len(parts) > 3:
        raise status.bad_request(f'invalid {what} request "{name}"')
    if len(parts) == 3:
        return parts[0] or "http", parts[1], parts[2]
    return "http", parts[0], parts[1] if len(parts) == 2 else ""


def _fetch(context: Context, request: Request, ticket: Ticket, address: str, port: str, scheme: str, rest: str) -> bool:
    """Hand a request on, bytes as they are, without what is about this connection only."""
    if context.network is None:
        raise status.unavailable("the network is not up yet")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise status.unavailable(f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port")
    query = urlencode(request.query)
    spec = {
        "method": request.method,
        "url": f"{scheme}://{address}:{port}/{quote(rest)}{'?' if query else ''}{query}",
        "headers": _end_to_end(request.headers.items(), OWN_HEADERS),
        "body_base64": b64encode(request.body).decode(),
        "insecure": True,  # pkg/controlplane: the proxy's transport does not verify
    }
    source = f"node:{context.settings.node_names[0]}"
    context.network.fetch(source, spec, lambda result: ticket.answer(_proxied(result)))
    return True


# Models net/http/httputil/reverseproxy.go: hopHeaders
HOP_HEADERS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
OWN_HEADERS = frozenset({"authorization", "host", "content-length", "accept-encoding"})


def _end_to_end(headers: Iterable[tuple[Any, Any]], own: frozenset[str]) -> list[tuple[str, str]]:
    """Return the headers that are not about one hop; Connection names more of those."""
    pairs = [(str(name), str(value)) for name, value in headers]
    named = {word.strip().lower() for name, value in pairs if name.lower() == "connection" for word in value.split(",")}
    return [(name, value) for name, value in pairs if name.lower() not in HOP_HEADERS | own | named]


def _proxied(result: Mapping[str, Any]) -> Response:
    """Return what a backend answered, or why it could not be reached."""
    if result.get("error"):
        return refusal(status.unavailable(f"error trying to reach service: {result.get('said') or result['error']}"))
    headers = _end_to_end(result.get("headers") or (), frozenset({"content-length"}))
    return Response(int(result["status"]), tuple(headers), b64decode(result.get("body_base64") or ""))


def _container(pod: Obj, asked: str) -> str:
    """Return the container meant; BadRequest when there are several or none of that name."""
    names = [one["name"] for field in CONTAINERS for one in pod["spec"].get(field) or ()]
    name = pod["metadata"]["name"]
    if asked:
        if asked not in names:
            raise status.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    regular = [one["name"] for one in pod["spec"]["containers"]]
    if len(regular) == 1:  # init and ephemeral containers do not make it ambiguous
        return str(regular[0])
    marked = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if marked in names:
        return str(marked)
    kinds = {field: [one["name"] for one in pod["spec"].get(field) or ()] for field in CONTAINERS}
    every = [*kinds["initContainers"], *kinds["containers"], *kinds["ephemeralContainers"]]
    raise status.bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(every)}]")


def _on_node(pod: Obj) -> None:
    if not pod["spec"].get("nodeName"):
        raise status.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")


def _upgrade(request: Request) -> None:
    if not request.headers.get("upgrade"):
        raise status.bad_request("Upgrade request required")


def _true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() not in NOT_TRUE


def _nodes(context: Context) -> Any:
    if context.nodes is None:
        raise status.unavailable("the nodes are not up yet")
    return context.nodes


STREAMS: Mapping[tuple[str, str], Stream] = {
    ("pods", "log"): log,
    ("pods", "exec"): exec_,
    ("pods", "attach"): attach,
    ("pods", "portforward"): portforward,
    ("pods", "proxy"): pod_proxy,
    ("services", "proxy"): service_proxy,
}

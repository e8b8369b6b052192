"""Networking: Services, endpoints, Ingresses, policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kit.kube.printers.cells import NONE, UNKNOWN, UNSET, Object, Row, age, first, labels, name, selector, spec, status


def _balancer(obj: Object) -> str:
    found = (status(obj).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(
        sorted({entry.get("ip") or entry["hostname"] for entry in found if entry.get("ip") or entry.get("hostname")})
    )


def external_address(service: Object) -> str:
    """Return what EXTERNAL-IP says of a Service. Models getServiceExternalIP."""
    kind, given = spec(service).get("type"), spec(service).get("externalIPs") or []
    if kind in {"ClusterIP", "NodePort"}:
        return ",".join(given) or NONE
    if kind == "LoadBalancer":
        balancer = _balancer(service)
        return ",".join([*([balancer] if balancer else []), *given]) or "<pending>"
    return str(spec(service).get("externalName", "")) if kind == "ExternalName" else UNKNOWN


def ports(service: Object) -> str:
    """Return what PORT(S) says of a Service: `80/TCP`, `80:30080/TCP`. Models makePortString."""
    shown = []
    for port in spec(service).get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or NONE


def _service(obj: Object, now: int) -> list[Any]:
    addresses = spec(obj).get("clusterIPs") or [spec(obj).get("clusterIP") or NONE]
    where = [addresses[0], external_address(obj), ports(obj)]
    return [name(obj), spec(obj).get("type", ""), *where, age(obj, now), labels(spec(obj).get("selector"))]


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _addresses(obj: Object) -> Iterator[str]:
    for subset in obj.get("subsets") or ():
        addresses = [address["ip"] for address in subset.get("addresses") or ()]
        if not subset.get("ports"):
            yield from addresses
        for port in subset.get("ports") or ():
            for address in addresses:
                yield _joined(address, port["port"])


def _endpoints(obj: Object, now: int) -> list[Any]:
    return [name(obj), first(_addresses(obj)) or NONE, age(obj, now)]


def _endpoint_slice(obj: Object, now: int) -> list[Any]:
    numbers = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    shown = [first(numbers) or UNSET, first(addresses) or UNSET]
    return [name(obj), obj.get("addressType", ""), *shown, age(obj, now)]


def _ingress(obj: Object, now: int) -> list[Any]:
    hosts = [rule["host"] for rule in spec(obj).get("rules") or () if rule.get("host")]
    secure = "80, 443" if spec(obj).get("tls") else "80"
    kind = spec(obj).get("ingressClassName") or NONE
    return [name(obj), kind, first(hosts) or "*", _balancer(obj), secure, age(obj, now)]


def _ingress_class(obj: Object, now: int) -> list[Any]:
    default = (obj["metadata"].get("annotations") or {}).get("ingressclass.kubernetes.io/is-default-class") == "true"
    given = spec(obj).get("parameters")
    shown = NONE
    if given:
        group = f".{given['apiGroup']}" if given.get("apiGroup") else ""
        shown = f"{given['kind']}{group}/{given['name']}"
    return [f"{name(obj)}{' (default)' if default else ''}", spec(obj).get("controller", ""), shown, age(obj, now)]


def _policy(obj: Object, now: int) -> list[Any]:
    return [name(obj), selector(spec(obj).get("podSelector")), age(obj, now)]


def _address(obj: Object, _now: int) -> list[Any]:
    parent = spec(obj).get("parentRef") or {}
    path = [parent.get("resource", ""), parent.get("namespace", ""), parent.get("name", "")]
    shown = "/".join(part for part in path if part)
    return [name(obj), f"{parent['group']}/{shown}" if parent.get("group") else shown]


def _service_range(obj: Object, now: int) -> list[Any]:
    return [name(obj), ",".join(spec(obj).get("cidrs") or ()), age(obj, now)]


ROWS: Final[dict[str, Row]] = {
    "services": _service,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "ingresses.networking.k8s.io": _ingress,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "networkpolicies.networking.k8s.io": _policy,
    "ipaddresses.networking.k8s.io": _address,
    "servicecidrs.networking.k8s.io": _service_range,
}

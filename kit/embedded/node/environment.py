"""A container's environment: values, references, expansion, service variables.

Models pkg/kubelet/kubelet_pods.go and third_party/forked/golang/expansion.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.store import Obj
from kit.kube.gotext import go_quoted
from kit.kube.quantities import Quantity

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NODE_RESOURCES = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi"}


class ConfigError(Exception):
    """The container can't be configured; the message is the kubelet's (CreateContainerConfigError)."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value; unknown ones stay, `$$` is `$`. Models third_party/forked/golang/expansion."""
    out: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        following = text[index + 1 : index + 2]
        end = text.find(")", index + 2) if following == "(" else -1
        if char != "$" or not following:
            out.append(char)
            index += 1
        elif end > 0:
            name = text[index + 2 : end]
            out.append(values.get(name, f"$({name})"))
            index = end + 1
        else:
            out.append("$" if following == "$" else f"${following}")
            index += 2
    return "".join(out)


def build(
    pod: Obj, container: Obj, view: View, addresses: Mapping[str, str], image_env: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment. ConfigError when something it refers to is missing. `addresses` has podIP, hostIP, nodeName."""
    namespace = pod["metadata"]["namespace"]
    declared: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        declared.update(_from(source, namespace, view))
    services = dict(service_variables(view, namespace, links=pod["spec"].get("enableServiceLinks") is not False))
    for entry in container.get("env") or ():
        value = _value(entry, pod, container, view, addresses, {**services, **declared})
        if value is not None:
            declared[entry["name"]] = value
    hostname = {"HOSTNAME": addresses.get("hostname", "")}
    return {
        "PATH": PATH,
        **image_env,
        **hostname,
        **services,
        **declared,
        **({} if "HOME" in {**image_env, **declared} else {"HOME": "/root"}),
    }


def _from(source: Obj, namespace: str, view: View) -> Iterable[tuple[str, str]]:
    kind = "configMapRef" if "configMapRef" in source else "secretRef"
    reference = source[kind]
    found = _find(kind, reference, namespace, view)
    for key, value in sorted(_texts(kind, found).items()) if found else ():
        yield f"{source.get('prefix') or ''}{key}", value


def _find(kind: str, reference: Obj, namespace: str, view: View) -> Obj | None:
    resource, word = ("configmaps", "configmap") if kind.startswith("configMap") else ("secrets", "secret")
    found = view.get(resource, namespace, reference["name"])
    if found is None and not reference.get("optional"):
        raise ConfigError(f'{word} "{reference["name"]}" not found')
    return found


def _texts(kind: str, found: Obj) -> dict[str, str]:
    if kind.startswith("configMap"):
        return dict(found.get("data") or {})
    return {key: data.decode("utf-8", "replace") for key, data in secret_data(found).items()}


def secret_data(secret: Obj) -> dict[str, bytes]:
    """Return a Secret's data, decoded."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def _value(
    entry: Obj, pod: Obj, container: Obj, view: View, addresses: Mapping[str, str], known: Mapping[str, str]
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"], addresses)
    if "resourceFieldRef" in source:
        return resource(pod, container, source["resourceFieldRef"])
    kind = "configMapKeyRef" if "configMapKeyRef" in source else "secretKeyRef"
    reference = source[kind]
    namespace = pod["metadata"]["namespace"]
    found = _find(kind, reference, namespace, view)
    values = _texts(kind, found) if found else {}
    if reference["key"] not in values:
        if reference.get("optional"):
            return None
        word = "ConfigMap" if kind.startswith("configMap") else "Secret"
        raise ConfigError(f"couldn't find key {reference['key']} in {word} {namespace}/{reference['name']}")
    return values[reference["key"]]


def _source(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return what the kubelet notes on its own copy of a Pod. Models pkg/kubelet/config."""
    if "seen" not in addresses:
        return {}
    return {"kubernetes.io/config.seen": addresses["seen"], "kubernetes.io/config.source": "api"}


def field(pod: Obj, path: str, addresses: Mapping[str, str]) -> str:
    """Return a field of the downward API as text. Models pkg/fieldpath."""
    metadata, spec = pod["metadata"], pod["spec"]
    fixed: dict[str, Callable[[], Any]] = {
        "metadata.name": lambda: metadata["name"],
        "metadata.namespace": lambda: metadata["namespace"],
        "metadata.uid": lambda: metadata["uid"],
        "metadata.labels": lambda: _lines(metadata.get("labels")),
        "metadata.annotations": lambda: _lines({**(metadata.get("annotations") or {}), **_source(addresses)}),
        "spec.nodeName": lambda: spec.get("nodeName"),
        "spec.serviceAccountName": lambda: spec.get("serviceAccountName"),
        "status.podIP": lambda: addresses.get("podIP"),
        "status.podIPs": lambda: addresses.get("podIP"),
        "status.hostIP": lambda: addresses.get("hostIP"),
        "status.hostIPs": lambda: addresses.get("hostIP"),
    }
    if path in fixed:
        return str(fixed[path]() or "")
    for part in ("labels", "annotations"):
        if path.startswith(f"metadata.{part}['"):
            return str((metadata.get(part) or {}).get(path[len(part) + 11 : -2], ""))
    raise ConfigError(f"unsupported fieldPath: {path}")


def _lines(values: Mapping[str, str] | None) -> str:
    return "\n".join(f"{key}={go_quoted(value)}" for key, value in sorted((values or {}).items()))


def resource(pod: Obj, container: Obj, reference: Obj) -> str:
    """Return a container's request or limit, divided and rounded up; the node's amount where there is none."""
    name = reference.get("containerName")
    if name:
        container = next((one for one in _containers(pod) if one["name"] == name), container)
    kind, _, what = reference["resource"].partition(".")
    given = container.get("resources") or {}
    text = (given.get(kind) or {}).get(what)
    if text is None and kind == "requests":
        text = "0"
    amount = Quantity.parse(text if text is not None else NODE_RESOURCES.get(what, "0"))
    divisor = Quantity.parse(reference.get("divisor") or "1")
    unit = divisor.nano or Quantity.of(1).nano
    return str(-(-amount.nano // unit))


def _containers(pod: Obj) -> Sequence[Obj]:
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


def service_variables(view: View, namespace: str, *, links: bool) -> Iterable[tuple[str, str]]:
    """Yield the variables of the Services that are there: the namespace's own, and `kubernetes`. Models pkg/kubelet/envvars."""
    services = list(view.list("services", namespace)) if links else []
    master = view.get("services", "default", "kubernetes")
    if master is not None and all(service["metadata"]["name"] != "kubernetes" for service in services):
        services.append(master)
    for service in services:
        if service["spec"].get("clusterIP") not in (None, "", "None"):
            yield from _variables(service)


def _variables(service: Obj) -> Iterable[tuple[str, str]]:
    prefix = service["metadata"]["name"].upper().replace("-", "_")
    address, ports = service["spec"]["clusterIP"], service["spec"].get("ports") or ()
    yield f"{prefix}_SERVICE_HOST", address
    for index, port in enumerate(ports):
        if index == 0:
            yield f"{prefix}_SERVICE_PORT", str(port["port"])
        if port.get("name"):
            yield f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(port["port"])
    for index, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if index == 0:
            yield f"{prefix}_PORT", url
        base = f"{prefix}_PORT_{port['port']}_{protocol}"
        yield base, url
        yield f"{base}_PROTO", protocol.lower()
        yield f"{base}_PORT", str(port["port"])
        yield f"{base}_ADDR", address

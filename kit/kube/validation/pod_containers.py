"""Validation of containers, init containers and ephemeral containers.

Models pkg/apis/core/validation/validation.go (validateContainerCommon, ValidateContainers, validateInitContainers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kit.kube import names, status
from kit.kube.validation import checks, pod_env, pod_mounts, pod_probes, pod_resources, pod_security
from kit.kube.validation.checks import Causes, Obj, known_good

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
NOT_FOR_INIT: Final = "may not be set for init containers without restartPolicy=Always"
# What an ephemeral container may not have.
NOT_EPHEMERAL: Final = {
    "ports": "cannot be set for an Ephemeral Container",
    "livenessProbe": "cannot be set for an Ephemeral Container",
    "readinessProbe": "cannot be set for an Ephemeral Container",
    "startupProbe": "cannot be set for an Ephemeral Container",
    "lifecycle": "cannot be set for an Ephemeral Container",
    "resizePolicy": "cannot be set for an Ephemeral Container",
}
RESTARTS: Final = checks.one_of("Always", "Never", "OnFailure")
Volumes = Mapping[str, Obj]


def containers(spec: Obj, at: str, out: Causes, *, volumes: Volumes, pod: bool) -> None:
    """Check all containers of a Pod."""
    grace, apart = spec.get("terminationGracePeriodSeconds"), spec.get("hostUsers") is False
    main = spec.get("containers") or ()
    if not main:
        out.append(status.required(f"{at}.containers"))
    taken: set[str] = set()
    for index, container in enumerate(main):
        where = f"{at}.containers[{index}]"
        _common(container, where, out, volumes=volumes, pod=pod, apart=apart)
        _unique(container, where, taken, out)
        RESTARTS(container.get("restartPolicy"), f"{where}.restartPolicy", out)
        _running(container, where, grace, out)
    _host_ports(main, f"{at}.containers", out)
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{at}.initContainers[{index}]"
        _common(container, where, out, volumes=volumes, pod=pod, apart=apart)
        _unique(container, where, taken, out)
        RESTARTS(container.get("restartPolicy"), f"{where}.restartPolicy", out)
        _init(container, where, grace, out)
    if spec.get("ephemeralContainers"):
        _ephemeral(spec, at, out, volumes=volumes, taken=taken)


def _common(container: Obj, at: str, out: Causes, *, volumes: Volumes, pod: bool, apart: bool) -> None:
    """Check what all containers have; `apart`: the Pod has a user namespace of its own."""
    name, image = container.get("name"), container.get("image")
    if not name:
        out.append(status.required(f"{at}.name"))
    elif known_good(names.label, name):
        checks.name(names.label, name, f"{at}.name", out)
    if not image:
        out.append(status.required(f"{at}.image"))
    elif pod and image != image.strip():
        out.append(status.invalid_value(f"{at}.image", image, "must not have leading or trailing whitespace"))
    policy = container.get("terminationMessagePolicy")
    if policy not in MESSAGE_POLICIES:
        out.append(checks.unsupported(f"{at}.terminationMessagePolicy", policy, MESSAGE_POLICIES))
    if container.get("ports"):
        _ports(container["ports"], f"{at}.ports", out)
    if container.get("env"):
        pod_env.env(container["env"], f"{at}.env", out)
    if container.get("envFrom"):
        pod_env.env_from(container["envFrom"], f"{at}.envFrom", out)
    if container.get("volumeMounts") or container.get("volumeDevices"):
        pod_mounts.mounts(container, at, out, volumes=volumes)
    policy = container.get("imagePullPolicy")
    if policy not in PULL_POLICIES:
        out.append(checks.unsupported(f"{at}.imagePullPolicy", policy, PULL_POLICIES))
    if container.get("resources"):
        pod_resources.container(container["resources"], f"{at}.resources", out)
    if container.get("securityContext"):
        pod_security.container_context(container["securityContext"], f"{at}.securityContext", out, apart=apart)


def _unique(container: Obj, at: str, taken: set[str], out: Causes) -> None:
    name = container.get("name") or ""
    if name in taken:
        out.append(status.duplicate(f"{at}.name", name))
    taken.add(name)


def _running(container: Obj, at: str, grace: int | None, out: Causes) -> None:
    """Check what only a container that keeps running may have."""
    if container.get("lifecycle"):
        pod_probes.lifecycle(container["lifecycle"], f"{at}.lifecycle", grace, out)
    if container.get("livenessProbe"):
        pod_probes.liveness(container["livenessProbe"], f"{at}.livenessProbe", grace, out)
    if container.get("readinessProbe"):
        pod_probes.readiness(container["readinessProbe"], f"{at}.readinessProbe", out)
    if container.get("startupProbe"):
        pod_probes.liveness(container["startupProbe"], f"{at}.startupProbe", grace, out)


def _init(container: Obj, at: str, grace: int | None, out: Causes) -> None:
    if container.get("restartPolicy") == "Always":
        _running(container, at, grace, out)
        return
    for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(key) is not None:
            out.append(status.forbidden_value(f"{at}.{key}", NOT_FOR_INIT))


def _ports(ports: list[Obj], at: str, out: Causes) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{at}[{index}]"
        name = port.get("name")
        if name:
            complaints = known_good(names.port_name, name)
            if complaints:
                checks.name(names.port_name, name, f"{where}.name", out)
            elif name in seen:
                out.append(status.duplicate(f"{where}.name", name))
            seen.add(name)
        number, host, protocol = port.get("containerPort"), port.get("hostPort"), port.get("protocol")
        if not number:
            out.append(status.required(f"{where}.containerPort"))
        else:
            checks.port(number, f"{where}.containerPort", out)
        if host:
            checks.port(host, f"{where}.hostPort", out)
        if protocol not in PROTOCOLS:
            out.append(checks.unsupported(f"{where}.protocol", protocol, PROTOCOLS))


def _host_ports(main: Sequence[Obj], at: str, out: Causes) -> None:
    """Models checkHostPortConflicts."""
    taken: set[str] = set()
    for number, container in enumerate(main):
        for index, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            what = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if what in taken:
                out.append(status.duplicate(f"{at}[{number}].ports[{index}].hostPort", what))
            taken.add(what)


def _ephemeral(spec: Obj, at: str, out: Causes, *, volumes: Volumes, taken: set[str]) -> None:
    """Models validateEphemeralContainers."""
    others = {one.get("name") for key in ("containers", "initContainers") for one in spec.get(key) or ()}
    for index, container in enumerate(spec["ephemeralContainers"]):
        where = f"{at}.ephemeralContainers[{index}]"
        _common(container, where, out, volumes=volumes, pod=False, apart=spec.get("hostUsers") is False)
        _unique(container, where, taken, out)
        target = container.get("targetContainerName")
        if target and target not in others:
            out.append(status.value_not_found(f"{where}.targetContainerName", target))
        for key, why in NOT_EPHEMERAL.items():
            if container.get(key):
                out.append(status.forbidden_value(f"{where}.{key}", why))
        if any((container.get("resources") or {}).get(key) for key in ("limits", "requests")):
            why = "cannot be set for an Ephemeral Container"
            out.append(status.forbidden_value(f"{where}.resources", why))
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("subPath"):
                why = "cannot be set for an Ephemeral Container"
                out.append(status.forbidden_value(f"{where}.volumeMounts[{number}].subPath", why))

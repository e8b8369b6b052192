"""The Pod Security Standards: what a Pod may not ask for at the levels `baseline` and `restricted`, in which version.

Models k8s.io/pod-security-admission/policy (check_*.go, registry.go). A check returns the sentence that says what is wrong, "" when
nothing is; CHECKS holds them in the order their complaints are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.kube.gotext import go_quoted

Obj = Mapping[str, Any]
LEVELS = ("privileged", "baseline", "restricted")
NOW = 1_000_000
"""The minor version that `latest` stands for: newer than all."""
USER_NAMESPACES = 35
WINDOWS = 25


@dataclass(frozen=True, slots=True)
class Subject:
    """A Pod as the checks see it: annotations, spec, and the minor version of the standard."""

    annotations: Mapping[str, str]
    spec: Obj
    version: int

    def containers(self) -> Iterator[Obj]:
        """Yield all containers, the first to run first."""
        for field in ("initContainers", "containers", "ephemeralContainers"):
            yield from self.spec.get(field) or ()

    def security(self) -> Obj:
        """Return the Pod's security context."""
        return self.spec.get("securityContext") or {}

    @property
    def mapped(self) -> bool:
        """Whether the Pod's users are not the host's, which some checks let pass."""
        return self.spec.get("hostUsers") is False and self.version >= USER_NAMESPACES

    @property
    def windows(self) -> bool:
        """Whether the Pod is for Windows, to which some checks do not apply."""
        return (self.spec.get("os") or {}).get("name") == "windows" and self.version >= WINDOWS


def _of(container: Obj) -> Obj:
    return container.get("securityContext") or {}


def _names(found: Iterable[Obj]) -> list[str]:
    return [container["name"] for container in found]


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(go_quoted(word) for word in words)


def _several(word: str, listed: Sequence[Any]) -> str:
    return word if len(listed) == 1 else f"{word}s"


def _who(names: Sequence[str]) -> str:
    return f"{_several('container', names)} {_quoted(names)}"


def _setters(pod: bool, names: Sequence[str], join: str = "and") -> str:
    """Return `pod and containers "a", "b"`."""
    return f" {join} ".join([*(["pod"] if pod else []), *([_who(names)] if names else [])])


# --- baseline ---

ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _app_armor(pod: Subject) -> str:
    bad, whole = [c["name"] for c in pod.containers() if _armor(pod, c) == "Unconfined"], pod.security()
    open_pod = (whole.get("appArmorProfile") or {}).get("type") == "Unconfined"
    said = [
        f'{key}="{value}"' for key, value in sorted(pod.annotations.items()) if key.startswith(ARMOR) and _loose(value)
    ]
    if not (open_pod or bad or said):
        return ""
    setters = [one for one in (_setters(open_pod, bad), _several("annotation", said) if said else "") if one]
    values = [*(["Unconfined"] if open_pod or bad else []), *said]
    listed = ", ".join(f'"{value}"' for value in values)
    reason = _several("forbidden AppArmor profile", values)
    return f"{reason} ({' and '.join(setters)} must not set AppArmor profile type to {listed})"


def _loose(value: str) -> bool:
    return value not in {"", "runtime/default"} and not value.startswith("localhost/")


def _armor(pod: Subject, container: Obj) -> str:
    """Return a container's profile type; an annotation stands for the field that is not set."""
    said = "Unconfined" if pod.annotations.get(ARMOR + container["name"]) == "unconfined" else ""
    return (_of(container).get("appArmorProfile") or {}).get("type") or said


_USUAL = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
)
DEFAULT_CAPABILITIES = frozenset(_USUAL.split())


def _added(container: Obj) -> list[str]:
    return (_of(container).get("capabilities") or {}).get("add") or []


def _capabilities(pod: Subject) -> str:
    found = [c for c in pod.containers() if set(_added(c)) - DEFAULT_CAPABILITIES]
    if not found:
        return ""
    extra = sorted({word for c in found for word in _added(c)} - DEFAULT_CAPABILITIES)
    names = _names(found)
    return f"non-default capabilities ({_who(names)} must not include {_quoted(extra)} in securityContext.capabilities.add)"


def _host_namespaces(pod: Subject) -> str:
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(field)]
    return f"host namespaces ({', '.join(f'{field}=true' for field in found)})" if found else ""


def _host_paths(pod: Subject) -> str:
    found = [volume["name"] for volume in pod.spec.get("volumes") or () if volume.get("hostPath") is not None]
    return f"hostPath volumes ({_several('volume', found)} {_quoted(found)})" if found else ""


def _host_ports(pod: Subject) -> str:
    used = {c["name"]: [p["hostPort"] for p in c.get("ports") or () if p.get("hostPort")] for c in pod.containers()}
    names = [name for name, ports in used.items() if ports]
    listed = sorted({str(port) for ports in used.values() for port in ports})
    if not names:
        return ""
    verb = "uses" if len(names) == 1 else "use"
    return f"hostPort ({_who(names)} {verb} {_several('hostPort', listed)} {', '.join(listed)})"


PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def _probe_hosts(pod: Subject) -> str:
    used = {c["name"]: list(_hosts(c)) for c in pod.containers()}
    names = [name for name, hosts in used.items() if hosts]
    if not names:
        return ""
    listed = sorted({host for hosts in used.values() for host in hosts})
    verb = "uses" if len(names) == 1 else "use"
    return f"probe or lifecycle host ({_who(names)} {verb} probe or lifecycle {_several('host', listed)} {_quoted(listed)})"


def _hosts(container: Obj) -> Iterator[str]:
    hooks = container.get("lifecycle") or {}
    for handler in (*(container.get(name) for name in PROBES), hooks.get("postStart"), hooks.get("preStop")):
        for how in ("httpGet", "tcpSocket"):
            host = ((handler or {}).get(how) or {}).get("host")
            if host:
                yield host


def _privileged(pod: Subject) -> str:
    names = [c["name"] for c in pod.containers() if _of(c).get("privileged")]
    return f"privileged ({_who(names)} must not set securityContext.privileged=true)" if names else ""


def _proc_mount(pod: Subject) -> str:
    found = [c for c in pod.containers() if _of(c).get("procMount") not in {None, "", "Default"}]
    if not found or pod.mapped:
        return ""
    values = sorted({_of(c)["procMount"] for c in found})
    return f"procMount ({_who(_names(found))} must not set securityContext.procMount to {_quoted(values)})"


SE_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
ENGINE = ("container_engine_t", 31)


def _se_linux(pod: Subject) -> str:
    allowed = {*SE_TYPES, *([ENGINE[0]] if pod.version >= ENGINE[1] else [])}
    whole = pod.security().get("seLinuxOptions") or {}
    each = {c["name"]: _of(c).get("seLinuxOptions") or {} for c in pod.containers()}

    def bad(options: Obj) -> bool:
        return options.get("type", "") not in allowed or bool(options.get("user") or options.get("role"))

    names = [name for name, options in each.items() if bad(options)]
    if not bad(whole) and not names:
        return ""
    every = (whole, *each.values())
    types = sorted({options.get("type", "") for options in every} - allowed)
    what = [f"{_several('type', types)} {_quoted(types)}"] if types else []
    what += [f"{field} may not be set" for field in ("user", "role") if any(one.get(field) for one in every)]
    setters = _setters(bad(whole), names)
    return f"seLinuxOptions ({setters} set forbidden securityContext.seLinuxOptions: {'; '.join(what)})"


def _unconfined(options: Obj) -> bool:
    return (options.get("seccompProfile") or {}).get("type") == "Unconfined"


def _seccomp_baseline(pod: Subject) -> str:
    whole, names = _unconfined(pod.security()), [c["name"] for c in pod.containers() if _unconfined(_of(c))]
    if not whole and not names:
        return ""
    return f'seccompProfile ({_setters(whole, names)} must not set securityContext.seccompProfile.type to "Unconfined")'


SYSCTLS: Sequence[tuple[int, str]] = (
    (0, "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (
        29,
        "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes",
    ),
    (32, "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
)


def _sysctls(pod: Subject) -> str:
    allowed = {name for since, names in SYSCTLS if pod.version >= since for name in names.split()}
    found = [one["name"] for one in pod.security().get("sysctls") or () if one["name"] not in allowed]
    return f"forbidden sysctls ({', '.join(found)})" if found else ""


def _host_process(pod: Subject) -> str:
    whole = (pod.security().get("windowsOptions") or {}).get("hostProcess")
    names = [c["name"] for c in pod.containers() if (_of(c).get("windowsOptions") or {}).get("hostProcess")]
    if not whole and not names:
        return ""
    return f"hostProcess ({_setters(bool(whole), names)} must not set securityContext.windowsOptions.hostProcess=true)"


# --- restricted ---


def _escalation(pod: Subject) -> str:
    names = [c["name"] for c in pod.containers() if _of(c).get("allowPrivilegeEscalation") is not False]
    if not names or pod.windows:
        return ""
    return f"allowPrivilegeEscalation != false ({_who(names)} must set securityContext.allowPrivilegeEscalation=false)"


def _capabilities_restricted(pod: Subject) -> str:
    dropless = [
        c["name"] for c in pod.containers() if "ALL" not in ((_of(c).get("capabilities") or {}).get("drop") or ())
    ]
    adding = {c["name"]: set(_added(c)) - {"NET_BIND_SERVICE"} for c in pod.containers()}
    names = [name for name, words in adding.items() if words]
    said = [f'{_who(dropless)} must set securityContext.capabilities.drop=["ALL"]'] if dropless else []
    if names:
        extra = _quoted(sorted(set().union(*adding.values())))
        said.append(f"{_who(names)} must not include {extra} in securityContext.capabilities.add")
    return f"unrestricted capabilities ({'; '.join(said)})" if said and not pod.windows else ""


VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def _volumes(pod: Subject) -> str:
    kinds = {one["name"]: next((key for key in one if key != "name"), "") for one in pod.spec.get("volumes") or ()}
    names = [name for name, kind in kinds.items() if kind and kind not in VOLUMES]
    if not names:
        return ""
    listed = sorted({kinds[name] for name in names})
    verb = "uses" if len(names) == 1 else "use"
    which = f"{_several('volume', names)} {_quoted(names)}"
    return f"restricted volume types ({which} {verb} restricted volume {_several('type', listed)} {_quoted(listed)})"


def _non_root(pod: Subject) -> str:
    if pod.mapped:
        return ""
    whole = pod.security().get("runAsNonRoot")
    each = {c["name"]: _of(c).get("runAsNonRoot") for c in pod.containers()}
    wrong = [name for name, value in each.items() if value is False]
    silent = [name for name, value in each.items() if value is None]
    bad = whole is False and (bool(silent) or not each)
    if wrong or bad:
        return f"runAsNonRoot != true ({_setters(bad, wrong)} must not set securityContext.runAsNonRoot=false)"
    if whole or not silent:
        return ""
    return f"runAsNonRoot != true ({_setters(True, silent, 'or')} must set securityContext.runAsNonRoot=true)"


def _root_user(pod: Subject) -> str:
    whole, names = (
        pod.security().get("runAsUser") == 0,
        [c["name"] for c in pod.containers() if _of(c).get("runAsUser") == 0],
    )
    if (not whole and not names) or pod.mapped:
        return ""
    return f"runAsUser=0 ({_setters(whole, names)} must not set runAsUser=0)"


CONFINED = frozenset({"RuntimeDefault", "Localhost"})


def _seccomp_restricted(pod: Subject) -> str:
    if pod.windows:
        return ""
    whole = (pod.security().get("seccompProfile") or {}).get("type")
    each = {c["name"]: (_of(c).get("seccompProfile") or {}).get("type") for c in pod.containers()}
    wrong = [name for name, kind in each.items() if kind and kind not in CONFINED]
    silent = [name for name, kind in each.items() if not kind]
    bad = bool(whole) and whole not in CONFINED
    if wrong or bad:
        return (
            f'seccompProfile ({_setters(bad, wrong)} must not set securityContext.seccompProfile.type to "Unconfined")'
        )
    if whole or not silent:
        return ""
    wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"seccompProfile ({_setters(True, silent, 'or')} {wanted})"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its level, the minor version it begins with, and those of the lower level that it stands in for."""

    run: Callable[[Subject], str]
    level: str = "baseline"
    since: int = 0
    instead: tuple[Callable[[Subject], str], ...] = ()


CHECKS: Sequence[Check] = (
    Check(_app_armor),
    Check(_capabilities),
    Check(_host_namespaces),
    Check(_host_paths),
    Check(_host_ports),
    Check(_probe_hosts, since=34),
    Check(_privileged),
    Check(_proc_mount),
    Check(_se_linux),
    Check(_seccomp_baseline, since=19),
    Check(_sysctls),
    Check(_host_process),
    Check(_escalation, "restricted", since=8),
    Check(_capabilities_restricted, "restricted", since=22, instead=(_capabilities,)),
    Check(_volumes, "restricted", instead=(_host_paths,)),
    Check(_non_root, "restricted"),
    Check(_root_user, "restricted", since=23),
    Check(_seccomp_restricted, "restricted", since=19, instead=(_seccomp_baseline,)),
)


def complaints(level: str, version: str, annotations: Mapping[str, str], spec: Obj) -> list[str]:
    """Return what of a Pod violates a level in a version (`latest`, `v1.25`), in the real order."""
    if level == "privileged":
        return []
    pod = Subject(annotations, spec, NOW if version == "latest" else int(version.removeprefix("v1.")))
    wanted = [one for one in CHECKS if one.since <= pod.version and LEVELS.index(one.level) <= LEVELS.index(level)]
    replaced = {run for one in wanted for run in one.instead}
    return [said for one in wanted if one.run not in replaced and (said := one.run(pod))]


def reasons(said: Iterable[str]) -> str:
    """Return complaints without what is in parentheses."""
    return ", ".join(one.partition(" (")[0] for one in said)

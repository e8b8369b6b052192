"""The checks of lab 00, and what really happened in its experiments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from kit.checks import Checks, Condition, Seen, Text, World, answered, condition, exists, field, pod, trap
from kit.checks.conditions import repository
from kit.checks.phrases import reasons
from kit.checks.probes import Prober, is_ready
from kit.checks.reasons import value_at
from kit.checks.text import NOTHING, same
from kit.client.connect import connect
from kit.client.objects import Object
from kit.errors import KitError, Status

checks = Checks()

_HELLO = "hello-k8s"
_STUCK = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CrashLoopBackOff", "CreateContainerConfigError"}


@checks.check("X0.1")
def namespace() -> Iterator[Condition]:
    """Namespace hello-k8s, labelled, active."""
    yield trap("elsewhere", condition("elsewhere", "the label elsewhere", "标签在别处", _label_elsewhere))
    yield exists("namespace", _HELLO).begun()
    yield trap("unlabelled", condition("unlabelled", "no label", "没有标签", _unlabelled))
    yield field("namespace", _HELLO, "metadata.labels.course", "k8s")
    yield field("namespace", _HELLO, "status.phase", "Active").inside("30s")


@checks.check("X0.2")
def hello() -> Iterator[Condition]:
    """Pod hello says who it is."""
    yield pod("hello").exists().begun()
    yield trap("nginx", condition("nginx", "another program", "别的程序", _runs_nginx))
    yield trap("waiting", condition("waiting", "exists but is not Ready", "存在但没有处于 Ready", _never_ready))
    yield pod("hello").ready("60s")
    text = Text("asked at its IP, hello answers `Hostname: hello`", "访问 hello 的 IP,应答里有 `Hostname: hello`")
    yield Condition("pod.hello.answers", text, _says_its_name, "10s")


@checks.check("X0.3")
def site() -> Iterator[Condition]:
    """Pod site made from the repaired file."""
    yield pod("site").exists().begun()
    yield trap("run", condition("run", "made by kubectl run", "用 kubectl run 创建", _made_by_run))
    yield trap("port", condition("port", "no port", "没有端口", _no_port))
    yield pod("site").label("app", "site")
    yield pod("site").image("nginx")
    text = Text("Pod site declares containerPort 80", "Pod site 声明了 containerPort 80")
    yield Condition("pod.site.port", text, lambda world: Seen(_ports(world) == [80], same(str(_ports(world)))))
    yield pod("site").ready("120s")


@checks.check("X0.4")
def author() -> Iterator[Condition]:
    """Who wrote status.podIP."""
    yield answered("X0.4").begun()
    for option in ("you", "scheduler", "controller"):
        yield trap(option, answered("X0.4", option))
    yield answered("X0.4", "kubelet")


@checks.check("F0")
def kubeconfig() -> Iterator[Condition]:
    """The kubeconfig of this notebook reaches the cluster again, and it is this lab's cluster."""
    text = Text("the kubeconfig of this notebook reaches a cluster", "本笔记本的 kubeconfig 能连上集群")
    yield Condition("kubeconfig.reaches", text, _reaches).begun()
    yield condition("kubeconfig.same", "it is the cluster of this lab", "连上的是本实验的集群", _same_cluster)


@checks.outcome("E0.1")
def noticed(world: World) -> str:
    """What the prober saw while a Pod was deleted."""
    samples = Prober(world.objects, world.clock, "").samples()
    if not samples:
        return ""
    if all(sample.ok for sample in samples):
        return "nothing"
    return "blip" if samples[-1].ok else "down"


@checks.outcome("E0.2")
def twice(world: World) -> str:
    """How many Pods of web there are after the second apply."""
    pods = [item for item in world.listed("pod", "app=guestbook,tier=web") if is_ready(item)]
    return {2: "unchanged", 4: "double"}.get(len(pods), "")


@checks.outcome("E0.3")
def scaled(world: World) -> str:
    """How many Pods web wants after the file was applied."""
    return {5: "five", 2: "two", 7: "seven"}.get(value_at(_web(world), "spec.replicas"), "")


@checks.outcome("E0.4")
def reported(world: World) -> str:
    """What became of the 99."""
    if not _web(world):
        return ""
    if len(world.listed("pod", "app=guestbook,tier=web")) >= 99:
        return "pods"
    return "accepted" if value_at(_web(world), "status.availableReplicas") == 99 else "ignored"


def _web(world: World) -> Object:
    return world.find("deployment", "web") or {}


def _label_elsewhere(world: World) -> bool:
    names = [item["metadata"]["name"] for item in world.listed("namespace", "course=k8s")]
    return bool(names) and _HELLO not in names


def _unlabelled(world: World) -> bool:
    return not value_at(world.find("namespace", _HELLO) or {}, "metadata.labels.course")


def _images(world: World, name: str) -> list[str]:
    return [repository(container["image"]) for container in pod(name).spec(world).get("containers") or []]


def _runs_nginx(world: World) -> bool:
    return "nginx" in _images(world, "hello")


def _never_ready(world: World) -> bool:
    """Tell whether the Pod got stuck: its containers wait for something that does not come by itself."""

    def decided() -> str:
        found = world.find("pod", "hello")
        if found is None or is_ready(found):
            return "ready"
        return "stuck" if _STUCK & set(reasons(found)) else ""

    return world.wait(lambda: decided() or None, "60s") != "ready"


def _says_its_name(world: World) -> Seen:
    ran = world.http(f"http://{pod('hello').ip(world)}/")
    said = (ran.stdout or ran.stderr or ran.error).strip().splitlines() or [""]
    return Seen("Hostname: hello" in ran.stdout.splitlines(), same(said[0]) if said[0] else NOTHING)


def _made_by_run(world: World) -> bool:
    entries = value_at(world.find("pod", "site") or {}, "metadata.managedFields") or []
    return any(entry.get("manager") == "kubectl-run" for entry in entries)


def _ports(world: World) -> Sequence[int]:
    containers = pod("site").spec(world).get("containers") or []
    return [port["containerPort"] for container in containers for port in container.get("ports") or []]


def _no_port(world: World) -> bool:
    return not _ports(world)


def _reaches(_: World) -> Seen:
    path = os.environ.get("KUBECONFIG", "")
    try:
        connect(path).json("GET", "/version")
    except (KitError, Status) as error:
        said = error.what if isinstance(error, KitError) else error.message
        return Seen(False, same(said))
    return Seen(True)


def _same_cluster(world: World) -> bool:
    """Compare the identity of a cluster, the uid of its namespace kube-system."""
    there = connect(os.environ.get("KUBECONFIG", "")).json("GET", "/api/v1/namespaces/kube-system")
    here = world.find("namespace", "kube-system") or {}
    return bool(here) and value_at(here, "metadata.uid") == value_at(there, "metadata.uid")

"""The checks of lab 01, and what really happened in its experiments."""

from __future__ import annotations

from collections.abc import Iterator

from kit.checks import Checks, Condition, Seen, Text, World, answered, condition, event, pod, trap
from kit.checks.conditions import repository
from kit.checks.phrases import restarts
from kit.checks.reasons import value_at
from kit.client.objects import Object
from kit.errors import Status

checks = Checks()

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@checks.check("X1.1")
def database() -> Iterator[Condition]:
    """Pod db: redis, labelled, answering."""
    yield trap("default", condition("default", "db in default", "db 在 default", _only_in_default))
    yield pod("db").exists().begun()
    yield pod("db").label("tier", "db").begun()
    yield trap("busybox", condition("busybox", "another image", "别的镜像", _no_redis))
    yield pod("db").ready("120s")
    yield pod("db").answers("redis-cli ping", "PONG")


@checks.check("X1.2")
def fast() -> Iterator[Condition]:
    """Pod fast on an ssd node, found by the scheduler."""
    yield pod("fast").exists().begun()
    yield trap("named", condition("named", "nodeName by hand", "手写 nodeName", _named_by_hand))
    yield trap("lucky", condition("lucky", "asks for no node", "没有请求节点", _asks_for_nothing))
    yield pod("fast").selects_node("disk", "ssd")
    yield pod("fast").on_node_labelled("disk", "ssd")
    yield event("pod", "fast", "Scheduled").inside("30s")
    yield pod("fast").ready("120s")


@checks.check("X1.3")
def mirror() -> Iterator[Condition]:
    """Pod mirror knows its own address."""
    yield pod("mirror").exists().begun()
    yield trap("literal", condition("literal", "a literal", "写死的值", _literal_address))
    yield trap("host", condition("host", "the node's address", "节点的地址", _node_address))
    yield pod("mirror").env_from_field("MY_POD_IP", "status.podIP")
    yield pod("mirror").ready("120s")
    yield pod("mirror").env_equals("MY_POD_IP", "status.podIP")


@checks.check("X1.4")
def greedy() -> Iterator[Condition]:
    """Pod greedy runs with a modest request."""
    yield trap("second", condition("second", "another Pod instead", "用另一个 Pod 代替", _another_runs))
    yield pod("greedy").exists().begun()
    yield condition("changed", "greedy no longer asks for 100 CPU", "greedy 不再请求 100 个 CPU", _asks_less).begun()
    yield trap("removed", condition("removed", "no request at all", "完全没有 request", _asks_no_cpu))
    yield pod("greedy").cpu_request("500m")
    yield pod("greedy").ready("120s")


@checks.check("X1.5")
def restored() -> Iterator[Condition]:
    """The guestbook reaches the new db, and the learner knows what breaks next."""
    yield pod("db").exists().begun()
    yield pod("web").exists().begun()
    yield trap("typed", condition("typed", "address in the command", "地址写在命令里", _address_in_command))
    yield condition("points", "web knows where db is now", "web 知道 db 现在的地址", _points_to_db).begun()
    yield answered("X1.5").begun()
    yield trap(
        "service",
        condition("service", "a Service, answered as without", "用了 Service,却按没有 Service 回答", _service_misread),
    )
    yield condition("answer", "the answer fits what you built", "答案与你的做法相符", _answer_fits)
    yield pod("web").ready("60s")
    yield condition("note", "a message written is read again", "写入的留言能再读到", _note_comes_back).inside("60s")


@checks.check("F1")
def shop() -> Iterator[Condition]:
    """Pod shop runs again."""
    yield pod("shop").exists().begun()
    yield condition("image", "another image than the broken one", "镜像已不是坏掉的那个", _image_changed).begun()
    yield pod("shop").image("nginx")
    yield pod("shop").ready("120s")


@checks.outcome("E1.1")
def placed(world: World) -> str:
    """Where web went."""
    node = world.find("node", str(value_at(world.find("pod", "web") or {}, "spec.nodeName") or "-"))
    if node is None:
        return ""
    return "control" if _CONTROL_PLANE in (node["metadata"].get("labels") or {}) else "worker"


@checks.outcome("E1.3")
def crashed(world: World) -> str:
    """What the crash of web did."""
    return "container" if restarts(world.find("pod", "web")) else ""


@checks.outcome("E1.4")
def deleted(world: World) -> str:
    """Whether db came back."""
    return "nobody" if world.find("pod", "db") is None else ""


@checks.outcome("E1.5")
def forgotten(world: World) -> str:
    """Whether web still knows db."""
    if not pod("db").ip(world):
        return ""
    return "works" if _points_to_db(world).ok else "broken"


@checks.outcome("E1.6")
def unplaced(world: World) -> str:
    """What became of greedy."""
    found = world.find("pod", "greedy")
    if found is None:
        return ""
    return "runs" if value_at(found, "spec.nodeName") else "pending"


def _only_in_default(world: World) -> bool:
    try:
        return (
            world.namespace != "default"
            and not world.find("pod", "db")
            and world.find("pod", "db", "default") is not None
        )
    except Status:
        return False


def _no_redis(world: World) -> bool:
    images = [repository(container["image"]) for container in pod("db").spec(world).get("containers") or []]
    return bool(images) and "redis" not in images


def _asks_for_nothing(world: World) -> bool:
    spec = pod("fast").spec(world)
    return bool(spec.get("nodeName")) and not spec.get("nodeSelector") and not value_at(spec, "affinity.nodeAffinity")


def _named_by_hand(world: World) -> bool:
    """Tell whether somebody wrote spec.nodeName: then it is in a manager's fields; the scheduler's binding is in nobody's."""
    entries = value_at(world.find("pod", "fast") or {}, "metadata.managedFields") or []
    return any("f:nodeName" in (value_at(entry, 'fieldsV1["f:spec"]') or {}) for entry in entries)


def _literal_address(world: World) -> bool:
    return bool((pod("mirror").env_entry(world, "MY_POD_IP") or {}).get("value"))


def _node_address(world: World) -> bool:
    entry = pod("mirror").env_entry(world, "MY_POD_IP") or {}
    return value_at(entry, "valueFrom.fieldRef.fieldPath") in {"status.hostIP", "status.hostIPs"}


def _cpu(world: World) -> list[str]:
    containers = pod("greedy").spec(world).get("containers") or []
    return [str(amount) for container in containers if (amount := value_at(container, "resources.requests.cpu"))]


def _asks_less(world: World) -> Seen:
    asked = _cpu(world)
    return Seen("100" not in asked, Text(", ".join(asked), ", ".join(asked)))


def _asks_no_cpu(world: World) -> bool:
    return not _cpu(world)


def _another_runs(world: World) -> bool:
    if value_at(world.find("pod", "greedy") or {}, "spec.nodeName"):
        return False
    others = [item for item in world.listed("pod") if item["metadata"]["name"] != "greedy"]
    return any(
        item["metadata"]["name"].startswith("greedy") and value_at(item, "status.phase") == "Running" for item in others
    )


def _db_host(world: World) -> str:
    return str((pod("web").env_entry(world, "DB_HOST") or {}).get("value", ""))


def _service(world: World) -> Object | None:
    """Return the Service by which web reaches db, None when it uses an address."""
    labels = value_at(world.find("pod", "db") or {}, "metadata.labels") or {}
    host = _db_host(world)
    for item in world.listed("service"):
        selector = value_at(item, "spec.selector") or {}
        names = {item["metadata"]["name"], str(value_at(item, "spec.clusterIP"))}
        if selector and selector.items() <= labels.items() and (host in names or host.split(".")[0] in names):
            return item
    return None


def _points_to_db(world: World) -> Seen:
    host, address = _db_host(world), pod("db").ip(world)
    known = bool(address) and (host == address or _service(world) is not None)
    return Seen(known, Text("another address in DB_HOST", "DB_HOST 中是另一个地址"))


def _address_in_command(world: World) -> bool:
    address = pod("db").ip(world)
    containers = pod("web").spec(world).get("containers") or []
    words = [word for container in containers for key in ("command", "args") for word in container.get(key) or []]
    return bool(address) and any(address in word for word in words)


def _service_misread(world: World) -> bool:
    return _service(world) is not None and world.answers.get("X1.5") == "address"


def _answer_fits(world: World) -> Seen:
    wanted = "label" if _service(world) is not None else "address"
    return Seen(world.answers.get("X1.5") == wanted, Text("another answer", "另一个答案"))


def _note_comes_back(world: World) -> Seen:
    url = f"http://{pod('web').ip(world)}:8080/api/messages"
    written = world.http(url, method="POST", body=world.nonce)
    read = world.http(url)
    said = (written.stderr or read.stderr or read.stdout).strip().splitlines() or [""]
    return Seen(world.nonce in read.stdout, Text(said[-1] or "the message is missing", said[-1] or "没有这条留言"))


def _image_changed(world: World) -> Seen:
    images = [container["image"] for container in pod("shop").spec(world).get("containers") or []]
    changed = bool(images) and "ngnix" not in {repository(image) for image in images}
    return Seen(changed, Text(", ".join(images), ", ".join(images)))

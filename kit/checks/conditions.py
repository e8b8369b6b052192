"""The vocabulary of checks: `pod("db").ready()`, `pod("db").label("tier", "db")`, `event("pod", "fast", "Scheduled")`.

Each word makes a `Condition`: what is wanted, in both languages, and how to look for it. Modifiers: `.begun()` makes it a
gate (not holding means TODO), `.inside("30s")` waits that long in cluster time, `trap("id", condition)` turns it round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from kit.checks.probes import is_ready
from kit.checks.reasons import node_of, stuck, value_at
from kit.checks.text import NOTHING, Text, same
from kit.checks.world import World
from kit.client.objects import Object

ABSENT = Text("none", "没有")


@dataclass(frozen=True)
class Seen:
    """What a look found, and why it is so (steps along the objects' references)."""

    ok: bool
    observed: Text = NOTHING
    why: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One thing that must hold; `within` is cluster time, empty means now."""

    name: str
    wanted: Text
    look: Callable[[World], Seen]
    within: str = ""
    gate: bool = False
    trap: str = ""

    def begun(self) -> Condition:
        """Make it a gate: while it does not hold, the exercise is TODO."""
        return replace(self, gate=True)

    def inside(self, within: str) -> Condition:
        """Give it time: it must come to hold within a length of cluster time."""
        return replace(self, within=within)

    def named(self, name: str) -> Condition:
        """Give it another name (the key of its hints)."""
        return replace(self, name=name)


def trap(name: str, condition: Condition) -> Condition:
    """Turn a condition into a trap: where it holds, the exercise is WRONG with the trap's sentence."""
    return replace(condition, trap=name, within="", gate=False)


def condition(name: str, en: str, zh: str, look: Callable[[World], Seen | bool]) -> Condition:
    """Return a condition of one's own; `look` may answer True or False."""

    def looked(world: World) -> Seen:
        found = look(world)
        return found if isinstance(found, Seen) else Seen(found)

    return Condition(name, Text(en, zh), looked)


def exists(kind: str, name: str, namespace: str | None = None) -> Condition:
    """Want an object to be there and not on its way out."""

    def look(world: World) -> Seen:
        found = world.find(kind, name, namespace)
        leaving = bool(found and found["metadata"].get("deletionTimestamp"))
        return Seen(
            found is not None and not leaving,
            Text("it is being deleted", "它正在被删除") if leaving else _no(kind, name),
        )

    where = f" in namespace {namespace}" if namespace else ""
    place = f"(命名空间 {namespace})" if namespace else ""
    return Condition(
        f"{kind}.{name}.exists", Text(f"{_title(kind)} {name}{where}", f"{_title(kind)} {name}{place}"), look
    )


def field(kind: str, name: str, path: str, wanted: Any) -> Condition:
    """Want the field at a dotted path (`spec.replicas`, `metadata.labels["a/b"]`) to have a value."""

    def look(world: World) -> Seen:
        found = value_at(world.find(kind, name) or {}, path)
        return Seen(found == wanted, ABSENT if found is None else same(str(found)))

    return Condition(f"{kind}.{name}.{path}", same(f"{_title(kind)} {name}: {path} = {wanted}"), look)


def event(kind: str, name: str, reason: str) -> Condition:
    """Want an event with a reason about an object."""

    def look(world: World) -> Seen:
        reasons = [entry.get("reason", "") for entry in world.events(world.find(kind, name))]
        return Seen(reason in reasons, same(", ".join(dict.fromkeys(reasons))) if reasons else ABSENT)

    wanted = Text(f"an event {reason} about {_title(kind)} {name}", f"关于 {_title(kind)} {name} 的事件 {reason}")
    return Condition(f"{kind}.{name}.event", wanted, look)


def answered(question: str, option: str = "") -> Condition:
    """Want a question to be answered (at all, or with `option`)."""

    def look(world: World) -> Seen:
        found = world.answers.get(question, "")
        return Seen(
            bool(found) and (not option or found == option), same(found) if found else Text("no answer", "还没有回答")
        )

    wanted = Text(f"the right answer to question {question}", f"问题 {question} 回答正确")
    return Condition(
        f"answer.{question}", wanted if option else Text(f"an answer to {question}", f"回答问题 {question}"), look
    )


@dataclass(frozen=True)
class PodWords:
    """What can be wanted of one Pod."""

    name: str
    namespace: str | None = None

    def exists(self) -> Condition:
        """Want it to be there."""
        return exists("pod", self.name, self.namespace)

    def ready(self, within: str = "60s") -> Condition:
        """Want its condition Ready to be True."""

        def look(world: World) -> Seen:
            pod = self._of(world)
            if pod is None or is_ready(pod):
                return Seen(is_ready(pod), self._absent())
            state, why = stuck(pod, world.events(pod, self.namespace))
            return Seen(False, state, why)

        return self._condition("ready", Text(f"Pod {self.name} is Ready", f"Pod {self.name} 处于 Ready"), look, within)

    def label(self, key: str, value: str) -> Condition:
        """Want a label."""

        def look(world: World) -> Seen:
            labels = (self._of(world) or {}).get("metadata", {}).get("labels") or {}
            shown = ", ".join(f"{name}={text}" for name, text in sorted(labels.items()))
            return Seen(labels.get(key) == value, same(shown) if shown else Text("no labels", "没有标签"))

        return self._condition(
            "label",
            Text(f"Pod {self.name} has the label {key}={value}", f"Pod {self.name} 带有标签 {key}={value}"),
            look,
        )

    def image(self, name: str) -> Condition:
        """Want one of its containers to run an image, any tag (`redis`)."""

        def look(world: World) -> Seen:
            images = [container.get("image", "") for container in self._containers(world)]
            return Seen(
                any(repository(image) == name for image in images), same(", ".join(images)) if images else ABSENT
            )

        return self._condition("image", Text(f"Pod {self.name} runs {name}", f"Pod {self.name} 运行 {name}"), look)

    def answers(self, command: str, wanted: str) -> Condition:
        """Want a command run in its first container to print something."""

        def look(world: World) -> Seen:
            if self._of(world) is None:
                return Seen(False, self._absent())
            ran = world.run(self.name, *command.split(), namespace=self.namespace)
            said = (ran.stdout or ran.stderr or ran.error).strip().splitlines() or [""]
            return Seen(wanted in ran.stdout, same(said[0]) if said[0] else Text("no output", "没有输出"))

        text = Text(
            f"`{command}` in Pod {self.name} answers {wanted}", f"在 Pod {self.name} 中执行 `{command}` 得到 {wanted}"
        )
        return self._condition("answers", text, look, "10s")

    def on_node_labelled(self, key: str, value: str) -> Condition:
        """Want the node it runs on to carry a label."""

        def look(world: World) -> Seen:
            name = node_of(self._of(world))
            node = world.find("node", name) if name else None
            labels = (node or {}).get("metadata", {}).get("labels") or {}
            return Seen(labels.get(key) == value, same(name) if name else Text("no node yet", "还没有节点"))

        text = Text(
            f"Pod {self.name} is on a node with the label {key}={value}",
            f"Pod {self.name} 位于带标签 {key}={value} 的节点上",
        )
        return self._condition("node", text, look, "30s")

    def selects_node(self, key: str, value: str) -> Condition:
        """Want its spec to ask for a node label, by nodeSelector or required node affinity."""

        def look(world: World) -> Seen:
            spec = (self._of(world) or {}).get("spec", {})
            asked = spec.get("nodeSelector") or {}
            return Seen(asked.get(key) == value or _affinity_asks(spec, key, value), _labels(asked))

        text = Text(
            f"Pod {self.name} asks for a node with {key}={value}", f"Pod {self.name} 请求带 {key}={value} 的节点"
        )
        return self._condition("selector", text, look)

    def cpu_request(self, most: str) -> Condition:
        """Want it to request CPU: more than nothing, `most` at the most."""

        def look(world: World) -> Seen:
            asked = [value_at(container, "resources.requests.cpu") for container in self._containers(world)]
            total = sum(millicores(str(amount)) for amount in asked if amount)
            shown = (
                Text("no request", "没有 request")
                if not any(asked)
                else same(", ".join(str(amount) for amount in asked if amount))
            )
            return Seen(0 < total <= millicores(most), shown)

        text = Text(f"Pod {self.name} requests CPU, {most} at the most", f"Pod {self.name} 请求 CPU,且不超过 {most}")
        return self._condition("request", text, look)

    def env_from_field(self, variable: str, path: str) -> Condition:
        """Want an environment variable to come from a field of the Pod (downward API)."""

        def look(world: World) -> Seen:
            entry = self.env_entry(world, variable)
            if entry is None:
                return Seen(False, Text(f"no variable {variable}", f"没有变量 {variable}"))
            found = value_at(entry, "valueFrom.fieldRef.fieldPath")
            return Seen(found == path, same(found) if found else Text("a literal value", "写死的值"))

        text = Text(f"{variable} in Pod {self.name} comes from {path}", f"Pod {self.name} 中的 {variable} 来自 {path}")
        return self._condition("env", text, look)

    def env_equals(self, variable: str, path: str) -> Condition:
        """Want the variable inside the container to equal a field of the Pod."""

        def look(world: World) -> Seen:
            wanted = value_at(self._of(world) or {}, path)
            echo = f'echo "${{{variable}}}"'  # not every image has printenv
            ran = world.run(self.name, "sh", "-c", echo, namespace=self.namespace)
            same_value = bool(wanted) and ran.stdout.strip() == str(wanted)
            return Seen(same_value, Text("another value", "另一个值") if ran.stdout.strip() else Text("nothing", "空"))

        text = Text(
            f"inside Pod {self.name}, {variable} equals its {path}", f"在 Pod {self.name} 内,{variable} 等于它的 {path}"
        )
        return self._condition("value", text, look, "10s")

    def env_entry(self, world: World, variable: str) -> Object | None:
        """Return the entry of an environment variable in the Pod's spec."""
        for container in self._containers(world):
            for entry in container.get("env") or []:
                if entry["name"] == variable:
                    return dict(entry)
        return None

    def spec(self, world: World) -> Object:
        """Return its spec, empty when it is not there."""
        return dict((self._of(world) or {}).get("spec", {}))

    def ip(self, world: World) -> str:
        """Return its address, empty when it has none."""
        return str(value_at(self._of(world) or {}, "status.podIP") or "")

    def _of(self, world: World) -> Object | None:
        return world.find("pod", self.name, self.namespace)

    def _containers(self, world: World) -> list[Object]:
        return list(self.spec(world).get("containers") or [])

    def _absent(self) -> Text:
        return _no("pod", self.name)

    def _condition(self, word: str, wanted: Text, look: Callable[[World], Seen], within: str = "") -> Condition:
        return Condition(f"pod.{self.name}.{word}", wanted, look, within)


def pod(name: str, namespace: str | None = None) -> PodWords:
    """Return the words for a Pod (of the lab's namespace unless another is named)."""
    return PodWords(name, namespace)


def repository(image: str) -> str:
    """Return an image's name without registry, `library/`, tag and digest."""
    name = image.split("@", maxsplit=1)[0]
    head, _, last = name.rpartition("/")
    last = last.split(":")[0]
    if head in {"", "library", "docker.io", "docker.io/library"}:
        return last
    return f"{head}/{last}"


def millicores(amount: str) -> int:
    """Return a CPU quantity in thousandths of a core; 0 for what is not one."""
    try:
        return int(amount[:-1]) if amount.endswith("m") else int(Decimal(amount) * 1000)
    except (ValueError, InvalidOperation):
        return 0


def _affinity_asks(spec: Object, key: str, value: str) -> bool:
    terms = (
        value_at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms") or []
    )
    wanted = {"key": key, "operator": "In", "values": [value]}
    return any(wanted in (term.get("matchExpressions") or []) for term in terms)


def _labels(labels: dict[str, str]) -> Text:
    return same(", ".join(f"{key}={value}" for key, value in sorted(labels.items()))) if labels else ABSENT


def _title(kind: str) -> str:
    return kind if kind[:1].isupper() else kind.capitalize()


def _no(kind: str, name: str) -> Text:
    return Text(f"no {_title(kind)} named {name}", f"没有名为 {name} 的 {_title(kind)}")

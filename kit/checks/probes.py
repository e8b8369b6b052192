"""Probes from inside the cluster: a Pod that asks once (`Asker`), and one that asks for ever and whose log is the record (`Prober`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kit.client.execute import Ran, execute
from kit.client.objects import Objects
from kit.client.wait import Ticker, wait
from kit.errors import Status, Unavailable

LABELS = {"course": "k8s-labs", "role": "probe"}
_ASKER = "lab-asker"
_START = "120s"


@dataclass
class Asker:
    """A busybox Pod of our own that sends single requests with wget; made at the first request."""

    objects: Objects
    clock: Ticker
    _there: bool = False

    def ask(self, url: str, *, method: str = "GET", body: str = "") -> Ran:
        """Send one request and return what wget did: code 0 and the body, or its error words."""
        self._settle_in()
        post = ["--post-data", body] if method == "POST" else []
        command = ["wget", "-q", "-T", "3", "-O", "-", *post, url]
        return execute(self.objects.connection, _ASKER, command, namespace=self.objects.namespace)

    def leave(self) -> None:
        """Remove the Pod at once."""
        if self._there:
            self.objects.delete("pod", _ASKER, grace_s=0)
            self._there = False

    def _settle_in(self) -> None:
        if self._there:
            return
        create(self.objects, _pod(_ASKER, "busybox:1.37", ["sleep", "3600"]))
        self._there = True
        await_ready(self.objects, self.clock, _ASKER)


@dataclass(frozen=True)
class Sample:
    """One line of a prober's log."""

    time: str
    status: str
    pod: str

    @property
    def ok(self) -> bool:
        """Tell whether a 2xx answer came."""
        return self.status.startswith("2")


@dataclass
class Prober:
    """A guestbook Pod that runs `probe URL`: one line per request (time, status, answering Pod)."""

    objects: Objects
    clock: Ticker
    url: str
    name: str = "lab-probe"
    _lines_before: int = field(default=0, repr=False)

    def start(self) -> Prober:
        """Create the Pod and return when its first line is there."""
        self.objects.delete("pod", self.name, grace_s=0)
        create(self.objects, _pod(self.name, "guestbook:v1", None, ["probe", self.url]))
        await_ready(self.objects, self.clock, self.name)
        wait(lambda: self.samples() or None, "10s", self.clock)
        return self

    def samples(self) -> list[Sample]:
        """Return every request so far, oldest first."""
        try:
            text = self.objects.log(self.name)
        except Status:
            return []
        return [sample for line in text.splitlines() if (sample := sample_of(line))]

    def stop(self) -> list[Sample]:
        """Remove the Pod and return all it saw."""
        found = self.samples()
        self.objects.delete("pod", self.name, grace_s=0)
        return found


def sample_of(line: str) -> Sample | None:
    """Return the sample a log line holds, None for other lines."""
    parts = line.split()
    if len(parts) < 2:
        return None
    return Sample(parts[0], parts[1], parts[2] if len(parts) > 2 else "-")


def create(objects: Objects, body: dict[str, Any]) -> None:
    """Create a probe Pod; one left over from an interrupted check is used again."""
    try:
        objects.create(body)
    except Status as error:
        if error.reason != "AlreadyExists":
            raise


def await_ready(objects: Objects, clock: Ticker, name: str) -> None:
    """Return when a Pod is Ready; `Unavailable` when it did not become so."""
    if not wait(lambda: is_ready(objects.find("pod", name)) or None, _START, clock):
        raise Unavailable(f"the helper Pod {name} did not start in {_START}", f"kubectl describe pod {name} says why")


def is_ready(pod: dict[str, Any] | None) -> bool:
    """Tell whether a Pod's condition Ready is True and it is not going away."""
    if not pod or pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _pod(name: str, image: str, command: list[str] | None, args: list[str] | None = None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "probe", "image": image, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": command} if command else {}
    container |= {"args": args} if args else {}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "enableServiceLinks": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": dict(LABELS)}, "spec": spec}

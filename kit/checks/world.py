"""What a check may ask: the cluster's objects, commands in its containers, requests inside it, the learner's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kit.checks.probes import Asker
from kit.client.execute import Ran, execute
from kit.client.objects import Object, Objects
from kit.client.wait import Ticker, wait
from kit.errors import Status

T = TypeVar("T")


@dataclass
class World:
    """One namespace of one cluster as a check sees it; `nonce` differs from one check to the next."""

    objects: Objects
    clock: Ticker
    answers: Mapping[str, str] = field(default_factory=dict)
    nonce: str = "hello"
    _asker: Asker | None = field(default=None, repr=False)

    @property
    def namespace(self) -> str:
        """Return the lab's namespace."""
        return self.objects.namespace

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object or None."""
        return self.objects.find(kind, name, namespace)

    def events(self, about: Object | None, namespace: str | None = None) -> Sequence[Object]:
        """Return the events about an object, oldest first; none when there is no object."""
        return self.objects.events(about, namespace) if about else []

    def run(self, pod: str, *command: str, namespace: str | None = None) -> Ran:
        """Run a command in the first container of a Pod; a refusal of the API becomes a code of -1 with its words."""
        try:
            return execute(self.objects.connection, pod, command, namespace=namespace or self.namespace)
        except Status as error:
            return Ran(-1, "", "", error.message)

    def http(self, url: str, *, method: str = "GET", body: str = "") -> Ran:
        """Send a request from a helper Pod inside the cluster; the code is 0 when a 2xx answer came."""
        if self._asker is None:
            self._asker = Asker(self.objects, self.clock)
        return self._asker.ask(url, method=method, body=body)

    def wait(self, condition: Callable[[], T | None], within: str | int) -> T | None:
        """Return the first true answer within a length of cluster time."""
        return wait(condition, within, self.clock)

    def leave(self) -> None:
        """Remove what the check put into the cluster."""
        if self._asker is not None:
            self._asker.leave()
            self._asker = None

    def listed(self, kind: str, labels: str = "") -> Sequence[Object]:
        """Return the objects of a kind in the namespace."""
        return self.objects.list(kind, labels=labels)

"""What the workers of one node share: its parts, its network, its images, its addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.ports import Signer
from kit.embedded.core.store import Key, Obj
from kit.embedded.net.hosts import Host
from kit.embedded.node.images import Images
from kit.embedded.node.runtime import World


@dataclass(slots=True)
class Wait:
    """What a worker's script yields to pause: until a moment, or until `ready()` at some wake. Housekeeping: nobody waits for it."""

    until: int | None = None
    ready: Callable[[], bool] | None = None
    housekeeping: bool = False

    def over(self, now: int) -> bool:
        """Say whether the script goes on."""
        return (self.until is not None and now >= self.until) or (self.ready is not None and self.ready())


Script = Any  # Generator[Effect | Wait, Any, ...]: a worker's script; its result differs


class Addresses:
    """A node's Pod addresses: 10.244.N.0/24, in order, those given back are used again last."""

    def __init__(self, index: int) -> None:
        self._prefix = f"10.244.{index}."
        self._next = 2
        self._free: list[str] = []

    def take(self) -> str:
        """Return a free address."""
        if self._next < 255:
            self._next += 1
            return f"{self._prefix}{self._next - 1}"
        return self._free.pop(0) if self._free else f"{self._prefix}254"

    def give(self, address: str) -> None:
        """Take an address back."""
        self._free.append(address)


@dataclass(slots=True)
class Site:
    """One node as its workers see it. `wake(key, delay, housekeeping)` has the kubelet look at a Pod again."""

    name: str
    host: Host
    world: World
    view: View
    images: Images
    signer: Signer
    addresses: Addresses
    wake: Callable[[Key, int], None]
    tree: Tree
    spent_us: int = 0
    """CPU that containers used which have ended."""

    def token(self, pod: Obj, given: Mapping[str, Any]) -> str:
        """Return a service-account token bound to the Pod. Models the TokenRequest API's claims."""
        namespace, account = pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName") or "default"
        found = self.view.get("serviceaccounts", namespace, account)
        now = self.world.clock.wall() // 1000
        audience = given.get("audience") or "https://kubernetes.default.svc.cluster.local"
        return self.signer.token({
            "aud": [audience], "exp": now + int(given.get("expirationSeconds") or 3600), "iat": now, "nbf": now,
            "iss": "https://kubernetes.default.svc.cluster.local", "sub": f"system:serviceaccount:{namespace}:{account}",
            "kubernetes.io": {
                "namespace": namespace,
                "node": {"name": self.name, "uid": ((self.view.get("nodes", "", self.name) or {}).get("metadata") or {}).get("uid", "")},
                "pod": {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
                "serviceaccount": {"name": account, "uid": found["metadata"]["uid"] if found else ""},
            },
        })  # fmt: skip

"""The simulated cluster: a process of our own (kit.runtime)."""

from __future__ import annotations

from kit.errors import Unavailable
from kit.providers.base import Capabilities, Found, Handle, Progress, Wanted
from kit.runtime import process, state
from kit.runtime.process import Running, Wish


class Embedded:
    """Starts in under a second, without Docker or a network."""

    name = "embedded"
    capabilities = Capabilities(cluster=True, nodes=True, clock=True, trace=True, faults=True)

    def up(self, wanted: Wanted, progress: Progress) -> Handle:
        """Start the process, or adopt the one that runs."""
        progress("starting the embedded cluster")
        wish = Wish(
            wanted.nodes, wanted.clock, wanted.seed, wanted.port, wanted.expose, wanted.options.get("webhook_urls")
        )
        return _handle(process.start(wanted.name, wish, wanted.state_dir))

    def down(self, name: str, *, delete: bool = False) -> bool:
        """Stop the process; with `delete` throw its state away."""
        found = process.find(name)
        if found is None:
            return False
        if delete:
            process.remove(found)
        else:
            process.stop(found)
        return True

    def status(self) -> list[Found]:
        """Return the clusters in the registry; one whose folder is gone is forgotten."""
        registry, found = state.Registry(), []
        for name in registry.names():
            running = process.find(name, registry)
            if running is None:
                registry.forget(name)
            else:
                found.append(_found(running))
        return found

    def reset(self, name: str, namespaces: list[str]) -> None:
        """Empty namespaces, or begin anew."""
        found = process.find(name)
        if found is None:
            raise Unavailable(f"there is no embedded cluster named {name}", f"labkit up --name {name}")
        if namespaces and found.alive:
            process.ask(found, "POST", "/kit/v1/reset", {"namespaces": namespaces}, timeout_s=60.0)
        elif namespaces:
            raise Unavailable(f"the cluster {name} is stopped", f"labkit up --name {name}")
        else:
            process.renew(name)

    def handle(self, name: str) -> Handle | None:
        """Return the cluster if it runs."""
        found = process.find(name)
        return _handle(found) if found is not None and found.alive else None


def _handle(running: Running) -> Handle:
    return Handle(running.name, "embedded", running.kubeconfig, f"{running.url}/kit/v1")


def _found(running: Running) -> Found:
    config = running.config
    return Found(
        name=running.name,
        provider="embedded",
        state="running" if running.alive else "stopped",
        pid=running.pid or None,
        url=running.url,
        kubeconfig=str(running.kubeconfig),
        clock=str(config.get("clock", "")),
        seed=config.get("seed"),
        version=running.version,
        ports=running.ports,
    )

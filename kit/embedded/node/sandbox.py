"""A Pod's sandbox: its address, name and the files the kubelet writes for it. Models kuberuntime_sandbox.go and kubelet_pods.go."""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.core.inodes import File
from kit.embedded.core.store import Obj
from kit.embedded.net.dns import SERVER
from kit.embedded.net.hosts import Host
from kit.embedded.net.wiring import GATEWAY
from kit.embedded.node.site import Site

HEADER = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
HOST_HEADER = """# Kubernetes-managed hosts file (host network).
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


class Sandbox:
    """The network namespace and shared files of one Pod."""

    def __init__(self, site: Site, pod: Obj) -> None:
        self._site = site
        metadata, spec = pod["metadata"], pod["spec"]
        self.own = not spec.get("hostNetwork")
        if self.own:
            self.address = site.addresses.take()
            self.host = Host(f"pod {metadata['namespace']}/{metadata['name']}", self.address, site.name)
            site.world.fabric.attach(self.host)
            self._open_host_ports(spec)
        else:
            self.address, self.host = site.host.address, site.host
        short, whole = names(pod, site.name)
        self.hostname = whole if spec.get("setHostnameAsFQDN") and whole else short
        self.files = {
            "/etc/hosts": File(
                _hosts(pod, self.address, short, whole).encode(), mtime=site.world.clock.wall(), owner=self
            ),
            "/etc/hostname": File(f"{self.hostname}\n".encode(), mtime=site.world.clock.wall(), owner=self),
            "/etc/resolv.conf": File(_resolv(pod).encode(), mtime=site.world.clock.wall(), owner=self),
        }

    def _open_host_ports(self, spec: Obj) -> None:
        for container in spec["containers"]:
            for port in container.get("ports") or ():
                if port.get("hostPort"):
                    self._site.world.fabric.host_ports[self._site.name, port["hostPort"]] = (
                        self.host,
                        port["containerPort"],
                    )

    def close(self) -> None:
        """Give the address back."""
        if self.own:
            self._site.world.fabric.detach(self.host)
            self._site.addresses.give(self.address)


def names(pod: Obj, node: str) -> tuple[str, str]:
    """Return a Pod's hostname and, with a subdomain, its whole name."""
    metadata, spec = pod["metadata"], pod["spec"]
    if spec.get("hostNetwork"):
        return node, ""
    short = (spec.get("hostname") or metadata["name"])[:63].rstrip("-.")
    whole = f"{short}.{spec['subdomain']}.{metadata['namespace']}.svc.cluster.local" if spec.get("subdomain") else ""
    return short, whole


def _hosts(pod: Obj, address: str, short: str, whole: str) -> str:
    header = HOST_HEADER if pod["spec"].get("hostNetwork") else HEADER
    text = f"{header}{address}\t{whole}\t{short}\n" if whole else f"{header}{address}\t{short}\n"
    aliases = pod["spec"].get("hostAliases") or ()
    if aliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join(f"{alias['ip']}\t{_tabs(alias.get('hostnames') or ())}\n" for alias in aliases)
    return text


def _tabs(words: Sequence[str]) -> str:
    return "\t".join(words)


def _resolv(pod: Obj) -> str:
    """Return resolv.conf as dnsPolicy and dnsConfig ask. Models pkg/kubelet/network/dns."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    cluster = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    servers, searches, options = {
        "None": ([], [], {}), "Default": ([GATEWAY], [], {"ndots": "0"}),
    }.get(policy, ([SERVER], cluster, {"ndots": "5"}))  # fmt: skip
    config = spec.get("dnsConfig") or {}
    servers = [*servers, *(config.get("nameservers") or ())]
    searches = [*searches, *(config.get("searches") or ())]
    options = {**options, **{one["name"]: one.get("value") for one in config.get("options") or ()}}
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    if options:
        lines.append("options " + " ".join(f"{name}:{value}" if value else name for name, value in options.items()))
    return "\n".join(lines) + "\n"

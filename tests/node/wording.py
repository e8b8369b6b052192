"""Texts of a whole cluster with the placeholders that the kubelet's recordings have (facts README, kubelet.jsonl)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import transcripts

SUFFIX = transcripts.SUFFIX
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
NODES = {"facts-control-plane": "<node>", "facts-worker2": "<node>", "facts-worker": "<node>"}
KEPT_NODES = {"facts-control-plane": "<control-plane>", "facts-worker2": "<worker2>", "facts-worker": "<worker>"}
PATTERNS = (
    (r"\b10\.96\.0\.10\b", "<dnsIP>"),
    (r"\b10\.96\.0\.1\b(?!\d)", "<kubernetesIP>"),
    (r"\b10\.96\.\d+\.\d+\b", "<clusterIP>"),
    (r"\b10-244-\d+-\d+\b", "<podIP-dashed>"),
    (r"\b10\.244\.\d+\.\d+\b", "<podIP>"),
    (r"\b172\.18\.\d+\.\d+\b", "<nodeIP>"),
    (UUID, "<uid>"),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"sha256:[0-9a-f<id>]+", "sha256:<digest>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "<time>"),
    (r"\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "<time>"),
    (r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", "<time>"),
    (r"\b[A-Z][a-z]{2} +\d+ +(?:\d\d:\d\d|\d{4})\b", "<date>"),
    # Links, sizes and blocks of folders, as the disk, tmpfs and overlayfs count them each in its own way.
    (r"(?m)^(d[rwxt-]{9}) +\d+ (\w+ +\w+) +\d+ ", r"\1 <links> \2 <size> "),
    (r"(?m)^total \d+$", "total <blocks>"),
    (r"(?m)(^lrwxrwxrwx .*) \d+ (<date> \.\.data)", r"\1 <size> \2"),
    (r"/dev/vda on (\S+) type ext4 \((r[ow],relatime)[^)]*\)", r"/dev/root on \1 type ext4 (\2)"),
    (r"allocatable: \d+", "allocatable: <node>"),
    (r"size=\d{7,}k", "size=<memory>"),
    (r"(?m)(\n)\d{3,4}\n?\Z", r"\1<length>"),  # of a token
    (r"\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+", "..<stamp>"),
    (rf"kube-api-access-[{SUFFIX}]{{5}}\b", "kube-api-access-<rand5>"),
    (rf"node-debugger-(\S+?)-[{SUFFIX}]{{5}}\b", r"node-debugger-\1-<rand5>"),
    (rf"local-path-provisioner-[{SUFFIX}]{{8,10}}-[{SUFFIX}]{{5}}", "local-path-provisioner-<hash>-<rand5>"),
    (r"\bcj-\d{8}\b", "cj-<minute>"),
    (r":3[0-2]\d{3}/TCP", ":<nodePort>/TCP"),
    (r'ETag: "[^"]+"', 'ETag: "<etag>"'),
    (r"lookup (\S+) on \S+:53: no such host", r"lookup \1: no such host"),
    (r"<rand5:\d+>", "<rand5>"),
    (r"\b1[67]\d{8}\b", "<seconds>"),
    (r"(?m)^ +\d+( root  )(?!sh -c trap)", r"<pid>\1"),
    (r"OS: Linux \S+", "OS: Linux <kernel>"),
    (r"RLIMIT_NOFILE\): \d+:\d+", "RLIMIT_NOFILE): <limit>"),
    (r"(?:\S+ \S+ 1#1: start worker process \d+\n?)+", "<workers>\n"),
    (r"built by gcc .*", "built by <compiler>"),
    # The recording's nginx is Debian's: its configuration and its folders are at other places, its errors on stderr alone.
    (r"/etc/nginx/nginx\.conf:\d+", "/etc/nginx/nginx.conf:<line>"),
    (r'"/var/lib/nginx/proxy"|"/var/cache/nginx/client_temp"', "<temporary>"),
    (r"(?m)^nginx: \[(?:warn|emerg)\] .*\n", ""),
    (r"(?m)^fc00:f853:.*\n", ""),  # the IPv6 address of kind's own network
    (r"(?m)^tar: removing leading '/' from member names\n", ""),  # kubectl cp shows it by chance
    (r"(Failed to connect to \S+ after) \d+ ms", r"\1 <duration>"),
    (r"in \d+(\.\d+)?m?s \(\d+(\.\d+)?m?s including waiting\)", "in <duration> (<duration> including waiting)"),
)  # fmt: skip


class Words:
    """Knows the names that one cluster has made up."""

    def __init__(self, space: str, *, keep_nodes: bool) -> None:
        self._names: dict[str, str] = {space: "<namespace>", **(KEPT_NODES if keep_nodes else NODES)}
        self.hashes: set[str] = set()  # of templates without a time in them: the same on every cluster

    def learn(self, obj: Mapping[str, Any]) -> None:
        """Note the name of an object, where the cluster made it up."""
        metadata = obj["metadata"]
        hash = (metadata.get("labels") or {}).get("pod-template-hash")
        if hash:
            self._names[hash] = "<hash>"
            self.hashes |= set() if RESTARTED in (metadata.get("annotations") or {}) else {hash}
        base, name = metadata.get("generateName"), metadata["name"]
        if base and re.fullmatch(f"[{SUFFIX}]{{5}}", name[len(base) :]):
            self._names[name] = (base.replace(hash, "<hash>") if hash else base) + "<rand5>"

    def plain(self, text: str) -> str:
        """Return a text without what differs from cluster to cluster."""
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, self._names[name])
        for pattern, word in PATTERNS:
            text = re.sub(pattern, word, text)
        return text

    def walk(self, value: Any) -> Any:
        """Return a value whose texts are plain."""
        if isinstance(value, str):
            return self.plain(value)
        if isinstance(value, list):
            return [self.walk(one) for one in value]
        return {key: self.walk(one) for key, one in value.items()} if isinstance(value, dict) else value

    def printed(self, text: str) -> str:
        """Return what a command printed, as it is compared."""
        lines = [re.sub(r"(?<=\S) {2,}(?=\S)", "  ", line).rstrip() for line in transcripts.ages(text).split("\n")]
        return self.plain("\n".join(lines))

"""kubectl's output without what changes from run to run, as the recordings have it (facts README)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
NAMED = "web|ds|svc|j|cj|headless|r|ext|np|once|hello|lb|one|two|api|fe|back"
AGES = frozenset({"AGE", "LAST SEEN", "FIRST SEEN", "LAST SCHEDULE", "DURATION", "Age"})
LENGTH = re.compile(r"(?=\d)(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$")
ABSENT = re.compile(
    r"(?m)^Warning: nothing acts on .* in the embedded cluster yet: .*\n"
)  # kit.embedded.api.absent: honest here
SHORT = re.compile(
    r"(?m)^.* reflector.go:\d+\] .*very short watch.*\n"
)  # a wait that ends within its first second: chance, there as here
BUILD = re.compile(r"((?:gitCommit|buildDate|goVersion|platform|compiler|gitTreeState)\"?: \"?)[^\",\n]+")

# A value that the case itself gives stays.
GIVEN = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "<time>"),
)
PLAIN = (
    (r"\bhttps?://127\.0\.0\.1:\d+", "<server>"),
    (r"\b127\.0\.0\.1:\d+", "<server>"),
    (r"\b10\.244\.\d+\.\d+\b", "<podIP>"),
)
NAMES = (
    (rf"(<hash>)-[{SUFFIX}]{{5}}\b", r"\1-<rand5>"),
    (rf"(kube-api-access-)[{SUFFIX}]{{5}}\b", r"\1<rand5>"),
    (rf"\b({NAMED})-[{SUFFIX}]{{5}}\b", r"\1-<rand5>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}( UTC)?", "<time>"),
    (r"/tmp/(LIVE|MERGED)-\d+", r"<\1>"),
    (BUILD.pattern, r"\1<build>"),
    (r"(Resource Version:\s+)\d+", r"\1<rv>"),
    (r"(resourceVersion: )\"\d+\"", r'\1"<rv>"'),
    (r'(resourceVersion"?:\s*\\?"?)\d+', r"\1<rv>"),
    (r"\b(?:-2[89]\d{6})\b", "-<minute>"),
    (r"eyJ[\w-]{20,}\.eyJ[\w-]+\.[\w-]+", "<token>"),
)
LAST = (
    (r"( to )facts-node-\d", r"\1<node>"),
    (r"\b\d+(\.\d+)?(ms|µs)\b", "<ms>"),
    (r"[EWI]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ (\S+?):\d+\]", r"<klog> \1]"),
)
NODE_PORT = re.compile(r"(NodePort:\s+\S*\s+|nodePort\"?: |:)(3[0-2]\d{3})(?=/TCP|/UDP|\b)")


def clean(text: str, given: str, names: Mapping[str, str], folders: Sequence[str]) -> str:
    """Return one output, normalised. `names` maps names made up by the cluster, `folders` are the case's own and its parent."""
    text = ages(SHORT.sub("", ABSENT.sub("", text)))
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    text = text.replace(folders[0] + "/", "").replace(folders[0], "<dir>").replace(folders[1], "<root>")
    for pattern, word in GIVEN:
        text = re.sub(pattern, lambda found, word=word: found[0] if found[0] in given else word, text)
    text = _replace(text, PLAIN)
    kept = lambda found: found[0] if found[0] in given or found[0] == "10.96.0.1" else "<clusterIP>"  # noqa: E731
    text = _replace(re.sub(r"\b10\.96\.\d+\.\d+\b", kept, text), NAMES)
    text = NODE_PORT.sub(lambda found: found[0] if found[2] in given else found[1] + "<nodePort>", text)
    return _replace(text, LAST)


def _replace(text: str, table: Sequence[tuple[str, str]]) -> str:
    for pattern, word in table:
        text = re.sub(pattern, word, text)
    return text


def ages(text: str) -> str:
    """Return a text whose columns of time hold `<age>`, and whose columns are two spaces apart."""
    text = re.sub(r"(\S+) \(x\d+ over \S+\)", _once, text)
    text = re.sub(r"(?m)^(\s*(?:Duration|Age|Running for):\s+)\S+$", r"\1<age>", text)
    text = re.sub(r"(\d+) \(\S+ ago\)", r"\1 (<age> ago)", "\n".join(_aged(text.split("\n"))))  # last: it moves columns
    return "\n".join(re.sub(r"(?<=\S) {2,}(?=\S)", "  ", line).rstrip() for line in text.split("\n"))


def _once(found: re.Match[str]) -> str:
    word = "<age>" if LENGTH.match(found[1]) else found[1]
    return word + " " * (len(found[0]) - len(found[1]))


def _aged(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines with `<age>` under the heads of time."""
    starts: list[int] = []
    last = False
    for line in lines:
        cells = [(found.start(), found[0]) for found in re.finditer(r"\S+(?: \S+)*", line)]
        heads = [start for start, cell in cells if cell in AGES]
        if heads and len(cells) > 1:
            starts, last = heads, cells[-1][1] in AGES
        elif not line.strip():
            starts, last = [], False
        elif starts:
            line = _row(line, starts, last=last)
        elif len(cells) > 3 and LENGTH.match(cells[-1][1]):  # --no-headers
            line = line[: cells[-1][0]] + "<age>"
        yield line


def _row(line: str, starts: Sequence[int], *, last: bool) -> str:
    for start in reversed(starts):
        found = re.match(r"\S+", line[start:])
        if found and LENGTH.match(found[0]) and (start == 0 or line[start - 1] == " "):
            line = line[:start] + "<age>" + " " * max(0, len(found[0]) - 5) + line[start + len(found[0]) :]
    if last:
        line = re.sub(r"(?<=\s)(\S+)$", lambda found: "<age>" if LENGTH.match(found[1]) else found[0], line)
    return line


# kubectl drain goes through its reasons in the order of a Go map, another one each time: only its words are compared.
WORDS_ONLY = re.compile("drain")


def comparable(case: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output with the lines sorted that have no fixed order."""
    text = BUILD.sub(r"\1<build>", result["stdout"])
    head, mark, tail = text.partition("\nEvents:")
    if mark:
        lines = tail.split("\n")
        text = head + mark + "\n".join([lines[0], *sorted(lines[1:])])
    if WORDS_ONLY.search(case["id"]):
        words = {part: sorted(re.split(r"[\s,;\[\]]+", result[part] or "")) for part in ("stdout", "stderr")}
        return {**result, **{part: "\n".join(found) for part, found in words.items()}}
    if case.get("unorderedLines"):
        text = "\n".join(sorted(text.split("\n")))
    return {**result, "stdout": text}

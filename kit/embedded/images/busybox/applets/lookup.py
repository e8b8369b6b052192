"""`nslookup` (models busybox networking/nslookup.c, the big one)."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.program import Answer, Errno, Query
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table

TYPES = frozenset(("SOA", "NS", "MX", "CNAME", "A", "AAAA", "PTR", "TXT", "SRV", "ANY"))
SHAPES = {
    "CNAME": "{name}\tcanonical name = {value}\n",
    "PTR": "{name}\tname = {value}\n",
    "NS": "{name}\tnameserver = {value}\n",
    "MX": "{name}\tmail exchanger = {value}\n",
    "SRV": "{name}\tservice = {value}\n",
    "TXT": '{name}\ttext = "{value}"\n',
    "SOA": "{name}\n\torigin = {value}\n",
}
ADDRESS = "Name:\t{name}\nAddress: {value}\n"


def _search(command: Command) -> list[str]:
    try:
        lines = command.fs.read("/etc/resolv.conf").decode("utf-8", "replace").splitlines()
    except Errno:
        return []
    found: list[str] = []
    for line in lines:
        words = line.split()
        if words[:1] in (["search"], ["domain"]):
            found = words[1:]
    return found


def _reverse(name: str) -> str:
    """Return the PTR name of an IPv4 address, "" when `name` is none."""
    parts = name.split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts):
        return ""
    return ".".join(reversed(parts)) + ".in-addr.arpa"


def nslookup(command: Command) -> Steps:
    """Ask the DNS server."""
    types: list[str] = []
    words: list[str] = []
    for word in command.args:
        if word.startswith(("-type=", "-querytype=", "-q=", "-t=")):
            kind = word.partition("=")[2].upper()
            if kind not in TYPES:
                raise Fail(f'invalid query type "{word.partition("=")[2]}"')
            types.append(kind)
        elif word.startswith("-"):
            if word != "-debug" and not word.startswith(("-port=", "-retry=", "-timeout=", "-stats")):
                raise Usage
        else:
            words.append(word)
    if not 1 <= len(words) <= 2:
        raise Usage
    name, server = words[0], words[1] if len(words) > 1 else None
    return (yield from _ask_all(command, _questions(command, name, types), server))


def _questions(command: Command, name: str, types: list[str]) -> list[tuple[str, str]]:
    reverse = _reverse(name)
    if reverse and not types:
        return [(reverse, "PTR")]
    questions: list[tuple[str, str]] = []
    domains = _search(command)
    for kind in types or ["A", "AAAA"]:
        if "." in name or not domains or kind == "PTR":
            questions.append((name, kind))
        else:
            questions += [(f"{name}.{domain}", kind) for domain in domains]
    return questions


def _ask_all(command: Command, questions: list[tuple[str, str]], server: str | None) -> Steps:
    status = 0
    header = False
    for name, kind in questions:
        try:
            answer: Answer = yield Query(name.rstrip("."), kind, server)
        except Errno:
            command.out(";; connection timed out; no servers could be reached\n\n")
            return 1
        if not header:
            header = True
            at = answer.server or server or ""
            command.out(f"Server:\t\t{at}\nAddress:\t{at}:53\n\n")
        if answer.code != "NOERROR":
            command.out(f"** server can't find {name}: {answer.code}\n")
            status = 1
        for owner, found, _, value in answer.records:
            command.out(SHAPES.get(found, ADDRESS).format(name=owner.rstrip("."), value=value.rstrip(".")))
        command.out("\n")
    return status


APPLETS: dict[str, Any] = table((("nslookup", nslookup, "nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]"),))

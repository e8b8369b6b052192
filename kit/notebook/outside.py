"""`lab.http`: a request from outside the cluster (or, with `from_`, out of one of its Pods), on every provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3

from kit.client.capabilities import Control
from kit.client.execute import Ran, execute
from kit.client.objects import Objects
from kit.errors import BadInput, Status
from kit.notebook.answers import HttpAnswer

TIMEOUT_S = 3.0
_NO_PROGRAM = ("executable file not found", "no such file or directory")
_WORDS = {
    "CERTIFICATE_VERIFY_FAILED": "certificate",
    "SSL": "protocol",
    "refused": "refused",
    "timed out": "timeout",
    "can't connect to remote host": "refused",
    "bad address": "NXDOMAIN",
    "No route": "no route",
    "unreachable": "no route",
    "Could not resolve": "NXDOMAIN",
}


def by_control(
    control: Control, url: str, host: str | None, from_: str | None, options: Mapping[str, Any]
) -> HttpAnswer:
    """Ask the simulated cluster's edge, or one of its Pods (`namespace/name`)."""
    body = {
        "method": options["method"],
        "url": url,
        "headers": {"Host": host} if host else {},
        "body": options["body"],
        "from": from_,
        "timeout_ms": int(TIMEOUT_S * 1000),
    }
    found = control.outside(body)
    if found.get("error"):
        return HttpAnswer(url, error=found["error"], seconds=TIMEOUT_S, lang=options["lang"])
    return HttpAnswer(
        url,
        found["status"],
        found.get("reason") or "",
        found.get("headers") or {},
        found.get("body") or "",
        lang=options["lang"],
    )


def by_host(url: str, host: str | None, options: Mapping[str, Any]) -> HttpAnswer:
    """Ask from this machine, which stands outside of the cluster."""
    check_url(url)
    pool = urllib3.PoolManager()
    headers = {"Host": host} if host else {}
    timeout = urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S)
    try:
        answer = pool.request(
            options["method"],
            url,
            headers=headers,
            body=options["body"] or None,
            timeout=timeout,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        return HttpAnswer(url, error=_kind(error), seconds=TIMEOUT_S, lang=options["lang"])
    text = answer.data.decode("utf-8", "replace")
    return HttpAnswer(url, answer.status, answer.reason or "", dict(answer.headers), text, lang=options["lang"])


def by_pod(objects: Objects, url: str, host: str | None, pod: str, options: Mapping[str, Any]) -> HttpAnswer:
    """Ask out of a Pod, with the wget or curl that it has."""
    header = f"Host: {host}" if host else "Accept: */*"
    seconds = f"{TIMEOUT_S:g}"
    post = options["method"] == "POST"
    tools = [
        [
            "wget",
            "-q",
            "-S",
            "-T",
            seconds,
            "-O",
            "-",
            "--header",
            header,
            *(["--post-data", options["body"]] if post else []),
            url,
        ],
        ["curl", "-s", "-S", "-i", "-m", seconds, "-H", header, *(["--data", options["body"]] if post else []), url],
    ]
    for command in tools:
        ran = _ran(objects, pod, command)
        if ran.code == 0 or _missing(ran) is False:
            return _of_tool(url, ran, options["lang"])
    raise BadInput(f"Pod {pod} has neither wget nor curl", "ask out of a busybox Pod")


def check_url(url: str) -> None:
    """Refuse what is not an http(s) URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadInput(f"{url!r} is not an address", "write it as http://NAME-OR-IP:PORT/path")


def _ran(objects: Objects, pod: str, command: list[str]) -> Ran:
    try:
        return execute(objects.connection, pod, command, namespace=objects.namespace)
    except Status as error:
        if not any(words in error.message for words in _NO_PROGRAM):
            raise
        return Ran(126, "", "", error.message)


def _missing(ran: Ran) -> bool:
    return any(words in ran.error for words in _NO_PROGRAM)


def _of_tool(url: str, ran: Ran, lang: str) -> HttpAnswer:
    found = re.search(r"HTTP/[\d.]+ (\d{3}) ?([^\r\n]*)", ran.stderr + ran.stdout)
    if found:
        text = ran.stdout.split("\r\n\r\n", 1)[-1]
        return HttpAnswer(url, int(found[1]), found[2].strip(), {}, text, lang=lang)
    words = ran.stderr + ran.error
    kind = next((kind for word, kind in _WORDS.items() if word in words), "timeout")
    return HttpAnswer(url, error=kind, seconds=TIMEOUT_S, lang=lang)


def _kind(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "NXDOMAIN"
    text = str(error)
    return next((kind for word, kind in _WORDS.items() if word in text), "timeout")

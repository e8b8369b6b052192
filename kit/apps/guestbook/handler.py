"""The guestbook: what it answers. A pure function of request, settings and the database's replies; `server.py` does the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs

KEY = "messages"
SHOWN = 100
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
PHRASES = {200: "OK", 201: "Created", 303: "See Other", 400: "Bad Request", 404: "Not Found",
           503: "Service Unavailable"}  # fmt: skip
PROBLEMS = {"timed out": "timeout", "timeout": "timeout", "refused": "connection refused", "route": "no route to host",
            "gaierror": "name not known", "name": "name not known", "reset": "connection reset"}  # fmt: skip
PAGE = """<!DOCTYPE html>
<html><head><title>Guestbook</title></head>
<body>
<h1>{greeting}</h1>
<p>{banner}</p>
<form method="post" action="api/messages"><input name="message" autofocus> <button>Send</button></form>
<p>{problem}</p>
<ul>
{messages}
</ul>
<p>Version {version}, answered by {pod}</p>
</body></html>
"""


@dataclass(frozen=True)
class Request:
    """An HTTP request, its query already split."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Response:
    """An answer. `then` is what the server does: "exit" or "hang", or, before it answers, "wait" or "burn" for `seconds`."""

    status: int
    body: str
    kind: str = TEXT
    location: str = ""
    then: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What the environment says. The database is DB_HOST, or the address baked into the image."""

    version: str = "v1"
    greeting: str = "Guestbook"
    db_host: str = "db"
    db_port: int = 6379
    db_password: str = ""
    pod: str = ""
    node: str = ""
    ip: str = ""
    port: int = 8080


@dataclass
class State:
    """What changes while the server runs."""

    ready: bool = True


def settings(env: Mapping[str, str], hostname: str) -> Settings:
    """Read the settings from the environment."""
    port = env.get("DB_PORT", "")
    return Settings(
        version=env.get("APP_VERSION", "v1"),
        greeting=env.get("GREETING", "Guestbook"),
        db_host=env.get("DB_HOST") or env.get("BAKED_DB_HOST") or "db",
        db_port=int(port) if port.isdigit() else 6379,  # a Service called db sets DB_PORT to tcp://ADDRESS:PORT
        db_password=env.get("DB_PASSWORD", ""),
        pod=env.get("POD_NAME") or hostname,
        node=env.get("NODE_NAME", ""),
        ip=env.get("POD_IP", ""),
        port=int(env.get("PORT", "8080")),
    )


def database_commands(request: Request) -> list[list[str]]:
    """Return the redis commands whose replies `respond` needs for this request."""
    if request.path == "/readyz":
        return [["PING"]]
    if request.path == "/api/messages" and request.method == "POST" and message_in(request):
        return [["RPUSH", KEY, message_in(request)]]
    if request.path == "/" or (request.path == "/api/messages" and request.method != "POST"):
        return [["LRANGE", KEY, str(-SHOWN), "-1"]]
    return []


def message_in(request: Request) -> str:
    """Return the message of a POST: a form field, JSON {"message": ...}, or the whole body."""
    text = request.body
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("message", ""))
        except ValueError:
            return ""
    elif is_form(request):
        text = parse_qs(text)["message"][0]
    return text.strip()[:500]


def is_form(request: Request) -> bool:
    """Say whether the page's own form sent this request."""
    return request.body.startswith("message=") and "message" in parse_qs(request.body)


def respond(
    request: Request, config: Settings, state: State, banner: str, replies: list[object], problem: str
) -> Response:
    """Answer a request. `problem` says why the database did not answer, "" when it did."""
    if request.path == "/":
        return _page(config, banner, replies, problem)
    if request.path == "/api/messages":
        return _messages(request, config, replies, problem)
    if request.path == "/readyz":
        return _readiness(state, problem)
    if request.path in ("/ready", "/notready"):
        state.ready = request.path == "/ready"
        return Response(200, f"readiness is now {str(state.ready).lower()}\n")
    facts = {"/whoami": _whoami(config), "/env": _environment(config)}
    if request.path in facts:
        return Response(200, json.dumps(facts[request.path]) + "\n", JSON)
    return _fault(request)


def _page(config: Settings, banner: str, replies: list[object], problem: str) -> Response:
    items = replies[0] if replies and isinstance(replies[0], list) else []
    text = PAGE.format(
        greeting=escape(config.greeting),
        banner=escape(banner),
        problem=escape(f"The database does not answer: {problem}") if problem else "",
        messages="\n".join(f"<li>{escape(str(item))}</li>" for item in items),
        version=escape(config.version),
        pod=escape(config.pod),
    )
    return Response(200, text, HTML)


def _messages(request: Request, config: Settings, replies: list[object], problem: str) -> Response:
    if request.method == "POST" and not message_in(request):
        return Response(400, '{"error": "no message"}\n', JSON)
    if problem:
        return Response(503, json.dumps({"error": problem, "pod": config.pod}) + "\n", JSON)
    if request.method != "POST":
        return Response(200, json.dumps({"messages": replies[0], "pod": config.pod}) + "\n", JSON)
    if is_form(request):  # sent by the page's form: show the page again
        return Response(303, "", TEXT, location="../")
    return Response(201, json.dumps({"count": replies[0], "pod": config.pod}) + "\n", JSON)


def _readiness(state: State, problem: str) -> Response:
    if not state.ready:
        return Response(503, "not ready: /notready was called\n")
    return Response(503, f"not ready: database: {problem}\n") if problem else Response(200, "ready\n")


def _whoami(config: Settings) -> dict[str, str]:
    return {"pod": config.pod, "node": config.node, "ip": config.ip, "version": config.version}


def _environment(config: Settings) -> dict[str, str]:
    database = {"DB_HOST": config.db_host, "DB_PORT": str(config.db_port)}
    return {"APP_VERSION": config.version, "GREETING": config.greeting, **database}


def _fault(request: Request) -> Response:
    known = {
        "/healthz": Response(200, "ok\n"),
        "/crash": Response(200, "crashing\n", then="exit"),
        "/hang": Response(200, "hanging\n", then="hang"),
        "/slow": Response(200, "slow\n", then="wait", seconds=_number(request, "ms", 1000, 60_000) / 1000),
        "/burn": Response(200, "burnt\n", then="burn", seconds=_number(request, "seconds", 1, 300)),
    }
    return known.get(request.path, Response(404, "not found\n"))


def _number(request: Request, name: str, usual: float, most: float) -> float:
    text = request.query.get(name, str(usual))
    return min(most, float(text)) if text.replace(".", "", 1).isdigit() else 0.0


def problem_of(error: object) -> str:
    """Return why something could not be reached, in few words that are the same everywhere."""
    text = f"{type(error).__name__} {error}".lower()
    for word, said in PROBLEMS.items():
        if word in text:
            return said
    return "unreachable"


def encode_response(request: Request, response: Response, config: Settings) -> bytes:
    """Return the answer as HTTP/1.1."""
    body = response.body.encode()
    place = f"Location: {response.location}\r\n" if response.location else ""
    head = (
        f"HTTP/1.1 {response.status} {PHRASES[response.status]}\r\nContent-Type: {response.kind}\r\nContent-Length: {len(body)}\r\n"
        f"X-Pod: {config.pod}\r\nX-Version: {config.version}\r\nConnection: close\r\n{place}\r\n"
    )
    return head.encode() + (b"" if request.method == "HEAD" else body)


def log_line(request: Request, response: Response) -> str:
    """Return the line for the log."""
    return f"{request.method} {request.path} {response.status}"


def encode_command(words: list[str]) -> bytes:
    """Return a command as redis reads it."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

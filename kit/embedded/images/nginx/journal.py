"""One request being answered: its variables, its lines in the access and error log."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.program import Now, Write
from kit.embedded.images.nginx.parser import Request
from kit.embedded.images.nginx.site import Location, Server, Site
from kit.embedded.images.stamps import access_date, error_date, iso_date

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@dataclass(slots=True)
class Exchange:
    """A request, who sent it, where it fell to and what became of it. `uri` changes with internal redirects."""

    site: Site
    request: Request
    server: Server
    location: Location
    client: tuple[str, int]
    local: tuple[str, int]
    number: int  # of the connection
    pid: int
    hostname: str
    version: str
    logs: dict[str, int]  # path of a log: fd
    uri: str = "/"
    method: str = ""
    status: int = 0
    sent: int = 0
    body: bytes = b""
    redirects: int = 0
    secure: bool = False

    def variable(self, name: str, now: int) -> str | None:
        """Return a variable's value, None when there is no such variable."""
        request = self.request
        if name.startswith("http_"):
            return request.header(name[5:].replace("_", "-"))
        if name.startswith("arg_"):
            pairs = (part.partition("=") for part in request.query.split("&"))
            return next((value for key, _, value in pairs if key.lower() == name[4:].lower()), "")
        found = {
            "remote_addr": self.client[0], "remote_port": str(self.client[1]), "remote_user": "", "request": request.line,
            "time_local": access_date(now), "time_iso8601": iso_date(now)[:19] + "+00:00", "msec": f"{now / 1000:.3f}",
            "status": f"{self.status:03}", "body_bytes_sent": str(self.sent), "bytes_sent": str(self.sent),
            "host": request.host or self.server.name, "hostname": self.hostname, "uri": self.uri, "document_uri": self.uri,
            "request_uri": request.target, "request_method": request.method, "args": request.query, "query_string": request.query,
            "is_args": "?" if request.query else "", "scheme": "https" if self.secure else "http",
            "https": "on" if self.secure else "", "server_addr": self.local[0],
            "server_port": str(self.local[1]), "server_name": self.server.name, "nginx_version": self.version,
            "server_protocol": f"HTTP/{request.version[0]}.{request.version[1]}", "request_time": "0.000", "connection": str(self.number),
            "proxy_add_x_forwarded_for": ", ".join(filter(None, (request.header("x-forwarded-for"), self.client[0]))),
            "proxy_host": "", "content_length": request.header("content-length"), "content_type": request.header("content-type"),
            "document_root": self.location.word("root", "html"), "request_length": str(len(request.line)), "pid": str(self.pid),
            "request_id": f"{self.number:032x}", "upstream_addr": "", "upstream_status": "", "upstream_response_time": "", "empty": "",
        }  # fmt: skip
        return found.get(name)

    def expand(self, text: str, now: int, *, blank: str = "") -> str:
        """Return `text` with its variables filled in; an empty one becomes `blank`, an unknown one stays."""
        out, at = [], 0
        while (mark := text.find("$", at)) >= 0:
            out.append(text[at:mark])
            braced = text[mark + 1 : mark + 2] == "{"
            end = start = mark + 1 + braced
            while end < len(text) and text[end] in NAME:
                end += 1
            value = self.variable(text[start:end], now)
            after = end + (braced and text[end : end + 1] == "}")
            out.append(text[mark:after] if value is None else value or blank)
            at = after
        return "".join(out) + text[at:]

    def log(self) -> Generator[Any, Any, None]:
        """Write the line in the access log."""
        rules = self.location.settings.get("access_log") or []
        if any(rule.args[0] == "off" for rule in rules):
            return
        now = yield Now()
        for path, form in [(rule.args[0], rule.args[1] if len(rule.args) > 1 else "combined") for rule in rules]:
            fd = self.logs.get(path)
            if fd is not None:
                line = self.expand(self.site.log_formats.get(form, COMBINED), now, blank="-")
                yield Write(fd, line.encode("utf-8", "surrogateescape") + b"\n")

    def error(self, message: str, *, upstream: str = "") -> Generator[Any, Any, None]:
        """Write a line at level error into the error log."""
        request = self.request
        parts = [message, f"client: {self.client[0]}", f"server: {self.server.name}", f'request: "{request.line}"']
        if upstream:
            parts.append(f'upstream: "{upstream}"')
        if host := request.header("host"):
            parts.append(f'host: "{host}"')
        text = f"[error] {self.pid}#{self.pid}: *{self.number} {', '.join(parts)}\n"
        now = yield Now()
        rules = self.location.settings.get("error_log") or []
        for path in [rule.args[0] for rule in rules] or ["/var/log/nginx/error.log"]:
            fd = self.logs.get(path)
            if fd is not None:
                yield Write(fd, f"{error_date(now)} {text}".encode("utf-8", "surrogateescape"))

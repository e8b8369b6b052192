"""From a kubeconfig to a `Connection`: one API server, who we are there, and the HTTPS requests to it."""

from __future__ import annotations

import base64
import json
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import urllib3
import yaml

from kit.client.tls import Trust, trust
from kit.errors import BadInput, Status, Unavailable

JSON = "application/json"
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Identity:
    """What a kubeconfig's current context says: the server, the default namespace and the credentials."""

    server: str
    namespace: str
    cluster: str
    user: str
    trust: Trust = field(default_factory=Trust)
    token: str | None = field(default=None, repr=False)
    basic: str | None = field(default=None, repr=False)
    server_name: str | None = None


@dataclass
class Answer:
    """One response: code, headers and the undecoded body."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the decoded body; a body that is not JSON becomes an error."""
        try:
            found = json.loads(self.body)
        except ValueError as error:
            raise Unavailable(
                "the cluster answered something that is not JSON", "labkit doctor looks for the cause"
            ) from error
        return found if isinstance(found, dict) else {"value": found}


@dataclass
class Connection:
    """One API server, reached with one identity. Its idle sockets are closed by `close`, by `with`, and when nobody holds it."""

    identity: Identity
    kubeconfig: Path
    _pool: urllib3.PoolManager | None = field(default=None, repr=False)
    warnings: list[str] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle sockets; the next request opens new ones."""
        if self._pool is not None:
            self._pool.clear()

    @property
    def server(self) -> str:
        """Return the URL of the API server, without a slash at its end."""
        return self.identity.server

    @property
    def namespace(self) -> str:
        """Return the namespace of the kubeconfig's context."""
        return self.identity.namespace

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """Send one request and return the answer, whatever its code is."""
        response = self._send(method, path, query, body, (content_type, accept), timeout_s, stream=False)
        return Answer(response.status, dict(response.headers), response.data)

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send one request and return the object; anything but a success raises `Status`."""
        answer = self.request(method, path, **options)
        if answer.code >= 400:
            raise status_of(answer)
        return answer.json()

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return a text answer (logs)."""
        answer = self.request("GET", path, query=query)
        if answer.code >= 400:
            raise status_of(answer)
        return answer.body.decode("utf-8", "replace")

    def lines(self, path: str, query: Mapping[str, str], timeout_s: float) -> Iterator[bytes]:
        """Yield the lines of a streamed answer until it ends or `timeout_s` passed without one."""
        response = self._send("GET", path, query, None, (JSON, JSON), timeout_s, stream=True)
        try:
            if response.status >= 400:
                raise status_of(Answer(response.status, dict(response.headers), response.data))
            rest = b""
            for chunk in response.stream(65536, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line for line in whole if line)
        except urllib3.exceptions.ReadTimeoutError:
            return
        finally:
            response.close()

    def headers(self) -> dict[str, str]:
        """Return the headers that say who we are."""
        identity = self.identity
        found = {"Accept": JSON, "User-Agent": "labkit"}
        if identity.token:
            found["Authorization"] = f"Bearer {identity.token}"
        elif identity.basic:
            found["Authorization"] = "Basic " + base64.b64encode(identity.basic.encode()).decode()
        return found

    def official(self) -> Any:
        """Return an `ApiClient` of the official `kubernetes` package for the same kubeconfig."""
        from kubernetes import config

        client = config.new_client_from_config(config_file=str(self.kubeconfig))  # type: ignore[no-untyped-call]
        weakref.finalize(client, client.rest_client.pool_manager.clear)
        return client

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        types: tuple[str, str],
        timeout_s: float,
        *,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        content_type, accept = types
        headers = self.headers() | {"Accept": accept}
        data: bytes | None = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = (
                body
                if isinstance(body, bytes)
                else body.encode()
                if isinstance(body, str)
                else json.dumps(body).encode()
            )
        timeout = urllib3.Timeout(connect=5.0, read=timeout_s)
        try:
            response = self._opened().request(
                method,
                url,
                body=data,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(self.server, error) from error
        for text in response.headers.getlist("Warning"):
            self.warnings.append(text.split('"')[1] if '"' in text else text)
        return response

    def _opened(self) -> urllib3.PoolManager:
        if self._pool is None:
            context = self.identity.trust.context()
            self._pool = urllib3.PoolManager(maxsize=8, ssl_context=context, server_hostname=self.identity.server_name)
            weakref.finalize(self, self._pool.clear)
        return self._pool


def connect(kubeconfig: str | Path, *, namespace: str | None = None) -> Connection:
    """Return a connection for the current context of `kubeconfig`; nothing is sent yet."""
    path = Path(kubeconfig).expanduser()
    document = _read(path)
    context_name = document.get("current-context") or ""
    context = _named(document, "contexts", "context", context_name, path)
    cluster = _named(document, "clusters", "cluster", context.get("cluster", ""), path)
    user = _named(document, "users", "user", context.get("user", ""), path) if context.get("user") else {}
    identity = Identity(
        server=str(cluster.get("server", "")).rstrip("/"),
        namespace=namespace or context.get("namespace") or "default",
        cluster=context.get("cluster", ""),
        user=context.get("user", ""),
        trust=trust(cluster, user, path),
        server_name=cluster.get("tls-server-name"),
        **_credentials(user, path),
    )
    if urlsplit(identity.server).scheme not in {"https", "http"}:
        raise BadInput(
            f"{path} names no server for the context {context_name!r}", "kubectl config view shows what it says"
        )
    return Connection(identity, path)


def status_of(answer: Answer) -> Status:
    """Return the error that an unsuccessful answer stands for."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = {}
    if not isinstance(body, dict) or body.get("kind") != "Status":
        text = answer.body.decode("utf-8", "replace").strip() or f"the server answered {answer.code}"
        return Status("", text, code=answer.code)
    return Status(body.get("reason", ""), body.get("message", ""), code=answer.code, details=body.get("details"))


def unreachable(server: str, error: Exception) -> Unavailable:
    """Return what a person must know when nobody answers at `server`."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return Unavailable(
            f"{server} shows a certificate that this kubeconfig does not trust", "labkit doctor compares the two"
        )
    if "refused" in text:
        return Unavailable(f"connection refused: no cluster listens at {server}", "start it with: labkit up")
    return Unavailable(
        f"the cluster at {server} does not answer ({type(error).__name__})", "labkit status shows which clusters run"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable(f"no kubeconfig at {path}", "labkit up makes a cluster and its kubeconfig") from error
    except yaml.YAMLError as error:
        raise BadInput(
            f"{path} is not valid YAML: {error}", "labkit kubeconfig prints the path of a good one"
        ) from error
    if not isinstance(document, dict):
        raise BadInput(f"{path} holds no kubeconfig", "labkit kubeconfig prints the path of a good one")
    return document


def _named(document: dict[str, Any], group: str, member: str, name: str, path: Path) -> dict[str, Any]:
    for entry in document.get(group) or []:
        if entry.get("name") == name:
            return entry.get(member) or {}
    raise BadInput(f"{path} has no {member} named {name!r}", "kubectl config get-contexts lists what it has")


def _credentials(user: dict[str, Any], path: Path) -> dict[str, Any]:
    if user.get("exec") or user.get("auth-provider"):
        return {"token": _token_of_plugin(path)}
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (path.parent / user["tokenFile"]).read_text(encoding="utf-8").strip()
    basic = f"{user['username']}:{user.get('password', '')}" if user.get("username") else None
    return {"token": token, "basic": basic}


def _token_of_plugin(path: Path) -> str | None:
    """Let the official client run the plugin; `kit.providers.kubeconfig` refuses plugins that nobody trusted before we get here."""
    from kubernetes import config

    api = config.new_client_from_config(config_file=str(path))  # type: ignore[no-untyped-call]
    bearer = (api.configuration.api_key or {}).get("authorization", "")
    return str(bearer).removeprefix("Bearer ").strip() or None

"""Asking the API of a machine in process, as the administrator: what every stage of these tests does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.api.server import Api
from kit.embedded.core.turns import Answer, Request, Ticket

TOKEN = "admin-token"
AGENT = "facts/v1 (linux/amd64)"


class PlainSigner:
    """A signer whose tokens are their claims."""

    def token(self, claims: Mapping[str, Any]) -> str:
        return json.dumps(claims)

    def claims(self, token: str) -> dict[str, Any] | None:
        try:
            found = json.loads(token)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def authority(self) -> str:
        return "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


class Asking:
    """Has an API to send requests to."""

    api: Api

    def send(
        self, ticket: Ticket, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, query: Sequence[tuple[str, str]] = ()
    ) -> None:  # fmt: skip
        """Send one request as the administrator; what comes of it goes to the ticket."""
        sent = {"authorization": f"Bearer {TOKEN}", "user-agent": AGENT, "accept": "application/json"}
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= {key.lower(): value for key, value in (headers or {}).items()}
        raw = b"" if body is None else json.dumps(body).encode()
        path, _, more = path.partition("?")
        pairs = (*query, *(part.partition("=")[::2] for part in more.split("&") if part))
        self.api.handle(Request(ticket.id, method, "/" + path.lstrip("/"), tuple(pairs), sent, raw), ticket)

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[int, Any, tuple[tuple[str, str], ...]]:  # fmt: skip
        """Send one request as the administrator; code, body and headers of the answer."""
        outputs: list[Any] = []
        self.send(Ticket(1, outputs.append), method, path, body, headers, query)
        found = next(one.response for one in outputs if isinstance(one, Answer))
        return found.status, json.loads(found.body) if found.body else None, found.headers

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that must succeed; its answer."""
        code, answer, _ = self.call(method, path, body, headers)
        assert code < 400, (method, path, answer)
        return answer

    def create(self, obj: Mapping[str, Any], namespace: str = "default") -> Any:
        """Post an object to its collection."""
        return self.ask("POST", self.collection(obj, namespace), obj)

    def collection(self, obj: Mapping[str, Any], namespace: str) -> str:
        """Return where objects of that kind are posted."""
        found = self.api.context.registry.by_kind(obj["apiVersion"], obj["kind"])
        assert found is not None, obj["kind"]
        return str(found.collection(obj["metadata"].get("namespace") or namespace))

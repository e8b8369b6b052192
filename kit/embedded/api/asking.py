"""How a webhook is reached: by its URL, or by the address of a Service, through the cluster's own network.

Models k8s.io/apiserver/pkg/util/webhook/client.go (ClientManager.HookClient) and kube-aggregator's resolveCluster.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from kit.embedded.api.context import Context
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Key, Obj
from kit.embedded.core.turns import Called
from kit.embedded.core.waiting import Inside, Question, Waiting
from kit.kube.admission.reviewing import UnusableError

OUTSIDE = "this embedded cluster calls no webhooks outside itself; labkit up --allow-webhook-urls lets it"
LOOPBACK = ("127.", "localhost", "[::1]")
DEFAULT_PORT = 443
UNSTEADY = frozenset({"uid", "creationTimestamp", "managedFields"})

Client = Mapping[str, Any]


def question(context: Context, client: Client, key: str, body: bytes, uid: str, seconds: int) -> Question:
    """Return what a webhook of a clientConfig is asked; UnusableError says why it can't be reached at all."""
    url = f"{address_of(client)}?timeout={seconds}s"
    authority = base64.b64decode(client.get("caBundle") or "")
    inside = None
    try:
        if client.get("url"):
            _allowed(context, url)
        else:
            inside = _inside(context, client["service"])
    except UnusableError as error:
        raise UnusableError(f'Post "{url}": {error}') from None
    return Question(key, url, body, authority, seconds * 1000, uid, inside)


def key_of(*about: Any) -> tuple[str, str]:
    """Return the key and the uid of a question: what its answer is about, not the chance and time of one attempt."""
    key = blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16).hexdigest()
    return key, Ids(int(key[:12], 16)).uid()


def steady(obj: Obj | None, *but: str) -> Obj | None:
    """Return an object without what another attempt at the same request has otherwise, and without some fields of its metadata."""
    if obj is None:
        return None
    meta = obj.get("metadata") or {}
    return {**obj, "metadata": {key: value for key, value in meta.items() if key not in UNSTEADY and key not in but}}


def heard(context: Context, put: Question) -> tuple[str, Called]:
    """Return the uid that a question was first asked with, and its answer; wait for it, or raise UnusableError where none came."""
    await_answers(context, [put])
    first, reply = context.memo.replies[put.key]  # type: ignore[union-attr]
    if reply.error:
        raise UnusableError(f'Post "{put.url}": {reply.error}')
    return first.uid, reply


def await_answers(context: Context, questions: Sequence[Question]) -> None:
    """Let the work at hand wait for answers that are not there yet."""
    memo = context.memo
    missing = [one for one in questions if memo is not None and one.key not in memo.replies]
    if missing:
        raise Waiting(missing)


def address_of(client: Client) -> str:
    """Return the URL that a clientConfig is called by."""
    if client.get("url"):
        return str(client["url"])
    service = client["service"]
    port = service.get("port") or DEFAULT_PORT
    path = service.get("path") or "/"
    return f"https://{service['name']}.{service['namespace']}.svc:{port}{path if path.startswith('/') else '/' + path}"


def _allowed(context: Context, url: str) -> None:
    if context.settings.webhook_urls and context.memo is not None:
        return
    parts = urlsplit(url)
    refused = f"dial tcp {parts.hostname}:{parts.port or DEFAULT_PORT}: connect: connection refused"
    raise UnusableError(refused if parts.netloc.startswith(LOOPBACK) else OUTSIDE)


def _inside(context: Context, service: Mapping[str, Any]) -> Inside | None:
    """Return where a Service is called, None when that lies outside."""
    name, space, port = service["name"], service["namespace"], service.get("port") or DEFAULT_PORT
    found = context.store.get(Key("services", space, name))
    if found is None:
        raise UnusableError(f'service "{name}" not found')
    spec = found["spec"]
    if spec.get("type") == "ExternalName":
        _allowed(context, f"https://{spec['externalName']}:{port}")
        return None
    if spec.get("clusterIP") == "None":
        raise UnusableError('cannot route to service with ClusterIP "None"')
    if all(one["port"] != port for one in spec.get("ports") or ()):
        raise UnusableError(f'no service port {port} found for service "{name}"')
    if context.memo is None:  # the cluster is still starting: nothing listens anywhere
        raise UnusableError(f"dial tcp {spec['clusterIP']}:{port}: connect: connection refused")
    return Inside(spec["clusterIP"], port, f"{name}.{space}.svc")

"""CONNECT: what admission sees of exec, attach, port-forward and proxies before anything is opened.

Models pkg/apis/core/types.go (PodExecOptions and its like) and k8s.io/apiserver/pkg/endpoints/handlers/rest.go (ConnectResource).
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import admission
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.streams import NOT_TRUE
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request
from kit.kube import status

FLAGS = ("stdin", "stdout", "stderr", "tty")


def admit(context: Context, at: Attributes, request: Request, rest: str) -> None:
    """Refuse a connection that policies or webhooks do not let through."""
    if at.sub is None or at.subresource == "log":
        return
    if at.query.get("dryRun"):
        raise status.bad_request("dryRun is not supported")
    admission.admit_connect(context, at, options(at, request, rest))


def options(at: Attributes, request: Request, rest: str) -> Obj:
    """Return the options of a connection as an object."""
    kind = at.sub.kind if at.sub else ""
    return {"kind": kind, "apiVersion": at.resource.api_version, **_said(at, request, rest)}


def _said(at: Attributes, request: Request, rest: str) -> dict[str, Any]:
    several = {key: [value for name, value in request.query if name == key] for key in ("command", "ports")}
    if at.subresource == "proxy":
        path = f"/{rest.lstrip('/')}" if rest else ""
        return {"path": path} if path else {}
    if at.subresource == "portforward":
        ports = [int(one) for text in several["ports"] for one in text.split(",") if one.isascii() and one.isdigit()]
        return {"ports": ports} if ports else {}
    out: dict[str, Any] = {name: True for name in FLAGS if at.query.get(name, "").lower() not in NOT_TRUE}
    if at.query.get("container"):
        out["container"] = at.query["container"]
    if at.subresource == "exec" and several["command"]:
        out["command"] = several["command"]
    return out

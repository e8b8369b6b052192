"""ComponentStatuses: kept nowhere, asked of the parts of the control plane at each read.

Models pkg/registry/core/componentstatus/rest.go. The parts answer as long as this process does.
"""

from __future__ import annotations

from kit.embedded.api import forms, negotiation, reading, selecting
from kit.embedded.api.answers import respond
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj, Record
from kit.embedded.core.turns import Request, Response
from kit.errors import Status

PARTS = ("scheduler", "controller-manager", "etcd-0")


def answer(context: Context, at: Attributes, request: Request) -> Response:
    """Answer get and list."""
    form = negotiation.accepted(request.headers.get("accept", ""), listing=at.verb == "list")
    if at.verb == "get":
        if at.name not in PARTS:
            details = {"name": at.name, "kind": "componentstatus"}
            raise Status("NotFound", f'componentstatus "{at.name}" not found', details=details)
        body = forms.one(context, at, form, Record(_status(at.name), 0))
    else:
        matches = selecting.matcher(at)
        found = [Record(obj, 0) for obj in map(_status, PARTS) if matches(obj)]
        body = forms.many(context, at, form, reading.Page({}, found))
    return respond(body, media=form.media, warnings=at.warnings)


def _status(name: str) -> Obj:
    healthy = {"type": "Healthy", "status": "True", "message": "ok"}
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [healthy]}

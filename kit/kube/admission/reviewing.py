"""AdmissionReview v1: what a webhook is sent, and what its answer comes to.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go, validating/dispatcher.go and mutating/dispatcher.go.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KIND: Final = "AdmissionReview"
VERSION: Final = "admission.k8s.io/v1"
TYPELESS: Final = (
    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct "
    '{{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }}'
)
CALLING: Final = "failed to call webhook: "
INVALID: Final = "received invalid webhook response: "


class UnusableError(Exception):
    """An answer that can't be used; failurePolicy decides. The text says why, after `failed calling webhook "x": `."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook said. `patch` is a list of JSON patch operations, empty for none."""

    allowed: bool
    status: Mapping[str, Any]
    warnings: Sequence[str] = ()
    patch: Sequence[Any] = ()
    patch_type: str = ""


def review(request: Mapping[str, Any], uid: str, obj: Any, old: Any) -> dict[str, Any]:
    """Return the review of a request, in the order the API server writes it."""
    asked = dict(request)
    tail = {key: asked.pop(key) for key in ("dryRun", "options")}
    return {
        "kind": KIND,
        "apiVersion": VERSION,
        "request": {"uid": uid, **asked, "object": obj, "oldObject": old, **tail},
    }


def verdict(code: int, body: bytes, uid: str, *, mutating: bool) -> Verdict:
    """Return what an HTTP answer says; raise UnusableError."""
    found = decoded(code, body, CALLING)
    version, kind = found.get("apiVersion") or "", found.get("kind") or ""
    if (version, kind) != (VERSION, KIND):
        raise UnusableError(_misnamed(version, kind))
    response = found.get("response")
    if response is None:
        raise UnusableError(f"{INVALID}webhook response was absent")
    allowed = response.get("allowed", False)
    if not isinstance(allowed, bool):
        what = "string" if isinstance(allowed, str) else "array" if isinstance(allowed, list) else "number"
        where = "Go struct field AdmissionResponse.response.allowed of type bool"
        raise UnusableError(f"{CALLING}json: cannot unmarshal {what} into {where}")
    if response.get("uid", "") != uid:
        raise UnusableError(f'{INVALID}expected response.uid="{uid}", got "{response.get("uid", "")}"')
    patch, patch_type = _patch(response), response.get("patchType") or ""
    if (patch or patch_type) and not mutating:
        field = "patch" if patch else "patchType"
        raise UnusableError(f"{INVALID}validating webhook may not return response.{field}")
    if bool(patch) != bool(patch_type):
        has, lacks = ("patch", "patchType") if patch else ("patchType", "patch")
        raise UnusableError(f"{INVALID}webhook returned response.{has} but not response.{lacks}")
    warnings = tuple(str(one) for one in response.get("warnings") or ())
    return Verdict(allowed, response.get("status") or {}, warnings, _operations(patch) if patch else (), patch_type)


def denial(name: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return code, reason, message and details of a refusal. Models webhook/errors/statuserror.go."""
    lead = f'admission webhook "{name}" denied the request'
    why = status.get("message") or status.get("reason")
    code = status.get("code") or 0
    return {
        "reason": status.get("reason") or "",
        "message": f"{lead}: {why}" if why else f"{lead} without explanation",
        "code": max(code, 400),
        "details": status.get("details"),
    }


def decoded(code: int, body: bytes, lead: str = "") -> dict[str, Any]:
    """Return the document of an HTTP answer; UnusableError, begun with `lead`, when it has none."""
    try:
        found = json.loads(body) if body else None
    except ValueError:
        found = body
    if code >= 400:
        raise UnusableError(lead + _refused(code, found))
    if not body:
        raise UnusableError(f"{lead}0-length response with status code: {code} and content type: application/json")
    if not isinstance(found, dict):
        raise UnusableError(lead + TYPELESS.format("array" if isinstance(found, list) else "string"))
    return found


def _refused(code: int, found: Any) -> str:
    """Return what client-go makes of an HTTP error."""
    if isinstance(found, dict) and found.get("kind") == "Status":
        return str(found.get("message") or "")
    if code == 404:
        return "the server could not find the requested resource"
    if code >= 500:
        return 'an error on the server ("unknown") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"


def _misnamed(version: str, kind: str) -> str:
    group, _, number = version.rpartition("/")
    if group == "admission.k8s.io" and kind == KIND:
        return f"{CALLING}converting ({number}.{KIND}) to (v1.{KIND}): unknown conversion"
    if version and kind:
        return f'{CALLING}no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    return f"{INVALID}expected webhook response of {VERSION}, Kind={KIND}, got {group}/{number}, Kind={kind}"


def _patch(response: Mapping[str, Any]) -> bytes:
    text = str(response.get("patch") or "")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        place = next((index for index, one in enumerate(text) if not (one.isalnum() or one in "+/=")), len(text))
        raise UnusableError(f"{CALLING}illegal base64 data at input byte {place}") from None


def _operations(patch: bytes) -> list[Any]:
    lead = "received undecodable patch in webhook response: "
    try:
        found = json.loads(patch)
    except ValueError:
        raise UnusableError(f"{lead}unexpected end of JSON input") from None
    if not isinstance(found, list):
        raise UnusableError(f"{lead}json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    return found

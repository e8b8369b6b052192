"""Validation of probes and lifecycle hooks.

Models pkg/apis/core/validation/validation.go (validateProbe, validateHandler, validateLifecycle).
"""

from __future__ import annotations

import re
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import PORT_TEXT, Causes, Obj, known_good

TIMES: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_HEADER: Final = "[-A-Za-z0-9]+"
_HEADER_TEXT: Final = "a valid HTTP header must consist of alphanumeric characters or '-'"


def liveness(probe: Obj, at: str, grace: int | None, out: Causes) -> None:
    """Check a liveness or a startup probe."""
    _probe(probe, at, out)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        out.append(status.invalid_value(f"{at}.terminationGracePeriodSeconds", own, "must be greater than 0"))
    if probe.get("successThreshold") not in (None, 1):
        out.append(status.invalid_value(f"{at}.successThreshold", probe["successThreshold"], "must be 1"))


def readiness(probe: Obj, at: str, out: Causes) -> None:
    """Check a readiness probe, which ends nothing."""
    _probe(probe, at, out)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None:
        out.append(
            status.invalid_value(f"{at}.terminationGracePeriodSeconds", own, "must not be set for readinessProbes")
        )


def _probe(probe: Obj, at: str, out: Causes) -> None:
    _handler(probe, at, out, PROBE_HANDLERS)
    for key in TIMES:
        value = probe.get(key)
        if value is not None and value < 0:
            out.append(status.invalid_value(f"{at}.{key}", value, checks.NOT_NEGATIVE))


def lifecycle(hooks: Obj, at: str, grace: int | None, out: Causes) -> None:
    """Check what runs after a container's start and before its end."""
    for key in ("postStart", "preStop"):
        hook = hooks.get(key)
        if hook is None:
            continue
        _handler(hook, f"{at}.{key}", out, HOOK_HANDLERS)
        if hook.get("sleep") is not None:
            _sleep(hook["sleep"].get("seconds") or 0, f"{at}.{key}.sleep", grace or 0, out)


def _sleep(seconds: int, at: str, grace: int, out: Causes) -> None:
    if seconds < 0 or seconds > grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        out.append(status.invalid_value(at, seconds, why))


def _handler(handler: Obj, at: str, out: Causes, known: dict[str, Any]) -> None:
    number = 0
    for key, check in known.items():
        if handler.get(key) is None:
            continue
        if number:
            out.append(status.forbidden_value(f"{at}.{key}", "may not specify more than 1 handler type"))
        else:
            check(handler[key], f"{at}.{key}", out)
        number += 1
    if not number:
        out.append(status.required(at, "must specify a handler type"))


def _exec(action: Obj, at: str, out: Causes) -> None:
    if not action.get("command"):
        out.append(status.required(f"{at}.command"))


def _http(action: Obj, at: str, out: Causes) -> None:
    if not action.get("path"):
        out.append(status.required(f"{at}.path"))
    port(action.get("port"), f"{at}.port", out)
    scheme = action.get("scheme")
    if scheme not in {"HTTP", "HTTPS"}:
        out.append(status.not_supported(f"{at}.scheme", scheme or "", ("HTTP", "HTTPS")))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        if not re.fullmatch(_HEADER, name):
            why = names.regex(_HEADER_TEXT, _HEADER, "X-Header-Name")
            out.append(status.invalid_value(f"{at}.httpHeaders", name, why))


def _tcp(action: Obj, at: str, out: Causes) -> None:
    port(action.get("port"), f"{at}.port", out)


def _grpc(action: Obj, at: str, out: Causes) -> None:
    number = action.get("port") or 0
    if not 1 <= number <= 65535:
        out.append(status.invalid_value(f"{at}.port", number, PORT_TEXT))


def port(value: Any, at: str, out: Causes) -> None:
    """Want the number or the name of a port."""
    if isinstance(value, str):
        if known_good(names.port_name, value):
            checks.name(names.port_name, value, at, out)
    elif not 1 <= (value or 0) <= 65535:
        out.append(status.invalid_value(at, value or 0, PORT_TEXT))


def _checked_elsewhere(action: Obj, at: str, out: Causes) -> None:
    """A pause has nothing to check but its length, which depends on the Pod's grace."""


PROBE_HANDLERS: Final = {"exec": _exec, "httpGet": _http, "tcpSocket": _tcp, "grpc": _grpc}
HOOK_HANDLERS: Final = {"exec": _exec, "httpGet": _http, "tcpSocket": _tcp, "sleep": _checked_elsewhere}

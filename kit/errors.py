"""The two trees of errors.

Exception
├── Status        what a Kubernetes API answers: reason, code, message, details (the wire form is `Status.body()`)
└── KitError      what the kit says to a person: what happened, and what to do next
    ├── BadInput       the caller's words are wrong (a name, a file, a flag)
    ├── Unavailable    a tool, an engine or a cluster is not there or does not answer
    ├── Refused        the kit will not do it, and says why (foreign namespace, world-writable folder)
    └── Damaged        stored state can't be trusted; the way out is named
"""

from __future__ import annotations

from typing import Any

CODES = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Gone": 410,
    "Expired": 410,
    "RequestEntityTooLarge": 413,
    "UnsupportedMediaType": 415,
    "Invalid": 422,
    "TooManyRequests": 429,
    "InternalError": 500,
    "NotImplemented": 501,
    "ServiceUnavailable": 503,
    "Timeout": 504,
}


class Status(Exception):
    """An answer of the Kubernetes API that is not a success; `reason` decides the HTTP code unless `code` is given."""

    def __init__(
        self, reason: str, message: str, *, code: int | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.code = CODES.get(reason, 500) if code is None else code
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the Status object as the API server writes it."""
        out: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            out["reason"] = self.reason
        if self.details is not None:
            out["details"] = self.details
        out["code"] = self.code
        return out


class KitError(Exception):
    """Something a person must know: `what` happened, and what to do `next`."""

    def __init__(self, what: str, next: str = "") -> None:
        super().__init__(f"{what}\n{next}" if next else what)
        self.what = what
        self.next = next


class BadInput(KitError):
    """The caller's words are wrong."""


class Unavailable(KitError):
    """A tool, an engine or a cluster is not there or does not answer."""


class Refused(KitError):
    """The kit will not do it."""


class Damaged(KitError):
    """Stored state can't be trusted."""

"""Which form an answer takes (Accept), and which form a body has (Content-Type).

Models k8s.io/apiserver/pkg/endpoints/handlers/negotiation and, before it, go-restful's look at what a route produces, which
custom resources do not have. Answers are JSON, YAML or protobuf; Tables are no protobuf, and neither are custom resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from kit.embedded.core.turns import Request
from kit.errors import Status
from kit.kube.status import method_not_allowed, not_acceptable, unsupported_media_type

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
BODIES = (JSON, YAML, PROTOBUF)
STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
STRATEGIC = "application/strategic-merge-patch+json"
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    STRATEGIC,
    "application/apply-patch+yaml",
)
PARTIAL = "PartialObjectMetadata"
PARTIAL_LIST = "PartialObjectMetadataList"
TABLE = "Table"
DISCOVERY = "APIGroupDiscoveryList"
AGGREGATED = ("apidiscovery.k8s.io", "v2")
# mime.ParseMediaType of Go: a type, then parameters whose values are tokens or quoted
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_WELL_FORMED = re.compile(
    rf'\s*{_TOKEN}/{_TOKEN}\s*(?:;\s*{_TOKEN}\s*=\s*(?:{_TOKEN}|"(?:[^"\\]|\\.)*")\s*)*;?\s*', re.ASCII
)
_QUALITY = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)
_TEXTS = (JSON, YAML)  # what a Table and a custom resource can be written as
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
_FORMS = {
    TABLE: ("meta.k8s.io", ("v1", "v1beta1"), _TEXTS),
    PARTIAL: ("meta.k8s.io", ("v1", "v1beta1"), BODIES),
    PARTIAL_LIST: ("meta.k8s.io", ("v1", "v1beta1"), BODIES),
}


class Accepted(NamedTuple):
    """The form of an answer: its media type, and the kind it is converted into ("" for its own)."""

    media: str = JSON
    kind: str = ""
    version: str = ""

    @property
    def stream(self) -> str:
        """Return the Content-Type of a watch in this form."""
        return f"{self.media};stream=watch" if self.media == PROTOBUF else self.media


PACKED = Accepted(PROTOBUF)


class _Clause(NamedTuple):
    """One media range of an Accept header."""

    type: str
    subtype: str
    quality: float
    given: Mapping[str, str]

    def before(self, other: _Clause) -> bool:
        """Return whether this one goes first, as goautoneg says: one that is no wildcard does, whatever the quality."""
        if self.quality > other.quality:
            return True
        return (self.type != "*" and other.type == "*") or (self.subtype != "*" and other.subtype == "*")

    def media(self, offered: Sequence[str] = BODIES) -> Iterator[str]:
        """Yield the media types that it takes, in the order of the server."""
        for one in offered:
            kind, _, subtype = one.partition("/")
            if (kind, subtype) == (self.type, self.subtype) or (self.subtype == "*" and self.type in {kind, "*"}):
                yield one


@lru_cache(maxsize=512)
def accepted(
    header: str, *, listing: bool = False, custom: bool = False, routed: bool = True, converted: bool = True
) -> Accepted:
    """Return the best form of an Accept header that can be given; NotAcceptable when there is none.

    `listing` says that the path can be watched too: what is refused then names the forms of a stream as well. `custom` says that it
    is about a custom resource, without `routed` no route of go-restful leads there, and what is not `converted` has one form only.
    """
    if routed and not custom and not produced(header, BODIES):
        raise not_acceptable((*BODIES, *STREAMS)) if listing else not_acceptable()
    if not header:
        return Accepted()
    for clause in _clauses(header):
        for media in clause.media():
            form = _form(media, clause.given, _TEXTS if custom else BODIES)
            if form is not None and (converted or not form.kind):
                return form
    raise Status("NotAcceptable", f"only the following media types are accepted: {', '.join(BODIES)}")


@lru_cache(maxsize=512)
def aggregated(header: str) -> Accepted | None:
    """Return the form in which discovery tells of all groups at once, None where a client does not ask for that."""
    for clause in _clauses(header) if header else ():
        if clause.given.get("as") == DISCOVERY and (clause.given.get("g"), clause.given.get("v")) == AGGREGATED:
            for media in clause.media():
                return Accepted(media, DISCOVERY, AGGREGATED[1])
    return None


def one_of(request: Request, produces: str) -> None:
    """Raise what go-restful refuses a request with that leads to a route of one method and one media type."""
    if request.method != "GET":
        raise method_not_allowed()
    if not produced(request.headers.get("accept", ""), (produces,)):
        raise not_acceptable((produces,))


def produced(header: str, media: Sequence[str]) -> bool:
    """Return whether a header takes one of the media types that a route produces, as go-restful looks: ranges are for it none."""
    named = (clause.partition(";")[0].strip() for clause in header.split(","))
    return not header or any(one == "*/*" or one in media for one in named)


@lru_cache(maxsize=512)
def best(header: str, offered: Sequence[str]) -> str:
    """Return the best of the media types a server offers, the first without a header, "" when the client takes none."""
    if not header:
        return offered[0]
    return next((media for clause in _clauses(header) for media in clause.media(offered)), "")


def _form(media: str, given: Mapping[str, str], plain: Sequence[str]) -> Accepted | None:
    """Return the form of a media type with its parameters, None for what it can't be."""
    if "stream" in given and (given["stream"] != "watch" or media == YAML):
        return None
    if not given.keys() & {"as", "g", "v"}:
        return Accepted(media) if media in plain else None
    group, versions, allowed = _FORMS.get(given.get("as", ""), ("", (), ()))
    if given.get("g") != group or given.get("v") not in versions or media not in allowed:
        return None
    return Accepted(media, given["as"], given["v"])


def _clauses(header: str) -> list[_Clause]:
    """Return the media ranges, the best first. Go sorts so few of them by insertion, which matters: `before` is no order."""
    out: list[_Clause] = []
    for part in header.split(","):
        range_, *parameters = (piece.strip() for piece in part.split(";"))
        kind, _, subtype = range_.partition("/")
        given = {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in parameters)}
        said = _QUALITY.fullmatch(given.pop("q", "1"))
        clause = _Clause(kind.strip(), subtype.strip(), float(said[0]) if said else 1.0, given)
        at = len(out)
        while at and clause.before(out[at - 1]):
            at -= 1
        out.insert(at, clause)
    return out


@lru_cache(maxsize=512)
def refusal_media(header: str) -> str:
    """Return the media type of a refusal: that of an answer without a conversion, "" where there is none."""
    for clause in _clauses(header) if header else ():
        for media in clause.media():
            if _form(media, clause.given, BODIES) == Accepted(media):
                return media
    return "" if header else JSON


def pretty(request: Request) -> bool:
    """Return whether JSON is written for a person: asked for by the query or the Accept header, or by a program that people use."""
    for key, value in request.query:
        if key == "pretty" and value:
            return value in _TRUE
    headers = request.headers
    return headers.get("user-agent", "").startswith(_PEOPLE) or "pretty=1" in headers.get("accept", "")


def check_stream(form: Accepted) -> None:
    """Raise NotAcceptable for a form that a watch can't be sent in."""
    if form.media == YAML:
        raise Status("NotAcceptable", f"only the following media types are accepted: {', '.join(STREAMS)}")


def body_media(content_type: str) -> str:
    """Return JSON, YAML or PROTOBUF for the Content-Type of a body; UnsupportedMediaType for any other."""
    media = content_type.partition(";")[0].strip().lower() if content_type else JSON
    if media not in BODIES or not _WELL_FORMED.fullmatch(content_type or JSON):
        raise unsupported_media_type()
    return media


def patch_media(content_type: str, *, custom: bool = False) -> str:
    """Return the media type of a patch; UnsupportedMediaType for any that the kind does not take."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in PATCHES:
        raise Status("UnsupportedMediaType", "415: Unsupported Media Type", details={})
    if custom and media == STRATEGIC:
        raise unsupported_media_type(tuple(one for one in PATCHES if one != STRATEGIC))
    return media

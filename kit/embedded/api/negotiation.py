"""Which form an answer takes (Accept), and which form a body has (Content-Type).

Models k8s.io/apiserver/pkg/endpoints/handlers/negotiation. Answers are JSON or YAML; a client that would like protobuf
takes JSON too, as client-go reads the Content-Type of the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from kit.errors import Status
from kit.kube.status import not_acceptable, unsupported_media_type

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
# mime.ParseMediaType of Go: a type, then parameters whose values are tokens or quoted
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_WELL_FORMED = re.compile(
    rf'\s*{_TOKEN}/{_TOKEN}\s*(?:;\s*{_TOKEN}\s*=\s*(?:{_TOKEN}|"(?:[^"\\]|\\.)*")\s*)*;?\s*', re.ASCII
)
_QUALITY = re.compile(r";\s*q\s*=\s*([0-9]+(?:\.[0-9]*)?)", re.ASCII)
_ANY = frozenset({"*/*", "application/*"})
_FORMS = {
    TABLE: ("meta.k8s.io", ("v1", "v1beta1")),
    PARTIAL: ("meta.k8s.io", ("v1", "v1beta1")),
    PARTIAL_LIST: ("meta.k8s.io", ("v1", "v1beta1")),
    "APIGroupDiscoveryList": ("apidiscovery.k8s.io", ("v2",)),
}


class Accepted(NamedTuple):
    """The form of an answer: its media type, and the kind it is converted into ("" for its own)."""

    media: str = JSON
    kind: str = ""
    version: str = ""

    @property
    def content_type(self) -> str:
        """Return the Content-Type of an answer in this form."""
        return self.media


@lru_cache(maxsize=512)
def accepted(header: str, *, listing: bool = False) -> Accepted:
    """Return the best form of an Accept header that can be given; NotAcceptable when there is none.

    `listing` says that the path can be watched too: what is refused then names the forms of a stream as well.
    """
    restricted = False
    for clause in sorted(header.split(","), key=_quality, reverse=True) if header else ("*/*",):
        media, *parameters = (part.strip() for part in clause.split(";"))
        given = dict(part.partition("=")[::2] for part in parameters)
        media = JSON if media in _ANY or media == PROTOBUF else media
        form = _FORMS.get(given.get("as", ""))
        if media not in {JSON, YAML}:
            continue
        if "as" not in given:
            return Accepted(media)
        restricted = True
        if form and given.get("g") == form[0] and given.get("v") in form[1]:
            return Accepted(media, given["as"], given["v"])
    if restricted:
        raise Status("NotAcceptable", f"only the following media types are accepted: {', '.join(BODIES)}", details={})
    raise not_acceptable((*BODIES, *STREAMS)) if listing else not_acceptable()


def _quality(clause: str) -> float:
    """Return the q of a clause: 1 where it says none."""
    found = _QUALITY.search(clause)
    return min(1.0, float(found[1])) if found else 1.0


def refusal_media(header: str) -> str:
    """Return the media type of a refusal: that of an answer, JSON where there is none."""
    try:
        return accepted(header).media
    except Status:
        return JSON


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

"""A CustomResourceDefinition compiled into the resources it serves.

Models apiextensions-apiserver/pkg/apiserver: customresource_handler.go (getOrCreateServingInfoFor) and
customresource_discovery_controller.go.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from kit.kube.custom.structural import RULES, compiled
from kit.kube.kinds import Resource, Subresource
from kit.kube.schema import Node

Object = Mapping[str, Any]
Convert = Callable[..., list[dict[str, Any]]]
Converters = Callable[[Object], Convert | None]

VERBS: Final = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
PART: Final = ("get", "patch", "update")
_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES: Final = {"": 2, "beta": 1, "alpha": 0}


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a custom resource keeps what its Scale shows, as field names from the root."""

    replicas: tuple[str, ...]
    observed: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True)
class Custom:
    """What one version of a definition says beyond what discovery tells."""

    definition: str
    storage: str
    schema: Mapping[str, Any]
    columns: tuple[Object, ...] = ()
    selectable: tuple[str, ...] = ()
    status: bool = False
    scale: Scale | None = None
    deprecated: str = ""
    terminating: bool = False
    convert: Convert | None = None
    """What asks the webhook that converts between its versions (objects, version), None where only apiVersion differs."""

    @cached_property
    def node(self) -> Node:
        """The schema as places, the same ones as built-in kinds have."""
        return compiled(self.schema or None)

    @cached_property
    def ruled(self) -> bool:
        """Whether there are x-kubernetes-validations anywhere."""
        return _ruled(self.schema)


def _ruled(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return bool(schema.get(RULES)) or any(_ruled(item) for item in schema.values())
    return any(_ruled(item) for item in schema) if isinstance(schema, list) else False


def established(crd: Object) -> bool:
    """Return whether the names of a definition were accepted and its resources are served."""
    return condition(crd, "Established") == "True"


def condition(crd: Object, type: str) -> str:
    """Return the status of a condition, "" when there is none."""
    listed = (crd.get("status") or {}).get("conditions") or ()
    return next((str(one["status"]) for one in listed if one["type"] == type), "")


def resources(crd: Object, converters: Converters = lambda crd: None) -> list[Resource]:
    """Return the resources of a definition's served versions."""
    spec = crd["spec"]
    stored = next((one["name"] for one in spec["versions"] if one.get("storage")), "")
    convert = converters(crd)
    return [_resource(crd, spec, version, stored, convert) for version in spec["versions"] if version.get("served")]


def _resource(crd: Object, spec: Object, version: Object, stored: str, convert: Convert | None) -> Resource:
    names = (crd.get("status") or {}).get("acceptedNames") or spec["names"]
    parts = version.get("subresources") or {}
    kind = names["kind"]
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=kind,
        plural=names["plural"],
        singular=names.get("singular") or kind.lower(),
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=VERBS,
        subresources=_parts(spec["group"], version["name"], kind, parts),
        storage_hash=_storage_hash(spec["group"], stored, kind),
        custom=Custom(
            definition=crd["metadata"]["name"],
            storage=stored,
            schema=(version.get("schema") or {}).get("openAPIV3Schema") or {},
            columns=tuple(version.get("additionalPrinterColumns") or ()),
            selectable=tuple(one["jsonPath"].lstrip(".") for one in version.get("selectableFields") or ()),
            status="status" in parts,
            scale=_scale(parts.get("scale")),
            deprecated=_deprecation(spec["group"], version, kind),
            terminating=condition(crd, "Terminating") == "True",
            convert=convert,
        ),
    )


def _parts(group: str, version: str, kind: str, parts: Object) -> tuple[Subresource, ...]:
    out = [Subresource("status", group, version, kind, PART)] if "status" in parts else []
    return (*out, *([Subresource("scale", "autoscaling", "v1", "Scale", PART)] if "scale" in parts else []))


def _scale(given: Object | None) -> Scale | None:
    if given is None:
        return None
    replicas, observed, selector = (
        tuple(part for part in (given.get(key) or "").split(".") if part)
        for key in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    )
    return Scale(replicas, observed, selector)


def _deprecation(group: str, version: Object, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    return version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"


def _storage_hash(group: str, version: str, kind: str) -> str:
    return base64.b64encode(sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


def served(crds: Iterable[Object], converters: Converters = lambda crd: None) -> Sequence[Resource]:
    """Return all custom resources in the order of discovery: by group, the best version first."""
    found = [resource for crd in crds if established(crd) for resource in resources(crd, converters)]
    return sorted(found, key=lambda one: (one.group, version_rank(one.version), one.plural))


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Return what versions are sorted by: stable before beta before alpha, newer before older, odd names last."""
    found = _VERSION.fullmatch(version)
    if not found:
        return (1, 0, 0, version)
    stage, major, minor = found[2] or "", int(found[1]), int(found[3] or 0)
    return (0, -_STAGES[stage], -(major * 1_000_000 + minor), version)

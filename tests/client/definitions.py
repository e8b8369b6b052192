"""A custom resource that the clients' tests define, with a status, a scale and a column of its own."""

from __future__ import annotations

from typing import Any


def definition(kind: str) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind in example.org/v1; its plural is the kind with an s."""
    text, count = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
    spec = {"type": "object", "required": ["text"], "properties": {"text": text, "copies": {**count, "default": 1}}}
    status = {"type": "object", "properties": {"words": count, "copies": count}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.copies", "statusReplicasPath": ".status.copies"},
        },
        "additionalPrinterColumns": [{"name": "Text", "type": "string", "jsonPath": ".spec.text"}],
    }
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }

"""The verbs of the API over plain dicts: `objects.get("pod", "db")["status"]["podIP"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.client.connect import Connection
from kit.client.resources import Resource, Resources
from kit.errors import Status

Object = dict[str, Any]
Items = list[Object]
STRATEGIC = "application/strategic-merge-patch+json"


class Objects:
    """Objects of one server; `namespace` is used where a call names none."""

    def __init__(self, connection: Connection, namespace: str | None = None) -> None:
        self.connection = connection
        self.namespace = namespace or connection.namespace
        self.resources = Resources(connection)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """Return one object; `Status` NotFound when it is not there."""
        return self.connection.json("GET", self.path(kind, name, namespace))

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return one object or None."""
        try:
            return self.get(kind, name, namespace)
        except Status as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", everywhere: bool = False
    ) -> Items:
        """Return the objects of a kind, each with its apiVersion and kind filled in, in the server's order (by name)."""
        resource = self.resources.find(kind)
        query = {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
        path = resource.path(None if everywhere else namespace or self.namespace)
        items: Items = self.connection.json("GET", path, query=query).get("items") or []
        return [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in items]

    def create(self, body: Object, namespace: str | None = None, *, query: Mapping[str, str] | None = None) -> Object:
        """Create an object; unknown fields are refused."""
        resource = self.resources.find(body["kind"], body["apiVersion"])
        where = namespace or body.get("metadata", {}).get("namespace") or self.namespace
        options = {"fieldManager": "labkit", "fieldValidation": "Strict", **(query or {})}
        return self.connection.json("POST", resource.path(where), query=options, body=body)

    def replace(self, body: Object) -> Object:
        """Write an object back as it is; `Status` Conflict when somebody was faster."""
        meta = body["metadata"]
        resource = self.resources.find(body["kind"], body["apiVersion"])
        path = resource.path(meta.get("namespace") or self.namespace, meta["name"])
        return self.connection.json("PUT", path, query={"fieldManager": "labkit"}, body=body)

    def patch(
        self,
        kind: str,
        name: str,
        change: Any,
        namespace: str | None = None,
        *,
        content_type: str = STRATEGIC,
        subresource: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """Patch one object (strategic merge unless `content_type` says otherwise)."""
        path = self.path(kind, name, namespace, subresource)
        options = {"fieldManager": "labkit", **(query or {})}
        return self.connection.json("PATCH", path, query=options, body=change, content_type=content_type)

    def delete(self, kind: str, name: str, namespace: str | None = None, *, grace_s: int | None = None) -> bool:
        """Delete one object and return whether it was there; containers get `grace_s` seconds, else what their Pod says."""
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        try:
            self.connection.json("DELETE", self.path(kind, name, namespace), body=options)
        except Status as error:
            if error.code != 404:
                raise
            return False
        return True

    def events(self, about: Object, namespace: str | None = None) -> Items:
        """Return the events about one object (not about an earlier one of the same name), oldest first."""
        meta = about["metadata"]
        fields = f"involvedObject.name={meta['name']},involvedObject.uid={meta['uid']}"
        found = self.list("events", namespace, fields=fields)
        return sorted(found, key=_event_time)

    def log(
        self, pod: str, namespace: str | None = None, *, container: str | None = None, previous: bool = False
    ) -> str:
        """Return what a container has written so far."""
        query = {
            key: value
            for key, value in (("container", container or ""), ("previous", "true" if previous else ""))
            if value
        }
        return self.connection.text(self.path("pod", pod, namespace, "log"), query)

    def path(self, kind: str, name: str, namespace: str | None = None, subresource: str | None = None) -> str:
        """Return the URL path of one object."""
        resource: Resource = self.resources.find(kind)
        return resource.path(namespace or self.namespace, name, subresource)


def _event_time(event: Object) -> tuple[str, str]:
    when = event.get("firstTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    return (when, event["metadata"]["name"])

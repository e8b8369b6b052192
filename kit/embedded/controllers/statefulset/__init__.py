"""StatefulSets: Pods with names, numbers and claims of their own."""

from kit.embedded.controllers.statefulset.controller import StatefulSet

__all__ = ["StatefulSet"]

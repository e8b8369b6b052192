"""DaemonSets: one Pod on every node that fits."""

from kit.embedded.controllers.daemonset.controller import DaemonSet

__all__ = ["DaemonSet"]

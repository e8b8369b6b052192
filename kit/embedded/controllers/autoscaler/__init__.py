"""The horizontal Pod autoscaler."""

from kit.embedded.controllers.autoscaler.controller import Autoscaler

__all__ = ["Autoscaler"]

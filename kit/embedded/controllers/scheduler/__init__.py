"""The scheduler: filters nodes, scores what is left, binds."""

from kit.embedded.controllers.scheduler.controller import Scheduler

__all__ = ["Scheduler"]

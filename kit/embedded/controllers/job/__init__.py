"""Jobs: Pods that run to their end, counted."""

from kit.embedded.controllers.job.controller import Job

__all__ = ["Job"]

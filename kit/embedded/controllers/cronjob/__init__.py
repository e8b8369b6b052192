"""CronJobs: a Job at each due time."""

from kit.embedded.controllers.cronjob.controller import CronJob

__all__ = ["CronJob"]

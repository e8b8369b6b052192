"""Deployments: revisions, rollouts, status."""

from kit.embedded.controllers.deployment.controller import Deployment

__all__ = ["Deployment"]

"""PersistentVolumes and claims: bound to each other, provisioned, and who uses them."""

from kit.embedded.controllers.volumes.binder import Binder
from kit.embedded.controllers.volumes.localpath import LocalPath
from kit.embedded.controllers.volumes.usage import ClaimUse

__all__ = ["Binder", "ClaimUse", "LocalPath"]

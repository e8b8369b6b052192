"""Linux capabilities of a container: what containerd gives, and what `securityContext` adds and drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The kernel's numbers, include/uapi/linux/capability.h.
_IN_ORDER = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
    "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM "
    "BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
NAMES = _IN_ORDER.split()
BITS = {name: 1 << number for number, name in enumerate(NAMES)}
EVERY = (1 << len(NAMES)) - 1


def _mask(names: Iterable[str]) -> int:
    mask = 0
    for name in names:
        mask |= BITS.get(name.upper(), 0)
    return mask


# Models containerd pkg/oci/spec.go: defaultUnixCaps.
_DEFAULT = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
USUAL = _mask(_DEFAULT.split())


def bounding(context: Mapping[str, Any]) -> int:
    """Return the bits a container's processes may have at most, by its securityContext.

    Models containerd's customopts: `ALL` first, dropped after added, then name by name.
    """
    if context.get("privileged"):
        return EVERY
    asked = context.get("capabilities") or {}
    add, drop = asked.get("add") or (), asked.get("drop") or ()
    bits = EVERY if "ALL" in (name.upper() for name in add) else USUAL
    if "ALL" in (name.upper() for name in drop):
        bits = 0
    return (bits | _mask(add)) & ~_mask(drop)


def held(bits: int, uid: int, name: str) -> bool:
    """Say whether a process of `uid` in a container of these bits has a capability."""
    return uid == 0 and bool(bits & BITS[name])


def shown(bits: int, uid: int) -> str:
    """Return the lines of /proc/PID/status: a user other than root keeps only the bounding set."""
    kept = bits if uid == 0 else 0
    sets = {"Inh": 0, "Prm": kept, "Eff": kept, "Bnd": bits, "Amb": 0}
    return "".join(f"Cap{name}:\t{value:016x}\n" for name, value in sets.items())

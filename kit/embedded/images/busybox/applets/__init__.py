"""The applets, one noun a file; `APPLETS` maps every name to its program."""

from __future__ import annotations

from kit.embedded.core.program import Program
from kit.embedded.images.busybox.applets import (
    archive,
    awk,
    contents,
    data,
    dates,
    disks,
    files,
    grep,
    gzip,
    httpd,
    identity,
    listing,
    lookup,
    network,
    output,
    paths,
    processes,
    search,
    sed,
    text,
    wget,
    xargs,
)

MODULES = (
    archive,
    awk,
    contents,
    data,
    dates,
    disks,
    files,
    grep,
    gzip,
    httpd,
    identity,
    listing,
    lookup,
    network,
    output,
    paths,
    processes,
    search,
    sed,
    text,
    wget,
    xargs,
)
APPLETS: dict[str, Program] = {name: program for module in MODULES for name, program in module.APPLETS.items()}

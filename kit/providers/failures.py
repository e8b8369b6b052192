"""How kind and container engines say that they failed, and what that means for a person: the first pattern that fits is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kit.errors import Damaged, KitError, Unavailable
from kit.providers.commands import Ran

STAY = "the embedded cluster needs none of this: labkit up --provider embedded"


@dataclass(frozen=True)
class Failure:
    """One way to fail: what its output looks like, what happened (`{0}` is the pattern's group) and the one next step."""

    id: str
    pattern: str
    what: str
    next: str
    error: type[KitError] = Unavailable


FAILURES = (
    Failure(
        "no-engine",
        r'exec: "(docker|podman|nerdctl)": executable file not found',
        "there is no container engine: {0} is not installed",
        f"install Docker (https://docs.docker.com/engine/install/) or Podman; {STAY}",
    ),
    Failure(
        "no-kind",
        r'exec: "[^"]*kind": executable file not found',
        "the kind command is not installed",
        f"labkit doctor --install kind fetches it (10 MB); or brew install kind, apt install kind (Debian 13+); {STAY}",
    ),
    Failure(
        "engine-permission",
        r"(?i)permission denied while trying to connect to the Docker (?:daemon|API)",
        "the container engine is there, but this user may not use it",
        "sudo usermod -aG docker $USER, then log in again; or use rootless Docker or Podman",
    ),
    Failure(
        "engine-down",
        r"(?i)(?:Cannot connect to the Docker daemon|failed to connect to the docker API|Is the docker daemon running"
        r"|Cannot connect to Podman|unable to connect to Podman)",
        "the container engine is installed but does not run",
        f"start Docker Desktop, or: sudo systemctl start docker; {STAY}",
    ),
    Failure(
        "exists",
        r"(?:node\(s\) already exist for a cluster with the name \"([^\"]*)\"|Conflict\. The container name \"/?([^\"]*)\")",
        "an earlier start left a part of the cluster {0} behind",
        "labkit reset --provider kind --name {0}",
        Damaged,
    ),
    Failure(
        "rate-limit",
        r"(?i)toomanyrequests",
        "the image registry refuses further downloads for now",
        "docker login raises the limit, or try again in an hour",
    ),
    Failure(
        "pull",
        r"(?i)(?:failed to pull image|pull access denied|manifest unknown|no such host|manifest for \S+ not found)",
        "the node image could not be downloaded",
        "check the network and try again; without one, docker load the image and name it in LABKIT_KIND_IMAGE",
    ),
    Failure(
        "port",
        r"(?i)(?:Bind for \S*?:(\d+) failed: port is already allocated|listen tcp\S* \S*?:(\d+): bind: address already in use"
        r"|Ports are not available: exposing port \w+ \S*?:(\d+)|:(\d+)[^\n]*port is already allocated)",
        "port {0} of this machine is taken by another program",
        "give the command again: a free port is taken instead (ss -ltnp shows who has this one)",
    ),
    Failure(
        "port",
        r"(?i)(?:port is already allocated|ports are not available|address already in use)",
        "a port of this machine is taken by another program",
        "give the command again: it takes free ports",
    ),
    Failure(
        "disk",
        r"(?i)no space left on device",
        "the disk of the container engine is full",
        "docker system df shows what takes the room; docker system prune frees it",
    ),
    Failure(
        "inotify",
        r"(?i)too many open files",
        "the machine allows too few file watches for a cluster's nodes",
        "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
    ),
    Failure(
        "no-boot",
        r"could not find a log line that matches",
        "a node did not boot within 30 s",
        "labkit doctor looks for the cause: inotify limits, memory, cgroups",
    ),
    Failure(
        "cgroups",
        r"(?i)error adding pid \d+ to cgroups|failed to create .*cgroup|running kind with rootless provider requires",
        "the container engine may not set up control groups for a node",
        "https://kind.sigs.k8s.io/docs/user/rootless/ names the settings (cgroup v2, Delegate=yes)",
    ),
    Failure(
        "init",
        r"(?i)telinit",
        "the container engine runs its own init in each container",
        'take "init": true out of /etc/docker/daemon.json and restart Docker',
    ),
    Failure(
        "device",
        r"stat failed on (/dev/\S+)",
        "a node can't see the device {0} of the disk",
        "https://kind.sigs.k8s.io/docs/user/known-issues/ (kubelet fails on btrfs and LUKS) names the mount to add",
    ),
    Failure(
        "kubeconfig-lock",
        r"failed to lock config file: open (\S+?)(?:\.lock)?: file exists",
        "another kind, or one that was killed, holds the lock of {0}",
        "when no kind runs, remove the file with .lock at its end",
    ),
)


def explain(text: str, doing: str) -> KitError:
    """Return the error for what a failed program wrote; text that no pattern knows is quoted by its last ERROR line."""
    for failure in FAILURES:
        if found := re.search(failure.pattern, text):
            group = next((one for one in found.groups() if one), "")
            return failure.error(failure.what.format(group).replace("  ", " "), failure.next.format(group))
    return Unavailable(f"{doing} failed: {last_words(text)}", "labkit doctor looks for the cause")


def checked(ran: Ran, doing: str) -> Ran:
    """Return how a program ended when it ended well; raise what to say else."""
    if not ran.ok:
        raise explain(ran.stderr or ran.stdout, doing)
    return ran


def last_words(text: str) -> str:
    """Return the line that says why: kind's ERROR line, else the last one (docker writes a whole JSON before it)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR:").strip()[:300]

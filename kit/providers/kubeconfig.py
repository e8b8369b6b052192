"""A cluster that is there already (a workshop's): one namespace of it, named in words, never the current context silently."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kit.client.connect import Connection, connect, status_of
from kit.client.resources import discovered
from kit.errors import BadInput, Refused, Unavailable
from kit.providers import kubefile, readiness
from kit.providers.base import Capabilities, Found, Handle, Progress, Wanted
from kit.runtime import state

# a namespace is a learner's when it carries one of these
LABELS = {"app.kubernetes.io/managed-by": "kit", "course": "k8s-labs"}
# what a learner must be allowed to create: group, resource
NEEDED = (("", "pods"), ("apps", "deployments"), ("", "services"))
OURS = "app.kubernetes.io/managed-by=kit"
FILE, COPY = "shared.json", "kubeconfig"


class Kubeconfig:
    """Plays in one labelled namespace of a shared cluster; never makes or removes a cluster."""

    name = "kubeconfig"
    capabilities = Capabilities(cluster=False, nodes=False, clock=False, trace=False, faults=False)

    def up(self, wanted: Wanted, progress: Progress) -> Handle:
        """Judge the kubeconfig, look at the namespace, and keep a copy of the one context."""
        options = wanted.options
        folder = _folder(wanted)
        if not any(options.get(key) for key in ("kubeconfig", "context", "namespace")) and (folder / FILE).is_file():
            return self._again(wanted.name)
        path = _path(options)
        context = kubefile.read(path, options.get("context"), options.get("namespace"))
        progress(f"{path}: {context}")
        kubefile.judge(context, trust_exec=bool(options.get("trust_exec")))
        state.private_folder(folder)
        state.replace(folder / COPY, kubefile.copy(context))  # JSON is YAML
        try:
            examine(connect(folder / COPY), context.namespace)
        except BaseException:
            (folder / COPY).unlink(missing_ok=True)
            raise
        state.replace(folder / FILE, {"source": str(path), "context": context.name, "namespace": context.namespace})
        _registry().note(wanted.name, folder)
        return _handle(wanted.name, folder)

    def down(self, name: str, *, delete: bool = False) -> bool:
        """Forget our copy; the cluster is not ours to stop."""
        folder = _registry().find(name)
        if folder is None:
            return False
        for file in (COPY, FILE):
            (folder / file).unlink(missing_ok=True)
        _registry().forget(name)
        return True

    def status(self) -> list[Found]:
        """Return the clusters that we hold a copy for; `broken` is one that does not answer."""
        found = []
        for name in _registry().names():
            folder = _registry().find(name)
            if folder is None or not (folder / FILE).is_file():
                continue
            kept, version = state.load(folder / FILE), readiness.server_version(folder / COPY)
            found.append(
                Found(
                    name=name,
                    provider=self.name,
                    state="running" if version else "broken",
                    url=connect(folder / COPY).server,
                    kubeconfig=str(folder / COPY),
                    clock="realtime",
                    version=version,
                    notes=(f"context {kept.get('context')}, namespace {kept.get('namespace')}",),
                )
            )
        return found

    def reset(self, name: str, namespaces: list[str]) -> None:
        """Delete what carries the kit's label in the learner's namespace; nothing else is ours."""
        handle = self.handle(name)
        if handle is None:
            raise Unavailable(f"no cluster named {name} answers", "labkit up --provider kubeconfig")
        if foreign := [one for one in namespaces if one != handle.namespace]:
            raise Refused(f"the namespace {foreign[0]} is not yours", f"yours is {handle.namespace}")
        _sweep(connect(handle.kubeconfig), str(handle.namespace))

    def handle(self, name: str) -> Handle | None:
        """Return the cluster if it answers."""
        folder = _registry().find(name)
        if folder is None or not readiness.server_version(folder / COPY):
            return None
        return _handle(name, folder)

    def _again(self, name: str) -> Handle:
        handle = self.handle(name)
        if handle is None:
            raise Unavailable(
                "the cluster of your kubeconfig does not answer", "ask who runs it, or name another with --kubeconfig"
            )
        examine(connect(handle.kubeconfig), str(handle.namespace))
        return handle


def examine(connection: Connection, namespace: str) -> None:
    """Refuse a namespace that is not a learner's, or in which we may not create what the labs need."""
    answer = connection.request("GET", f"/api/v1/namespaces/{namespace}")
    if answer.code >= 400:
        raise status_of(answer)
    labels = answer.json()["metadata"].get("labels") or {}
    if not any(labels.get(key) == value for key, value in LABELS.items()):
        raise Refused(
            f"the namespace {namespace} is not marked as a learner's",
            f"who runs the cluster marks it: kubectl label namespace {namespace} {OURS}",
        )
    for group, resource in NEEDED:
        if not _may_create(connection, namespace, group, resource):
            raise Refused(f"you may not create {resource} in the namespace {namespace}", "ask who runs the cluster")


def _may_create(connection: Connection, namespace: str, group: str, resource: str) -> bool:
    attributes = {"namespace": namespace, "verb": "create", "group": group, "resource": resource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(connection.json("POST", path, body=body)["status"].get("allowed"))


def _sweep(connection: Connection, namespace: str) -> None:
    swept = set()
    for resource in discovered(connection):
        one = (resource.group, resource.plural)
        if one in swept or not resource.namespaced or "deletecollection" not in resource.verbs:
            continue
        swept.add(one)
        answer = connection.request("DELETE", resource.path(namespace), query={"labelSelector": OURS})
        if answer.code >= 400 and answer.code not in {403, 404}:  # not ours to delete; a kind that is gone by now
            raise status_of(answer)


def _path(options: dict[str, Any]) -> Path:
    asked = options.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
    if os.pathsep in str(asked):
        raise BadInput(f"KUBECONFIG names several files: {asked}", "name one with --kubeconfig")
    return Path(str(asked)).expanduser()


def _folder(wanted: Wanted) -> Path:
    name = state.checked_name(wanted.name)
    if wanted.state_dir:
        return Path(os.path.abspath(wanted.state_dir.expanduser())) / "kubeconfig" / name  # noqa: PTH100 - links must stay visible
    return _registry().find(name) or _registry().default(name)


def _registry() -> state.Registry:
    return state.Registry(state.user_state() / "kubeconfig")


def _handle(name: str, folder: Path) -> Handle:
    return Handle(name, "kubeconfig", folder / COPY, namespace=str(state.load(folder / FILE).get("namespace") or ""))

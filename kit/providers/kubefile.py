"""A kubeconfig that somebody gave us, read as plain YAML and judged before any program, plugin or server sees it.

A kubeconfig is code: `exec` plugins run when a client loads it. What is kept in the end is a copy of one context with everything inlined.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kit.errors import BadInput, Refused

PRODUCTION = re.compile(r"prod", re.IGNORECASE)
RESERVED = re.compile(r"default|kube-.*")
FILES = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}


@dataclass(frozen=True)
class Context:
    """One context of a kubeconfig: where it leads, as whom, and into which namespace."""

    name: str
    server: str
    user: str
    namespace: str
    folder: Path
    cluster_entry: Mapping[str, Any]
    user_entry: Mapping[str, Any]

    def __str__(self) -> str:
        return f"server {self.server}, context {self.name}, user {self.user or '(none)'}, namespace {self.namespace or '(none)'}"


def read(path: Path, context: str | None = None, namespace: str | None = None) -> Context:
    """Return a context of a kubeconfig (the current one when none is named); nothing is run and nothing is asked."""
    document = _document(path)
    name = context or str(document.get("current-context") or "")
    if not name:
        raise BadInput(f"{path} has no current context", "name one with --context")
    found = _entry(document, "contexts", "context", name, path)
    cluster = _entry(document, "clusters", "cluster", str(found.get("cluster") or ""), path)
    user = _entry(document, "users", "user", str(found["user"]), path) if found.get("user") else {}
    return Context(
        name=name,
        server=str(cluster.get("server") or ""),
        user=str(found.get("user") or ""),
        namespace=str(namespace or found.get("namespace") or ""),
        folder=path.resolve().parent,
        cluster_entry=cluster,
        user_entry=user,
    )


def judge(context: Context, *, trust_exec: bool = False) -> None:
    """Refuse a context that is unsafe or not meant for learners, with the first reason."""
    for rule in _RULES:
        if words := rule(context):
            raise Refused(*words)
    if context.user_entry.get("exec") and not trust_exec:
        command = str(context.user_entry["exec"].get("command", ""))
        raise Refused(
            f"the user {context.user} of this kubeconfig runs a program to log in: {command}",
            "look at it, and if you trust it say so with --trust-exec",
        )


def copy(context: Context) -> dict[str, Any]:
    """Return a kubeconfig of this one context, files inlined."""
    cluster = _inlined(context.cluster_entry, "cluster", context.folder)
    user = _inlined(context.user_entry, "user", context.folder)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context.name,
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": context.user or "user", "user": user}],
        "contexts": [
            {
                "name": context.name,
                "context": {"cluster": "cluster", "user": context.user or "user", "namespace": context.namespace},
            }
        ],
    }


Words = tuple[str, str] | None


def _production(context: Context) -> Words:
    if PRODUCTION.search(context.name):
        return (
            f"the context {context.name} looks like production: the course is not played there",
            "name another context with --context",
        )
    return None


def _scheme(context: Context) -> Words:
    if urlsplit(context.server).scheme != "https":
        return (
            f"{context.server or 'an empty address'} is not reached over TLS: a token would travel in the open",
            "name a context whose server begins with https://",
        )
    return None


def _unverified(context: Context) -> Words:
    if context.cluster_entry.get("insecure-skip-tls-verify"):
        return (
            "this kubeconfig does not check who answers (insecure-skip-tls-verify)",
            "ask for a kubeconfig with the cluster's certificate authority",
        )
    return None


def _proxy(context: Context) -> Words:
    if context.cluster_entry.get("proxy-url"):
        return (
            "this kubeconfig sends everything through a proxy (proxy-url)",
            "ask for one that names the server itself",
        )
    return None


def _old_plugin(context: Context) -> Words:
    if context.user_entry.get("auth-provider"):
        return (
            "this kubeconfig logs in by an auth-provider, which Kubernetes no longer has",
            "ask for one with a token, a certificate or an exec plugin",
        )
    return None


def _foreign_files(context: Context) -> Words:
    for group, entry in (("cluster", context.cluster_entry), ("user", context.user_entry)):
        for key in FILES[group]:
            if (named := entry.get(key)) and not _inside(context.folder, str(named)):
                return (
                    f"this kubeconfig reads {key} from {named}, outside of its own folder",
                    "kubectl config view --flatten --minify --raw writes one that holds everything",
                )
    return None


def _reserved(context: Context) -> Words:
    if not context.namespace or RESERVED.fullmatch(context.namespace):
        return (
            f"the course is not played in the namespace {context.namespace or 'default'}",
            "name the learner's own namespace with --namespace",
        )
    return None


_RULES: tuple[Callable[[Context], Words], ...] = (
    _production,
    _scheme,
    _unverified,
    _proxy,
    _old_plugin,
    _foreign_files,
    _reserved,
)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read: {error}", "name a kubeconfig with --kubeconfig") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not valid YAML", "name a kubeconfig with --kubeconfig") from error
    if not isinstance(document, dict):
        raise BadInput(f"{path} holds no kubeconfig", "name a kubeconfig with --kubeconfig")
    return document


def _entry(document: Mapping[str, Any], group: str, member: str, name: str, path: Path) -> dict[str, Any]:
    entries = document.get(group)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(member), dict):
            found: dict[str, Any] = entry[member]
            return found
    raise BadInput(f"{path} has no {member} named {name!r}", "kubectl config get-contexts lists what it has")


def _inside(folder: Path, named: str) -> bool:
    return (folder / named).resolve().is_relative_to(folder)


def _inlined(entry: Mapping[str, Any], group: str, folder: Path) -> dict[str, Any]:
    out = dict(entry)
    for key in FILES[group]:
        if not (named := out.pop(key, None)):
            continue
        try:
            content = (folder / str(named)).read_bytes()
        except OSError as error:
            raise BadInput(
                f"{named}, which this kubeconfig names, can't be read", "copy it beside the kubeconfig"
            ) from error
        if key == "tokenFile":
            out.setdefault("token", content.decode().strip())
        else:
            out.setdefault(f"{key}-data", base64.b64encode(content).decode())
    return out

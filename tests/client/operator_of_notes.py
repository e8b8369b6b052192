"""An operator as kopf's users write them: it counts the words of a Note, and answers ConfigMaps that are `watched`."""

from __future__ import annotations

import kopf
from kubernetes import client, config


@kopf.on.startup()
def configure(settings, **_):
    """Post what is logged as events, and log in once for what the handlers make themselves."""
    settings.posting.loggers = True
    config.load_kube_config()


@kopf.on.create("example.org", "v1", "notes")
def child(name, namespace, spec, **_):
    """Make a ConfigMap that the Note owns, so that it goes with it."""
    made = {"metadata": {"name": f"{name}-child"}, "data": {"text": spec["text"]}}
    kopf.adopt(made)
    client.CoreV1Api().create_namespaced_config_map(namespace, made)


@kopf.on.create("example.org", "v1", "notes")
@kopf.on.update("example.org", "v1", "notes", field="spec.text")
def count(spec, patch, retry, **_):
    """Write the number of words into the status, at the second try."""
    if not retry:
        raise kopf.TemporaryError("not yet", delay=0.1)
    patch.status["words"] = len(spec["text"].split())


@kopf.on.delete("example.org", "v1", "notes")
def leave(name, namespace, **_):
    """Leave a trace before the finalizer goes."""
    client.CoreV1Api().create_namespaced_config_map(namespace, {"metadata": {"name": f"{name}-left"}})


@kopf.on.create("v1", "configmaps", labels={"watched": "yes"})
@kopf.on.update("v1", "configmaps", labels={"watched": "yes"}, field="data.mark")
def answer(old, new, patch, **_):
    """Answer in an annotation."""
    patch.metadata.annotations["answer"] = f"{old} -> {new}" if old else "new"

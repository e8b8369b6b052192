"""Admission webhooks that Pods of the cluster serve: reached through their Service, by TLS, trusted by caBundle."""

from __future__ import annotations

import base64
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.errors import Status

pytestmark = pytest.mark.both

Made = runpy.run_path(str(Path(__file__).parents[1] / "runtime" / "record_trust.py"))["Made"]

SITE = """
server {
  listen 8443 ssl;
  ssl_certificate /etc/tls/tls.crt;
  ssl_certificate_key /etc/tls/tls.key;
  location / { proxy_pass http://127.0.0.1:8080/cgi-bin/; }
}
"""
PROGRAMS = {
    # What it is asked about: with a label "stop" it says no.
    "judge": r"""#!/bin/sh
review=$(head -c "$CONTENT_LENGTH")
uid=$(printf %s "$review" | sed 's/.*"request":{"uid":"\([^"]*\)".*/\1/')
allowed=true
case $review in *'"labels":{"stop"'*) allowed=false;; esac
printf 'Content-Type: application/json\r\n\r\n'
printf '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"%s","allowed":%s,' "$uid" $allowed
printf '"warnings":["judged"],"status":{"code":403,"message":"it says stop"}}}'
""",
    "label": r"""#!/bin/sh
uid=$(head -c "$CONTENT_LENGTH" | sed 's/.*"request":{"uid":"\([^"]*\)".*/\1/')
patch=$(printf '[{"op":"add","path":"/data/by","value":"%s"}]' "$REQUEST_METHOD" | base64 -w 0)
printf 'Content-Type: application/json\r\n\r\n'
printf '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"%s","allowed":true,' "$uid"
printf '"patchType":"JSONPatch","patch":"%s"}}' "$patch"
""",
}


PROGRAMS["convert"] = r"""#!/bin/sh
review=$(head -c "$CONTENT_LENGTH")
part() { printf %s "$review" | sed "s/.*$1.*/\\1/"; }
uid=$(part '"uid":"\([^"]*\)","desiredAPIVersion"') wanted=$(part '"desiredAPIVersion":"\([^"]*\)"')
case $wanted in */v1) from=v2 old=words new=text;; *) from=v1 old=text new=words;; esac
objects=$(part '"objects":\(\[.*\]\)},"response"' | sed "s|\"${wanted%/*}/$from\"|\"$wanted\"|g; s/\"$old\":/\"$new\":/g")
printf 'Content-Type: application/json\r\n\r\n'
printf '{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","response":{"uid":"%s",' "$uid"
printf '"result":{"status":"Success"},"convertedObjects":%s}}' "$objects"
"""


DAYS = (-400, 3000)  # of the recorder's day: long enough for every clock


def authority() -> Any:
    """Return a new authority."""
    return Made("hooks-ca", ca=True, days=DAYS)


def serving(root: Any, *names: str) -> dict[str, str]:
    """Return the data of a TLS Secret for a server of those names."""
    made = Made(names[0], root, names=names, days=DAYS)
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"tls.crt": made.pem, "tls.key": key.decode()}


class Hooks:
    """A Pod that serves webhooks, its Service, and configurations that end with the test."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.namespace = world.objects.namespace
        self.ca = authority()
        self.made: list[tuple[str, str]] = []

    def serve(self, *names: str) -> None:
        """Bring the Pod up, with a certificate for `names`."""
        objects = self.world.objects
        objects.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"}, "type": "kubernetes.io/tls",
             "stringData": serving(self.ca, *names)}
        )  # fmt: skip
        for name, data in (("site", {"default.conf": SITE}), ("programs", PROGRAMS)):
            objects.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        objects.create(self._pod())
        ports = [{"port": 443, "targetPort": 8443}]
        objects.create(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook"},
             "spec": {"selector": {"app": "hook"}, "ports": ports}}
        )  # fmt: skip
        self.world.ready("hook")

    def _pod(self) -> dict[str, Any]:
        mounts = {"site": "/etc/nginx/conf.d", "tls": "/etc/tls"}
        probe = {"httpGet": {"port": 8443, "path": "/judge", "scheme": "HTTPS"}, "periodSeconds": 1}
        containers = [
            {"name": "tls", "image": "nginx:1.30", "readinessProbe": probe,
             "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()]},
            {"name": "programs", "image": "busybox:1.37", "command": ["httpd", "-f", "-p", "8080", "-h", "/www"],
             "volumeMounts": [{"name": "programs", "mountPath": "/www/cgi-bin"}]},
        ]  # fmt: skip
        volumes = [
            {"name": "site", "configMap": {"name": "site"}},
            {"name": "tls", "secret": {"secretName": "tls"}},
            {"name": "programs", "configMap": {"name": "programs", "defaultMode": 0o755}},
        ]
        spec = {"containers": containers, "volumes": volumes, "terminationGracePeriodSeconds": 1}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "hook", "labels": {"app": "hook"}},
            "spec": spec,
        }

    def configure(self, kind: str, path: str, **more: Any) -> None:
        """Ask a webhook about the ConfigMaps of the namespace from now on."""
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        bundle = base64.b64encode(self.ca.pem.encode()).decode()
        hook = {
            "name": f"{path}.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [rule],
            "clientConfig": {"service": {"name": "hook", "namespace": self.namespace, "path": f"/{path}"}, "caBundle": bundle},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}},
            **more,
        }  # fmt: skip
        name = f"{self.namespace}-{path}"
        self.world.objects.create(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": name},
                "webhooks": [hook],
            }
        )
        self.made.append((kind, name))

    def create(self, name: str, **labels: str) -> dict[str, Any]:
        """Create a ConfigMap."""
        meta = {"name": name, "labels": labels}
        return self.world.objects.create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}
        )

    def refused(self, name: str, **labels: str) -> str:
        """Create a ConfigMap in vain -> why."""
        with pytest.raises(Status) as refusal:
            self.create(name, **labels)
        return refusal.value.message


@pytest.fixture
def hooks(world: Any) -> Iterator[Hooks]:
    made = Hooks(world)
    yield made
    for kind, name in made.made:
        world.objects.delete(kind, name)


def active(hooks: Hooks, word: str) -> None:
    """Wait until the API server has taken a configuration up and reaches its Service: both count after a moment."""
    names = iter(range(1000))

    def tried() -> bool:
        try:
            made = hooks.create(f"try-{next(names)}", stop="it")
        except Status as error:
            return word in error.message
        return word in made["data"]

    hooks.world.until(tried)


def test_a_pod_judges_what_is_created(hooks: Hooks) -> None:
    hooks.serve(f"hook.{hooks.namespace}.svc")
    hooks.configure("ValidatingWebhookConfiguration", "judge")
    active(hooks, "it says stop")
    assert hooks.create("good")["data"] == {"a": "b"}
    assert hooks.refused("bad", stop="now") == 'admission webhook "judge.example.com" denied the request: it says stop'
    assert hooks.world.objects.find("configmap", "bad") is None


def test_a_pod_changes_what_is_created(hooks: Hooks) -> None:
    hooks.serve(f"hook.{hooks.namespace}.svc")
    hooks.configure("MutatingWebhookConfiguration", "label")
    active(hooks, "by")
    assert hooks.create("changed")["data"] == {"a": "b", "by": "POST"}


def test_a_certificate_of_another_name_is_not_trusted(hooks: Hooks) -> None:
    hooks.serve("other.example.com")
    hooks.configure("ValidatingWebhookConfiguration", "judge")
    active(hooks, "valid for other.example.com")
    url = f"https://hook.{hooks.namespace}.svc:443/judge?timeout=10s"
    assert hooks.refused("bad") == (
        f'Internal error occurred: failed calling webhook "judge.example.com": failed to call webhook: Post "{url}": '
        f"tls: failed to verify certificate: x509: certificate is valid for other.example.com, not hook.{hooks.namespace}.svc"
    )


def test_an_unknown_authority_and_a_pod_that_is_gone(hooks: Hooks) -> None:
    hooks.serve(f"hook.{hooks.namespace}.svc")
    hooks.ca = authority()
    hooks.configure("ValidatingWebhookConfiguration", "judge")
    active(hooks, "signed by unknown authority")
    assert "x509: certificate signed by unknown authority" in hooks.refused("bad")
    hooks.world.objects.delete("pod", "hook")
    active(hooks, "connection refused")
    address = hooks.world.objects.get("service", "hook")["spec"]["clusterIP"]
    assert hooks.refused("bad").endswith(f"dial tcp {address}:443: connect: connection refused")


def definition(hooks: Hooks, group: str) -> dict[str, Any]:
    """Return a definition whose two versions the Pod converts into one another."""
    bundle = base64.b64encode(hooks.ca.pem.encode()).decode()
    client = {"service": {"name": "hook", "namespace": hooks.namespace, "path": "/convert"}, "caBundle": bundle}
    text = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": text}}
        for name in ("v1", "v2")
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"notes.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "notes", "singular": "note", "kind": "Note"},
            "versions": versions,
            "conversion": {
                "strategy": "Webhook",
                "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
            },
        },
    }


def test_a_pod_converts_custom_resources(hooks: Hooks, tmp_path: Path) -> None:
    world, group = hooks.world, f"{hooks.namespace}.example.com"
    hooks.serve(f"hook.{hooks.namespace}.svc")
    world.objects.create(definition(hooks, group))
    hooks.made.append(("customresourcedefinition", f"notes.{group}"))
    world.kubectl("wait", "--for=condition=Established", "crd", f"notes.{group}", "--timeout=30s")

    def create(name: str, version: str, **spec: str) -> bool:
        note = {"apiVersion": f"{group}/{version}", "kind": "Note", "metadata": {"name": name}, "spec": spec}
        (tmp_path / name).write_text(json.dumps(note))
        try:
            return bool(world.kubectl("create", "-f", str(tmp_path / name)))
        except AssertionError:  # its resources are served a moment later
            return False

    def shown(version: str, *name: str) -> str:
        return str(world.kubectl("get", f"notes.{version}.{group}", *name, "-o", "jsonpath={..spec}"))

    world.until(lambda: create("n", "v1", text="hello"))
    assert (shown("v1", "n"), shown("v2", "n")) == ('{"text":"hello"}', '{"words":"hello"}')
    assert create("m", "v2", words="bye")
    assert shown("v1", "m") == '{"text":"bye"}'
    assert shown("v2") == '{"words":"bye"} {"words":"hello"}'

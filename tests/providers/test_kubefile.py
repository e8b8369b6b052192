"""A kubeconfig is code: it is read as plain text first, and what is unsafe is refused."""

from __future__ import annotations

import base64
import copy

import pytest
import yaml

from kit.errors import BadInput, Refused
from kit.providers import kubefile

GOOD = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "class",
    "clusters": [
        {"name": "school", "cluster": {"server": "https://k8s.example:6443", "certificate-authority": "ca.crt"}}
    ],
    "users": [{"name": "ann", "user": {"token": "s3cret"}}],
    "contexts": [{"name": "class", "context": {"cluster": "school", "user": "ann", "namespace": "lab-ann"}}],
}


@pytest.fixture
def written(tmp_path):
    """Write a kubeconfig, the good one changed by `change`."""
    (tmp_path / "ca.crt").write_text("the authority")

    def write(change=lambda document: None):
        document = copy.deepcopy(GOOD)
        change(document)
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


def cluster(**more):
    return lambda document: document["clusters"][0]["cluster"].update(more)


def user(**more):
    return lambda document: document["users"][0]["user"].update(more)


def namespace(name):
    return lambda document: document["contexts"][0]["context"].update(namespace=name)


def test_what_it_says_is_named_and_no_secret_is(written):
    context = kubefile.read(written())
    kubefile.judge(context)
    assert str(context) == "server https://k8s.example:6443, context class, user ann, namespace lab-ann"
    assert "s3cret" not in str(context)


def test_the_copy_holds_one_context_and_everything_it_needs(written):
    made = kubefile.copy(kubefile.read(written(), namespace="lab-bob"))
    assert made["clusters"][0]["cluster"] == {
        "server": "https://k8s.example:6443",
        "certificate-authority-data": base64.b64encode(b"the authority").decode(),
    }
    assert made["contexts"][0]["context"]["namespace"] == "lab-bob"
    assert made["users"] == [{"name": "ann", "user": {"token": "s3cret"}}]


def rename(document):
    document["contexts"][0]["name"] = document["current-context"] = "eu-Prod-1"


@pytest.mark.parametrize(
    "change, words",
    [
        (rename, "looks like production"),
        (cluster(server="http://k8s.example:8080"), "not reached over TLS"),
        (cluster(server=""), "not reached over TLS"),
        (cluster(**{"insecure-skip-tls-verify": True}), "does not check who answers"),
        (cluster(**{"proxy-url": "socks5://x"}), "through a proxy"),
        (cluster(**{"certificate-authority": "/etc/passwd"}), "outside of its own folder"),
        (user(**{"client-key": "../key.pem"}), "outside of its own folder"),
        (user(tokenFile="/var/run/token"), "outside of its own folder"),
        (user(**{"auth-provider": {"name": "gcp"}}), "auth-provider"),
        (namespace("default"), "not played in the namespace default"),
        (namespace("kube-system"), "not played in the namespace kube-system"),
        (namespace(""), "not played in the namespace default"),
        (user(exec={"command": "/bin/evil"}), "runs a program to log in: /bin/evil"),
    ],
)
def test_what_is_unsafe_is_refused_with_a_next_step(written, change, words):
    with pytest.raises(Refused, match=words) as raised:
        kubefile.judge(kubefile.read(written(change)))
    assert raised.value.next


def test_a_link_out_of_the_folder_is_outside(written, tmp_path):
    path = written(user(**{"client-key": "key.pem"}))
    (tmp_path / "key.pem").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match="outside"):
        kubefile.judge(kubefile.read(path))


def test_a_trusted_program_is_let_be(written):
    kubefile.judge(kubefile.read(written(user(exec={"command": "login"}))), trust_exec=True)


@pytest.mark.parametrize(
    "text, words",
    [
        ("{ no", "not valid YAML"),
        ("- a", "holds no kubeconfig"),
        ("", "holds no kubeconfig"),
        ("kind: Config", "no current context"),
        ("current-context: x\ncontexts: none", "no context named 'x'"),
        ("current-context: x\ncontexts: [{name: x, context: {cluster: y}}]", "no cluster named 'y'"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_what_is_no_kubeconfig_is_said(tmp_path, text, words):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        kubefile.read(path)


def test_a_file_that_is_named_and_missing(written, tmp_path):
    context = kubefile.read(written())
    (tmp_path / "ca.crt").unlink()
    with pytest.raises(BadInput, match=r"ca.crt.*can't be read"):
        kubefile.copy(context)

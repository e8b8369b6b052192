"""YAML with line numbers, kubeconfigs, and what the client says when things are not there."""

from __future__ import annotations

import json

import pytest

from kit.client.apply import Document, documents, fault_line
from kit.client.capabilities import missing
from kit.client.connect import Answer, connect, status_of, unreachable
from kit.client.execute import Ran, _finished
from kit.errors import BadInput, Unavailable

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: db\n"


def test_documents_know_their_lines():
    found = documents(f"# first\n{POD}---\n{POD}---\n")
    assert [(one.line, one.kind, one.name) for one in found] == [(2, "Pod", "db"), (7, "Pod", "db")]
    assert documents("# nothing yet\n") == []
    assert (
        len(
            documents(
                json.dumps(
                    {
                        "apiVersion": "v1",
                        "kind": "List",
                        "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}] * 2,
                    }
                )
            )
        )
        == 2
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\n\tb: 2\n", "line 2: a tab is used for indentation"),
        ("a: [1\n", "line 2, column 1: expected"),
        ("a: b: c\n", "line 1, column 5: mapping values are not allowed here"),
        (POD.replace("kind", "Kind"), "line 1: kind is missing\nyou wrote Kind"),
        (POD + "---\n- a\n", "line 6: this is a list, not an object"),
        ("apiVersion: v1\nkind: Pod\n", "line 1: metadata.name is missing"),
    ],
)
def test_faults_in_yaml(text, what):
    with pytest.raises(BadInput) as caught:
        documents(text)
    assert what in str(caught.value)


def test_the_line_of_a_refused_field():
    text = POD + "spec:\n  containers:\n  - name: c\n    imagee: nginx\n"
    body = documents(text)[0].body
    refused = 'failed to create typed patch object (/db; /v1, Kind=Pod): .spec.containers[name="c"].imagee: field not declared in schema'
    assert fault_line(text, Document(1, body), refused) == 8
    assert fault_line(text, Document(1, body), "nothing that is in the text") == 1


def kubeconfig(tmp_path, **cluster):
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "mine"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1/", **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(document))
    return path


def test_a_kubeconfig_is_read(tmp_path):
    connection = connect(kubeconfig(tmp_path))
    assert (connection.server, connection.namespace) == ("https://127.0.0.1:1", "mine")
    assert connection.headers()["Authorization"] == "Bearer t"
    assert connect(kubeconfig(tmp_path), namespace="lab-01").namespace == "lab-01"


def test_nobody_listens(tmp_path):
    with pytest.raises(
        Unavailable, match=r"connection refused: no cluster listens at https://127.0.0.1:1\nstart it with: labkit up"
    ):
        connect(kubeconfig(tmp_path)).json("GET", "/api")


def test_bad_kubeconfigs(tmp_path):
    with pytest.raises(Unavailable, match="no kubeconfig at"):
        connect(tmp_path / "none")
    path = tmp_path / "config"
    path.write_text("{")
    with pytest.raises(BadInput, match="not valid YAML"):
        connect(path)
    path.write_text("current-context: a\ncontexts: []\n")
    with pytest.raises(BadInput, match="no context named 'a'"):
        connect(path)


def test_statuses():
    body = {"kind": "Status", "reason": "NotFound", "message": 'pods "x" not found', "details": {"name": "x"}}
    found = status_of(Answer(404, {}, json.dumps(body).encode()))
    assert (found.code, found.reason, found.message) == (404, "NotFound", 'pods "x" not found')
    assert status_of(Answer(502, {}, b"Bad Gateway\n")).message == "Bad Gateway"
    assert "does not trust" in unreachable("s", Exception("CERTIFICATE_VERIFY_FAILED")).what


def test_the_end_of_a_command():
    failure = {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "3"}]},
    }
    assert _finished({1: bytearray(b"a"), 2: bytearray(b"b"), 3: bytearray(json.dumps(failure).encode())}) == Ran(
        3, "a", "b"
    )
    assert _finished({1: bytearray(), 2: bytearray(), 3: bytearray(b'{"status":"Success"}')}).code == 0
    assert _finished({1: bytearray(), 2: bytearray(), 3: bytearray()}).code == -1


def test_what_a_provider_lacks_is_said():
    assert (
        missing("clock", "kind").what == "the kind cluster can't do this: its time can't be moved: it is the wall clock"
    )

"""YAML documents into the cluster: parsed with line numbers, then applied by the server (server-side apply)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from kit.client.objects import Object, Objects
from kit.errors import BadInput, Status

MANAGER = "labkit"
_APPLY = "application/apply-patch+yaml"
_EVERYWHERE = {"apiVersion", "kind", "metadata", "spec", "name"}


@dataclass(frozen=True)
class Document:
    """One object of a YAML text and the line (from 1) it starts at."""

    line: int
    body: Object

    @property
    def kind(self) -> str:
        """Return the kind the document says."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """Return the name the document says."""
        return str(self.body["metadata"]["name"])


@dataclass(frozen=True)
class Applied:
    """What became of one document: `created`, `configured` or `unchanged`; printed as kubectl prints it."""

    resource: str
    name: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.name} {self.outcome}"


def documents(text: str) -> list[Document]:
    """Return the documents of a YAML text; an error names the line and says what is wrong there."""
    tabs = [
        number for number, line in enumerate(text.splitlines(), 1) if line[: len(line) - len(line.lstrip())].count("\t")
    ]
    if tabs:
        raise BadInput(f"line {tabs[0]}: a tab is used for indentation", "YAML wants spaces: two for each level")
    found: list[Document] = []
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1 if node else 1
            body: Any = loader.construct_document(node)
            found += [Document(line, item) for item in _unfolded(body, line)]
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from error
    finally:
        loader.dispose()
    return found


def apply(objects: Objects, text: str, namespace: str | None = None, *, dry_run: bool = False) -> list[Applied]:
    """Apply every document of `text` in order and return what became of each."""
    return [apply_one(objects, document.body, namespace, dry_run=dry_run) for document in documents(text)]


def apply_one(objects: Objects, body: Object, namespace: str | None = None, *, dry_run: bool = False) -> Applied:
    """Apply one object on the server; our manager takes over fields that others set."""
    resource = objects.resources.find(body["kind"], body["apiVersion"])
    name = body["metadata"]["name"]
    where = body["metadata"].get("namespace") or namespace or objects.namespace
    before = _present(objects, resource.path(where, name))
    query = {
        "fieldManager": MANAGER,
        "force": "true",
        "fieldValidation": "Strict",
        **({"dryRun": "All"} if dry_run else {}),
    }
    after = objects.connection.json("PATCH", resource.path(where, name), query=query, body=body, content_type=_APPLY)
    if before is None:
        outcome = "created"
    else:
        outcome = "unchanged" if _ours(after) == _ours(before) and _same(before, after, body) else "configured"
    label = f"{resource.kind.lower()}.{resource.group}" if resource.group else resource.kind.lower()
    return Applied(label, name, outcome)


def fault_line(text: str, document: Document, message: str) -> int:
    """Return the line of `text` that an answer of the server speaks about: that of the field it names, else the document's."""
    lines = text.splitlines()
    for name in reversed(re.findall(r"[A-Za-z]\w*", message.split(":", 2)[0] if ": " not in message else message)):
        for number in range(document.line, len(lines) + 1):
            if lines[number - 1].lstrip(" -").startswith(f"{name}:") and name not in _EVERYWHERE:
                return number
    return document.line


def _ours(body: Object) -> list[Object]:
    """Return the fields that belong to us; others (the scheduler, kubelets) may write theirs at any moment."""
    entries = body["metadata"].get("managedFields") or []
    return [entry.get("fieldsV1") for entry in entries if entry["manager"] == MANAGER and entry["operation"] == "Apply"]


def _same(before: Any, after: Any, wish: Any) -> bool:
    """Tell whether two states are the same in all that `wish` speaks of."""
    if isinstance(wish, dict) and isinstance(before, dict) and isinstance(after, dict):
        return all(_same(before.get(key), after.get(key), value) for key, value in wish.items())
    if isinstance(wish, list) and isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) == len(wish) and all(map(_same, before, after, wish))
    return bool(before == after)


def _present(objects: Objects, path: str) -> Object | None:
    try:
        found = objects.connection.json("GET", path)
    except Status as error:
        if error.code == 404:
            return None
        raise
    return found


def _unfolded(body: Any, line: int) -> list[Object]:
    if body is None:
        return []
    if not isinstance(body, dict):
        raise BadInput(
            f"line {line}: this is {_name_of(body)}, not an object", "an object starts with apiVersion: and kind:"
        )
    for field in ("apiVersion", "kind"):
        if not isinstance(body.get(field), str):
            near = [key for key in body if isinstance(key, str) and key.lower() == field.lower()]
            more = f"you wrote {near[0]}: upper and lower case matter" if near else f"every object says its {field}"
            raise BadInput(f"line {line}: {field} is missing", more)
    if body["kind"] == "List":
        return [item for member in body.get("items") or [] for item in _unfolded(member, line)]
    meta = body.get("metadata")
    if not isinstance(meta, dict) or not meta.get("name"):
        raise BadInput(f"line {line}: metadata.name is missing", f"give the {body['kind']} a name")
    return [body]


def _name_of(body: Any) -> str:
    return {list: "a list", str: "a text", int: "a number", bool: "true or false"}.get(type(body), "a value")


def _syntax(error: yaml.MarkedYAMLError) -> BadInput:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the text"
    return BadInput(
        f"{where}: {error.problem or 'not valid YAML'}",
        "look at the indentation and the colons of that line and the one above",
    )

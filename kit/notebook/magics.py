"""`%%apply`: the YAML of a cell into the lab's namespace; and how errors of the kit look in a notebook."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kit.client.apply import Document, apply_one, documents, fault_line
from kit.course.i18n import say
from kit.errors import BadInput, KitError, Status
from kit.notebook.commands import quicken
from kit.notebook.following import follow

if TYPE_CHECKING:
    from kit.notebook.lab import Lab


def load_ipython_extension(shell: Any) -> None:
    """Register `%%apply`; `%load_ext kit` and `kit.lab()` both come here."""

    def magic(line: str, cell: str) -> None:
        apply_cell(line, cell, shell.user_ns)

    shell.register_magic_function(magic, magic_kind="cell", magic_name="apply")
    shell.set_custom_exc((KitError, Status), _shown)
    quicken(shell)
    shell.events.register("pre_run_cell", follow)


def apply_cell(line: str, cell: str, names: Mapping[str, Any]) -> None:
    """Apply a cell's YAML and print one line per object; a fault is printed too, so that the notebook runs on."""
    from kit.notebook.lab import Lab

    lab = names.get("lab")
    if not isinstance(lab, Lab):
        _complain("there is no lab yet", "run the first cell of the notebook: lab = kit.lab(…)")
        return
    try:
        _apply(lab, filled(cell, line, names), lab.session.lang)
    except KitError as error:
        _complain(error.what, error.next)


def filled(cell: str, line: str, names: Mapping[str, Any]) -> str:
    """Fill `$name` of the cell in with the notebook's variables that the magic's line names: `%%apply --fill db_ip`."""
    words = line.split()
    if not words:
        return cell
    if words[0] != "--fill" or len(words) < 2:
        raise BadInput(f"%%apply does not understand {line!r}", "it knows: %%apply, and %%apply --fill NAME…")
    for word in words[1:]:
        if word not in names:
            raise BadInput(f"%%apply --fill {word}: the notebook has no variable {word}", "run the cell that makes it")
        value = names[word]
        text = "\n".join(value) if isinstance(value, list) else str(value)
        if not re.search(rf"\${word}\b", cell):
            raise BadInput(f"%%apply --fill {word}: the cell has no ${word}", f"write ${word} where its value belongs")
        if not text.strip():
            raise BadInput(f"%%apply --fill {word}: the variable {word} is empty", "run the cell that makes it again")
        cell = re.sub(rf"\${word}\b", lambda _, text=text: text.strip(), cell)  # type: ignore[misc]
    return cell


def _apply(lab: Lab, text: str, lang: str) -> None:
    found = documents(text)
    if not found:
        _say(say("apply.todo", lang))
    for document in found:
        if not _apply_document(lab, text, document):
            break
    for warning in lab.session.connection.warnings:
        _complain(f"Warning: {warning}", "")
    lab.session.connection.warnings.clear()


def _apply_document(lab: Lab, text: str, document: Document) -> bool:
    try:
        _say(str(apply_one(lab.session.objects, document.body)))
    except Status as error:
        line = fault_line(text, document, error.message)
        _complain(f"line {line}: the cluster refuses {document.kind} {document.name}", error.message)
        return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(what: str, more: str) -> None:
    sys.stderr.write("\n".join(line for line in (what, more) if line) + "\n")


def _shown(_shell: Any, _kind: type, error: Any, _trace: Any, tb_offset: int | None = None) -> list[str]:
    """Show an error of the kit as its two sentences, without a traceback."""
    lines = [error.message] if isinstance(error, Status) else [line for line in (error.what, error.next) if line]
    sys.stderr.write("\n".join(lines) + "\n")
    return lines

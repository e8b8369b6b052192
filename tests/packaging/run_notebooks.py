"""Runs in the environment under test: executes notebooks with nbclient, as a person does who runs every cell, and reports in JSON.

python run_notebooks.py FOLDER NAME...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import kit


def executed(folder, name):
    """Return what the cells of a notebook printed or showed; an error in one is an error here."""
    notebook = nbformat.read(folder / name, as_version=4)
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    report = {"kit": kit.__file__, "shown": {name: executed(place, name) for name in sys.argv[2:]}}
    sys.stdout.write(json.dumps(report))

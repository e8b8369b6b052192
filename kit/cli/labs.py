"""`labkit labs list | build [--check] | verify [NN]`: for those who write labs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from kit.cli import options
from kit.course import build as builder
from kit.course.catalog import Catalog, Lesson, is_clone, load
from kit.course.settled import own_register, settled_cluster, standing
from kit.course.verify import verify as proofs
from kit.errors import Refused
from kit.providers import choose

app = typer.Typer(help="List, build and verify the labs of the course.", no_args_is_help=True)
Numbers = Annotated[list[str] | None, typer.Argument(help="Labs by number or name; all when none is given.")]


@app.command("list")
def list_labs(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the labs with their minutes and needs."""
    rows = [_row(lesson) for lesson in load().lessons]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        typer.echo(f"{row['number']}  {row['title']}  ({row['minutes']} min, {row['exercises']} exercises)")


@app.command()
def build(
    labs: Numbers = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare what is there with what the sources say.")
    ] = False,
    execute: Annotated[bool, typer.Option(help="Execute the solutions.")] = True,
) -> None:
    """Write the exercise and solution notebooks from their sources."""
    catalog = _own(load())
    differences = []
    with own_register():
        for lesson in _chosen(catalog, labs):
            if check:
                differences += builder.drift(lesson, catalog.root)
                continue
            for path in builder.build(lesson, catalog.root, execute=execute):
                typer.echo(f"wrote {path.relative_to(catalog.root)}")
    for line in differences:
        typer.echo(line, err=True)
    if differences:
        typer.echo("labkit labs build writes them anew", err=True)
        raise typer.Exit(1)


@app.command()
def verify(labs: Numbers = None, name: options.Name = None, provider: options.ProviderName = None) -> None:
    """Prove the checks: TODO untouched, PASS solved, WRONG with its own sentence for each trap.

    On new embedded clusters, or on the cluster of the provider that is named: there the labs' namespaces are made anew.
    """
    catalog = load()
    failed = 0
    there = choose.connect(name, provider) if provider else None
    with nullcontext() if there else own_register():
        for lesson in _chosen(catalog, labs):
            ground = standing(there, lesson) if there else settled_cluster
            for proof in proofs(lesson, catalog.root, ground):
                typer.echo(str(proof))
                failed += not proof.shown
    if failed:
        typer.echo(f"{failed} not shown", err=True)
        raise typer.Exit(1)


def _chosen(catalog: Catalog, labs: Sequence[str] | None) -> list[Lesson]:
    return [catalog.find(number) for number in labs] if labs else list(catalog.lessons)


def _own(catalog: Catalog) -> Catalog:
    if not is_clone(catalog.root):
        raise Refused("notebooks are built in a clone of the repository", "an installed course is complete as it is")
    return catalog


def _row(lesson: Lesson) -> dict[str, Any]:
    return {
        "number": lesson.number,
        "name": lesson.name,
        "title": lesson.title.en,
        "title_zh": lesson.title.zh,
        "minutes": lesson.minutes,
        "needs": list(lesson.needs),
        "exercises": len(lesson.exercises),
    }

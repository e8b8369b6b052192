"""`labkit`: one file a command. Errors say what happened and what to do next; usage errors end with 2, others with 1."""

from __future__ import annotations

import sys
from collections.abc import Callable

# command -> the module with a function of the same name (imported when it is the one that is asked for)
COMMANDS = {
    "lab": "Start a cluster and open JupyterLab on the course.",
    "up": "Start a cluster, or adopt the one that runs.",
    "down": "Stop a cluster; its state is kept.",
    "status": "Show the clusters and how to reach them.",
    "kubeconfig": "Print the path of the kubeconfig.",
    "env": 'Print the variables for a shell: eval "$(labkit env)".',
    "reset": "Begin the cluster anew, or empty namespaces.",
    "doctor": "Look for what keeps a cluster from working here.",
}
GROUPS = {"labs": "List, build and verify the labs of the course."}


def run() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(guarded(lambda: _app(sys.argv[1:])))


def guarded(action: Callable[[], int]) -> int:
    """Run `action`; a KitError is printed as what happened and what to do next, never as a traceback."""
    from kit.errors import KitError, Status
    from kit.providers.choose import on_windows

    try:
        on_windows()
        return action()
    except KitError as error:
        _say(error.what, error.next)
    except Status as error:
        _say(f"the cluster answered: {error.message}", "")
    except KeyboardInterrupt:
        _say("interrupted", "")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def _app(arguments: list[str]) -> int:
    """Build only what the arguments need, and call it."""
    import typer

    first = next((word for word in arguments if not word.startswith("-")), None)
    app = typer.Typer(
        help="Kubernetes Lab Kit: a Kubernetes cluster to learn with.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_top)
    for name, help_text in COMMANDS.items():
        _add(app, name, help_text, real=name == first)
    for name, help_text in GROUPS.items():
        _add_group(app, name, help_text, real=name == first)
    command = typer.main.get_command(app)
    return _code(command.main(args=arguments, prog_name="labkit", standalone_mode=True))


def _code(result: object) -> int:
    return result if isinstance(result, int) else 0


def _top() -> None:
    """Kubernetes Lab Kit: a Kubernetes cluster to learn with."""


def _add(app: object, name: str, help_text: str, *, real: bool) -> None:
    import importlib

    command = getattr(importlib.import_module(f"kit.cli.{name}"), name) if real else lambda: None
    extra = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}} if name == "lab" else {}
    app.command(name, help=help_text, **extra)(command)  # type: ignore[attr-defined]


def _add_group(app: object, name: str, help_text: str, *, real: bool) -> None:
    import importlib

    import typer

    group = importlib.import_module(f"kit.cli.{name}").app if real else typer.Typer()
    if not real:
        group.command("list")(lambda: None)
    app.add_typer(group, name=name, help=help_text)  # type: ignore[attr-defined]


def _say(what: str, next: str) -> None:
    print(f"Error: {what}", file=sys.stderr)  # noqa: T201
    if next:
        print(f"  → {next}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    run()

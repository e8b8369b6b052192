"""Which provider, which cluster: the caller's words, then the environment, then what was chosen in this course folder, then embedded.

Variables: LABKIT_NAME, LABKIT_PROVIDER, LABKIT_CLOCK, LABKIT_SEED, LABKIT_STATE_DIR. The choice is kept in the learner's folder
(the nearest one above with a `.labkit.json`) as `.labkit-choice.json`, and only when it was made in words.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.errors import BadInput, Unavailable
from kit.providers.base import Handle, Progress, Provider, Wanted, quiet

# name -> (module, class): imported when it is used
PROVIDERS = {
    "embedded": ("kit.providers.embedded", "Embedded"),
    "kind": ("kit.providers.kind", "Kind"),
    "kubeconfig": ("kit.providers.kubeconfig", "Kubeconfig"),
}
DEFAULT_NAME, DEFAULT_PROVIDER = "lab", "embedded"
CHOICE, COURSE = ".labkit-choice.json", ".labkit.json"


def provider(name: str) -> Provider:
    """Return a provider by name; BadInput when there is none."""
    if name not in PROVIDERS:
        raise BadInput(f"there is no provider {name!r}", f"there are: {', '.join(PROVIDERS)}")
    module, kind = PROVIDERS[name]
    made: Provider = getattr(importlib.import_module(module), kind)()
    return made


def connect(
    name: str | None = None,
    provider: str | None = None,
    *,
    progress: Progress = quiet,
    nodes: int | None = None,
    **options: Any,
) -> Handle:
    """Return a running cluster, started if it is not there; a provider named here is remembered for this course folder."""
    on_windows()
    chosen = provider_name(provider)
    wanted = wish(name, nodes=nodes, **options)
    handle = _provider(chosen).up(wanted, progress)
    if provider is not None:
        remember(provider)
    return handle


def provider_name(given: str | None = None, env: Mapping[str, str] | None = None, here: Path | None = None) -> str:
    """Return the provider to use."""
    env = os.environ if env is None else env
    return given or env.get("LABKIT_PROVIDER") or _remembered(here) or DEFAULT_PROVIDER


def wish(name: str | None = None, *, env: Mapping[str, str] | None = None, **options: Any) -> Wanted:
    """Return what is wanted: the caller's words over the environment's."""
    env = os.environ if env is None else env
    seed, clock, folder = options.pop("seed", None), options.pop("clock", None), options.pop("state_dir", None)
    folder = folder or env.get("LABKIT_STATE_DIR")
    return Wanted(
        name=name or env.get("LABKIT_NAME") or DEFAULT_NAME,
        clock=clock or env.get("LABKIT_CLOCK") or None,
        seed=_seed(env) if seed is None else seed,
        state_dir=Path(folder) if folder else None,
        nodes=options.pop("nodes", None),
        port=options.pop("port", None),
        expose=options.pop("expose", None),
        options=options,
    )


def remember(name: str, here: Path | None = None) -> None:
    """Keep the choice in the course folder, if we are in one."""
    folder = course_folder(here)
    if folder is not None:
        (folder / CHOICE).write_text(json.dumps({"provider": name}) + "\n", encoding="utf-8")


def course_folder(here: Path | None = None) -> Path | None:
    """Return the learner's folder that we are in, else None."""
    here = here or Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / COURSE).is_file()), None)


def on_windows() -> None:
    """Refuse native Windows, in one clear message."""
    if sys.platform == "win32":
        raise Unavailable(
            "the kit does not run on native Windows",
            "install WSL2 (wsl --install), open its terminal, and do the same steps there",
        )


def _provider(name: str) -> Provider:
    return provider(name)


def _remembered(here: Path | None) -> str | None:
    folder = course_folder(here)
    if folder is None:
        return None
    try:
        name = json.loads((folder / CHOICE).read_text(encoding="utf-8")).get("provider")
    except (OSError, ValueError, AttributeError):
        return None
    return name if name in PROVIDERS else None


def _seed(env: Mapping[str, str]) -> int | None:
    text = env.get("LABKIT_SEED")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise BadInput(f"LABKIT_SEED is {text!r}", "a seed is a whole number") from error

"""The button under a cluster that chooses the other provider, with everything that doing so says; nothing happens until it is pressed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from kit.checks.text import as_html
from kit.course.i18n import say
from kit.errors import KitError, Status
from kit.providers import choose
from kit.providers.base import Handle

OTHER = {"embedded": "kind", "kind": "embedded"}


def switch(handle: Handle, lang: str) -> Any:
    """Return the button and the line below it; None where there is nothing to choose (a shared cluster)."""
    import ipywidgets

    if handle.provider not in OTHER:
        return None
    other = OTHER[handle.provider]
    button = ipywidgets.Button(
        description=say("switch.button", lang, provider=other),
        tooltip=say(f"switch.{other}", lang),
        layout=ipywidgets.Layout(width="auto", align_self="flex-start"),
    )
    line = ipywidgets.HTML(as_html(say(f"switch.{other}", lang)))

    def show(text: str) -> None:
        line.value = f"<div role='status' style='white-space:pre-wrap'>{as_html(text)}</div>"

    def pressed(_: Any) -> None:
        button.disabled = True
        try:
            show(chosen(handle.name, other, lang, show))
        finally:
            button.disabled = False

    button.on_click(pressed)
    return ipywidgets.VBox([button, line])


def chosen(name: str, provider: str, lang: str, show: Callable[[str], None]) -> str:
    """Start or adopt the cluster of a provider, remember the choice in this folder, and return what to tell the learner."""
    try:
        handle = choose.connect(name, provider, progress=show)
    except KitError as error:
        return say("switch.failed", lang, provider=provider, what=error.what, next=error.next).rstrip()
    except Status as error:
        return say("switch.failed", lang, provider=provider, what=error.message, next="").rstrip()
    except KeyboardInterrupt:
        return say("switch.failed", lang, provider=provider, what="Interrupt", next="").rstrip()
    done = say("switch.done", lang, name=handle.name, provider=provider)
    held = os.environ.get("LABKIT_PROVIDER")
    return done if held in {None, "", provider} else f"{done}\n{say('switch.held', lang, provider=held)}"

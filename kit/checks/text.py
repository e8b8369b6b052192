"""A sentence in the course's two languages."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "zh")
_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Text:
    """One sentence in English and Chinese."""

    en: str
    zh: str

    def of(self, lang: str) -> str:
        """Return the sentence in `lang` (English for a language the course does not have)."""
        return self.zh if lang == "zh" else self.en

    def format(self, **values: Any) -> Text:
        """Return the sentence with `{names}` filled in; a value that is a Text is taken in each language."""
        return Text(
            *(self.of(lang).format(**{key: _in(value, lang) for key, value in values.items()}) for lang in LANGUAGES)
        )

    def __bool__(self) -> bool:
        return bool(self.en)


NOTHING = Text("", "")


def same(words: str) -> Text:
    """Return words that read alike in both languages: a name, a field, a command."""
    return Text(words, words)


def from_table(table: Mapping[str, Any]) -> Text:
    """Return the Text of a TOML table `{en = "...", zh = "..."}`."""
    return Text(str(table["en"]).strip(), str(table["zh"]).strip())


def as_html(words: str) -> str:
    """Return words for a page: escaped, what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(words))


def _in(value: Any, lang: str) -> Any:
    return value.of(lang) if isinstance(value, Text) else value

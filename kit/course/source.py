"""The source of a lab's notebook: `cells.py` in jupytext's percent format, parsed strictly.

    # %% [markdown] lang="en"          a Markdown cell; every line starts with `# `. Its Chinese twin follows at once:
    # %% [markdown] lang="zh"
    # %%                               a code cell for both languages; `!kubectl …` and `%%apply` stand as they are
    # Ask for a CPU.                   a comment line directly followed by `# zh: …` is replaced by it in Chinese
    # zh: 请求一个 CPU。
    # %% tags=["task"]                 holds `# BEGIN SOLUTION` … `# END SOLUTION` (any indent); the exercise has
                                       `# Write your code here.` instead; a task is followed by its check before the next task
    # %% tags=["solution"]             a cell (code, or Markdown with its twin) that only the solution has
    # %% tags=["check"]                only lab.check("X1.1")
    # %% tags=["predict", "seed:13"]   lab.predict("E1.1") before the run, lab.predict("E1.1").explain() after it
    # %% tags=["quiz"]                 lab.quiz("Q1")            # %% tags=["break"]   lab.break_("F1")

`seed:NN` says which statement of the tutorial a cell teaches; it may stand on any cell, Markdown too (the English twin is
enough). `nbval-ignore-output`, `nbval-check-output` and `nbval-skip` are handed on. Cells before the first `# %%` are the
jupytext header. The build puts `lab = kit.lab("NN", lang=…)` in front.

Every fault is a `SourceError` with file and line: unknown tag, unclosed, nested or empty region, a region outside a task,
a task without a check, an id used by two check cells, a missing translation, a `-w`/`-f` without an end.

lab.toml, beside it (texts are tables {en = "…", zh = "…"}):
    title, goal                        texts
    cleanup = [step, …]                run by lab.reset() before the namespace goes: what the lab made outside of it
    setup = [step, …]                  run once when the namespace is made (and by lab.reset())
    [statements]                       seed numbers → where they are taught; planned = [numbers]
    [[predict]]                        id, question, options = [{id, text, says}], and optionally  answer (the outcome is observed
                                       by `@checks.outcome(id)` in checks.py; `answer` where there is nothing to observe)
    [[exercise]]                       id, title, needs = ["nodes"…], start = [step…], hints = [three texts],
      [exercise.hint]                  special hints: condition name or trap id → [three texts]
      [[exercise.trap]]                id, sentence, script = [step…], undo = [step…]
      [[exercise.alternative]]         id, script = [step…], undo = [step…]
    [[quiz]]                           id, items = [{id, question, options = [{id, text, says}], answer}]
    [[question]]                       id, question, options, answer: a single question an exercise asks (`lab.quiz("X1.5")`)
    [[board]]                          id of its exercise, question, lines (a manifest), distractors: a Parsons board (`lab.quiz("X0.2")`)
    [[fault]]                          id, title, needs, inject = [step…], undo = [step…], symptom (text), hints = [three texts]
A step is a table with one of: apply = "file of the lab's manifests, or YAML", sh = "kubectl … (run by sh -c in the lab's
namespace)", answer = {"X1.5" = "address"}, wait = "pod/db ready" (+ within = "60s").

checks.py: `checks = Checks()`, `@checks.check("X1.1")` over generators of conditions (`kit.checks`), `@checks.outcome("E1.1")`
over functions of a World that return the option that came true. `trap("id", condition)` names a trap of lab.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.checks.text import LANGUAGES
from kit.errors import BadInput

TAGS = frozenset({"task", "solution", "check", "predict", "quiz", "break"})
HANDED_ON = frozenset({"nbval-ignore-output", "nbval-check-output", "nbval-skip"})
PLACEHOLDER = "# Write your code here."
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"

_MARKER = re.compile(r"^# %%(?:\s+(?P<rest>.*))?$")
_OPTION = re.compile(r'\s*(?:(?P<kind>\[markdown\])|lang="(?P<lang>[^"]*)"|tags=\[(?P<tags>[^\]]*)\])')
_SEED = re.compile(r"^seed:(\d+)$")
_CHECK = re.compile(r'^lab\.check\("([^"]+)"\)$')
_FOLLOWS = re.compile(r"\bkubectl\b[^|;&]*?\s(get|logs|events)\b(?P<rest>[^|;&]*)")
_ENDLESS = {"get": {"-w", "--watch", "--watch-only"}, "events": {"-w", "--watch"}, "logs": {"-f", "--follow"}}
_ROLLOUT = re.compile(r"\bkubectl\b[^|;&]*\srollout\s+status\b")


class SourceError(BadInput):
    """A fault in a lab's source: file, line and what is wrong there."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{path}:{line}: {what}")
        self.path = path
        self.line = line


@dataclass(frozen=True)
class Cell:
    """One cell of the source: its kind (`code` or `markdown`), language (empty: both), tags and lines."""

    kind: str
    line: int
    lines: tuple[str, ...]
    lang: str = ""
    tags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the whole source."""
        return "\n".join(self.lines)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the statements of the tutorial that it teaches."""
        return tuple(int(found[1]) for tag in self.tags if (found := _SEED.match(tag)))


@dataclass(frozen=True)
class Source:
    """The parsed cells of one lab."""

    path: Path
    cells: tuple[Cell, ...] = field(default=())

    def notebook(self, lang: str, *, solution: bool) -> list[Cell]:
        """Return the cells of one edition: exercise or solution, in one language."""
        chosen = [cell for cell in self.cells if cell.lang in {"", lang} and (solution or "solution" not in cell.tags)]
        return [_edition(cell, lang, solution=solution) for cell in chosen]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return every statement of the tutorial that a cell teaches."""
        return tuple(sorted({seed for cell in self.cells for seed in cell.seeds}))

    @property
    def checks(self) -> tuple[str, ...]:
        """Return the exercises in the order of their check cells."""
        return tuple(check_of(cell) for cell in self.cells if "check" in cell.tags)


def read(path: Path) -> Source:
    """Parse a `cells.py`; raise `SourceError` at its first fault."""
    return parse(path.read_text(encoding="utf-8"), path)


def parse(text: str, path: Path) -> Source:
    """Parse the text of a `cells.py`; `path` is for messages."""
    cells = tuple(_cells(text, path))
    for cell in cells:
        _check_cell(cell, path)
    _check_translations(cells, path)
    _check_tasks(cells, path)
    return Source(path, cells)


def check_of(cell: Cell) -> str:
    """Return the exercise that a check cell names, empty when it holds anything else."""
    found = _CHECK.match(cell.text.strip())
    return found[1] if found else ""


def _cells(text: str, path: Path) -> Iterator[Cell]:
    head: tuple[int, str, str, tuple[str, ...]] | None = None
    body: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if found := _MARKER.match(line):
            if head:
                yield _cell(head, body, path)
            head, body = (number, *_options(found["rest"] or "", path, number)), []
        else:
            body.append(line)
    if head:
        yield _cell(head, body, path)


def _options(rest: str, path: Path, line: int) -> tuple[str, str, tuple[str, ...]]:
    kind, lang, tags, at = "code", "", "", 0
    while at < len(rest.rstrip()):
        found = _OPTION.match(rest, at)
        if not found:
            raise SourceError(path, line, f"can't read {rest[at:].strip()!r} in a cell marker")
        kind = "markdown" if found["kind"] else kind
        lang, tags, at = found["lang"] or lang, found["tags"] or tags, found.end()
    return kind, lang, tuple(tag.strip().strip('"') for tag in tags.split(",") if tag.strip())


def _cell(head: tuple[int, str, str, tuple[str, ...]], body: Sequence[str], path: Path) -> Cell:
    line, kind, lang, tags = head
    lines = list(body)
    while lines and not lines[-1].strip():
        lines.pop()
    first = 1
    while lines and not lines[0].strip():
        lines.pop(0)
        first += 1
    if kind == "markdown":
        for number, text in enumerate(lines, line + first):
            if text.strip() and not text.startswith("#"):
                raise SourceError(path, number, "a line of a Markdown cell starts with '# '")
        lines = [text[2:] if text.startswith("# ") else text[1:] for text in lines]
    return Cell(kind, line, tuple(lines), lang, tags)


def _check_cell(cell: Cell, path: Path) -> None:
    for tag in cell.tags:
        if tag not in TAGS and tag not in HANDED_ON and not _SEED.match(tag):
            raise SourceError(path, cell.line, f"unknown tag {tag!r} (known: {', '.join(sorted(TAGS))}, seed:NN)")
    if cell.lang and cell.lang not in LANGUAGES:
        raise SourceError(path, cell.line, f"unknown language {cell.lang!r} (known: {', '.join(LANGUAGES)})")
    if not any(line.strip() for line in cell.lines):
        raise SourceError(path, cell.line, "an empty cell")
    if cell.kind == "markdown" and not cell.lang:
        raise SourceError(path, cell.line, 'a Markdown cell says its language: lang="en"')
    if cell.kind == "code" and cell.lang:
        raise SourceError(path, cell.line, "a code cell serves both languages; use '# zh:' comment lines")
    if "check" in cell.tags and not check_of(cell):
        raise SourceError(path, cell.line, 'a check cell is only lab.check("X1.1")')
    _check_regions(cell, path)
    if cell.kind == "code":
        _check_ends(cell, path)


def _check_regions(cell: Cell, path: Path) -> None:
    opened = 0
    filled = found = False
    for number, line in enumerate(cell.lines, cell.line + 1):
        mark = line.strip()
        if mark == BEGIN:
            if opened:
                raise SourceError(path, number, f"a solution region inside the one of line {opened}")
            opened, filled, found = number, False, True
        elif mark == END:
            if not opened:
                raise SourceError(path, number, "END SOLUTION without BEGIN SOLUTION")
            if not filled:
                raise SourceError(path, opened, "an empty solution region")
            opened = 0
        elif mark:
            filled = True
    if opened:
        raise SourceError(path, opened, "a solution region without END SOLUTION")
    if found and "task" not in cell.tags:
        raise SourceError(path, cell.line, 'a solution region outside a cell with tags=["task"]')
    if "task" in cell.tags and not found:
        raise SourceError(path, cell.line, "a task without a solution region")


def _check_ends(cell: Cell, path: Path) -> None:
    for number, line in enumerate(cell.lines, cell.line + 1):
        if "timeout" in line:
            continue
        found = _FOLLOWS.search(line)
        endless = _ENDLESS[found[1]] & set(found["rest"].split()) if found else set()
        if endless:
            raise SourceError(
                path, number, f"{endless.pop()} never ends here; say when: timeout 10 kubectl …, or lab.wait(…)"
            )
        if _ROLLOUT.search(line) and "--watch=false" not in line:
            raise SourceError(path, number, "rollout status waits for ever; give it --timeout=60s")


def _check_translations(cells: Sequence[Cell], path: Path) -> None:
    at = 0
    while at < len(cells):
        cell = cells[at]
        if cell.lang == "zh":
            raise SourceError(path, cell.line, "a Chinese cell without its English twin in front of it")
        if cell.lang == "en":
            twin = cells[at + 1] if at + 1 < len(cells) else None
            if twin is None or twin.lang != "zh":
                raise SourceError(path, cell.line, 'missing translation: the cell lang="zh" must follow this one')
            if ("solution" in cell.tags) != ("solution" in twin.tags):
                raise SourceError(path, twin.line, "both twins are tagged solution, or none is")
            at += 1
        at += 1
    for cell in cells:
        _check_comments(cell, path)


def _check_comments(cell: Cell, path: Path) -> None:
    if cell.kind != "code":
        return
    for number, line in enumerate(cell.lines):
        if _is_zh(line) and (number == 0 or not _is_comment(cell.lines[number - 1]) or _is_zh(cell.lines[number - 1])):
            raise SourceError(path, cell.line + number + 1, "a '# zh:' line without an English comment line above it")


def _check_tasks(cells: Sequence[Cell], path: Path) -> None:
    waiting: Cell | None = None
    seen: dict[str, int] = {}
    for cell in cells:
        if "task" in cell.tags:
            waiting = cell
        if "check" in cell.tags:
            waiting = None
            name = check_of(cell)
            if name in seen:
                raise SourceError(path, cell.line, f"{name} is checked twice (first in line {seen[name]})")
            seen[name] = cell.line
    if waiting is not None:
        raise SourceError(path, waiting.line, "a task without a check after it")


def _edition(cell: Cell, lang: str, *, solution: bool) -> Cell:
    lines = list(cell.lines)
    if cell.kind == "code":
        lines = _in_language(lines, lang)
        lines = [line for line in lines if line.strip() not in {BEGIN, END}] if solution else _stripped(lines)
    return Cell(cell.kind, cell.line, tuple(lines), cell.lang, cell.tags)


def _stripped(lines: Sequence[str]) -> list[str]:
    """Replace each region by the placeholder at its own indent."""
    found: list[str] = []
    inside = False
    for line in lines:
        mark = line.strip()
        if mark == BEGIN:
            inside = True
            found.append(line[: len(line) - len(line.lstrip())] + PLACEHOLDER)
        elif mark == END:
            inside = False
        elif not inside:
            found.append(line)
    return found


def _in_language(lines: Sequence[str], lang: str) -> list[str]:
    found: list[str] = []
    for line in lines:
        if not _is_zh(line):
            found.append(line)
        elif lang == "zh":
            indent = line[: len(line) - len(line.lstrip())]
            found[-1] = f"{indent}# {line.strip()[len('# zh:') :].strip()}"
    return found


def _is_zh(line: str) -> bool:
    return line.strip().startswith("# zh:")


def _is_comment(line: str) -> bool:
    mark = line.strip()
    return mark.startswith("# ") and mark not in {BEGIN, END}

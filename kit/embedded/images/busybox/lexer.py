"""From characters to tokens: operators, words with their quotes, here-documents."""

from __future__ import annotations

from collections.abc import Callable

from kit.embedded.images.busybox.syntax import (
    Arithmetic,
    HereDocument,
    Node,
    Parameter,
    Part,
    ProcessPipe,
    Substitution,
    SyntaxFailure,
    Text,
    Tilde,
    Word,
    word_of,
)
from kit.embedded.images.busybox.tokens import (
    DELIMITERS,
    ESCAPES,
    MAX_DEPTH,
    NAME,
    NAME_START,
    OPERATORS,
    SPECIAL,
    UNQUOTED_STOP,
    Token,
)


def _no_commands(lexer: Lexer, stop: str) -> Node | None:
    raise SyntaxFailure("no commands here", line=lexer.line)


class Lexer:
    """A cursor over a script. `commands` parses what stands in `$( )`; it is given by the parser."""

    def __init__(self, text: str, line: int = 1, depth: int = 0, *, partial: bool = False) -> None:
        self.text = text
        self.pos = 0
        self.line = line
        self.depth = depth
        self.partial = partial  # more input may come: a here-document that isn't closed is incomplete
        self.pending: list[HereDocument] = []
        self.commands: Callable[[Lexer, str], Node | None] = _no_commands

    # --- tokens ---

    def token(self) -> Token:
        """Return the next token; a newline token has read the here-documents that begin after it."""
        self._blanks()
        start = self.pos
        if start >= len(self.text):
            if self.pending:
                self._here_documents()
            return Token("eof", "", None, start, self.line)
        if self.text[start] == "\n":
            self.pos += 1
            line = self.line
            self.line += 1
            if self.pending:
                self._here_documents()
            return Token("newline", "\n", None, start, line)
        if self.text[start : start + 2] in ("<(", ">("):
            return self._word(start)
        for op in OPERATORS:
            if self.text.startswith(op, start):
                self.pos += len(op)
                return Token("op", op, None, start, self.line)
        return self._word(start)

    def _word(self, start: int) -> Token:
        line = self.line
        word = self.word()
        return Token("word", word.raw, word, start, line)

    def _blanks(self) -> None:
        text, size = self.text, len(self.text)
        while self.pos < size:
            char = text[self.pos]
            if char in " \t":
                self.pos += 1
            elif char == "\\" and text.startswith("\\\n", self.pos):
                self.pos += 2
                self.line += 1
            elif char == "#":
                end = text.find("\n", self.pos)
                self.pos = size if end < 0 else end
            else:
                return

    # --- words ---

    def word(self) -> Word:
        """Read one word from here."""
        start = self.pos
        parts: list[Part] = []
        if self.text.startswith("~", start):
            self._tilde(parts)
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char in "<>" and self.text.startswith("(", self.pos + 1) and self.pos == start:
                self.pos += 2
                parts.append(ProcessPipe(self._commands(")"), char == "<"))
            elif char in DELIMITERS:
                break
            else:
                self._piece(parts, char)
        return word_of(parts, self.text[start : self.pos])

    def _piece(self, parts: list[Part], char: str) -> None:
        """Read one unquoted piece: a quote, an expansion or a run of plain characters."""
        if char == "\\":
            self._backslash(parts)
        elif char == "'":
            parts.append(Text(self._until("'"), True))
        elif char == '"':
            self.pos += 1
            parts.extend(self._double('"'))
        elif char == "$":
            self._dollar(parts, quoted=False)
        elif char == "`":
            parts.append(self._backtick(quoted=False))
        else:
            end = self.pos
            while end < len(self.text) and self.text[end] not in UNQUOTED_STOP:
                end += 1
            end = max(end, self.pos + 1)
            parts.append(Text(self.text[self.pos : end]))
            self.pos = end

    def _backslash(self, parts: list[Part]) -> None:
        if self.pos + 1 >= len(self.text):
            self.pos += 1
            parts.append(Text("\\", True))
            return
        char = self.text[self.pos + 1]
        self.pos += 2
        if char == "\n":
            self.line += 1
        else:
            parts.append(Text(char, True))

    def _until(self, quote: str) -> str:
        end = self.text.find(quote, self.pos + 1)
        if end < 0:
            raise SyntaxFailure("unterminated quoted string", incomplete=True, line=self.line)
        found = self.text[self.pos + 1 : end]
        self.line += found.count("\n")
        self.pos = end + 1
        return found

    def _tilde(self, parts: list[Part]) -> None:
        end = self.pos + 1
        while end < len(self.text) and (self.text[end] in NAME or self.text[end] in "-."):
            end += 1
        if end >= len(self.text) or self.text[end] in DELIMITERS or self.text[end] in "/:":
            parts.append(Tilde(self.text[self.pos + 1 : end]))
            self.pos = end

    def _double(self, stop: str, *, here: bool = False) -> list[Part]:
        """Read what stands between double quotes, up to `stop` (which is passed) or, with "", to the end."""
        parts: list[Part] = [] if here else [Text("", True)]
        escapable = "$`\\\n" if here else '$`"\\\n'
        while True:
            if self.pos >= len(self.text):
                if not stop:
                    return parts
                raise SyntaxFailure("unterminated quoted string", incomplete=True, line=self.line)
            char = self.text[self.pos]
            if char == stop:
                self.pos += 1
                return parts
            if char == "\\" and self.pos + 1 < len(self.text) and self.text[self.pos + 1] in escapable:
                if self.text[self.pos + 1] == "\n":
                    self.line += 1
                else:
                    parts.append(Text(self.text[self.pos + 1], True))
                self.pos += 2
            elif char == "$":
                self._dollar(parts, quoted=True)
            elif char == "`":
                parts.append(self._backtick(quoted=True))
            else:
                parts.append(Text(self._plain(stop), True))

    def _plain(self, stop: str) -> str:
        end = self.pos + 1
        while end < len(self.text) and self.text[end] not in "\\$`" and self.text[end] != stop:
            end += 1
        found = self.text[self.pos : end]
        self.line += found.count("\n")
        self.pos = end
        return found

    # --- expansions ---

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text, after = self.text, self.pos + 1
        char = text[after] if after < len(text) else ""
        if text.startswith("((", after):
            end = self._arithmetic_end(after + 2)
            if end >= 0:
                inside = Lexer(text[after + 2 : end], self.line, self._deeper())
                inside.commands = self.commands
                parts.append(Arithmetic(word_of(inside._double("", here=True)), quoted))
                self.line += text.count("\n", after, end)
                self.pos = end + 2
                return
        if char == "(":
            self.pos = after + 1
            parts.append(Substitution(self._commands(")"), quoted))
        elif char == "{":
            self.pos = after + 1
            parts.append(self._braced(quoted))
        elif char in NAME_START and char:
            end = after
            while end < len(text) and text[end] in NAME:
                end += 1
            self.pos = end
            parts.append(Parameter(text[after:end], quoted=quoted))
        elif char and char in SPECIAL:
            self.pos = after + 1
            parts.append(Parameter(char, quoted=quoted))
        elif char == "'" and not quoted:
            self.pos = after + 1
            parts.append(Text(self._ansi(), True))
        else:
            self.pos = after
            parts.append(Text("$", True))

    def _deeper(self) -> int:
        if self.depth >= MAX_DEPTH:
            raise SyntaxFailure(f"nested deeper than {MAX_DEPTH} levels (not simulated)", line=self.line)
        return self.depth + 1

    def _commands(self, stop: str) -> Node | None:
        held, self.pending = self.pending, []
        depth, self.depth = self.depth, self._deeper()
        node = self.commands(self, stop)
        self.depth = depth
        self.pending = held
        return node

    def _arithmetic_end(self, start: int) -> int:
        """Return where the closing `))` of an arithmetic expansion stands, -1 when it is no such thing."""
        depth = 0
        for index in range(start, len(self.text)):
            char = self.text[index]
            if char == "(":
                depth += 1
            elif char == ")":
                if depth == 0:
                    return index if self.text.startswith("))", index) else -1
                depth -= 1
        raise SyntaxFailure('unexpected end of file (expecting "))")', incomplete=True, line=self.line)

    def _backtick(self, *, quoted: bool) -> Part:
        end = self.pos + 1
        inside: list[str] = []
        while end < len(self.text) and self.text[end] != "`":
            if self.text[end] == "\\" and end + 1 < len(self.text):
                following = self.text[end + 1]
                inside.append(following if following in "$`\\" or (quoted and following == '"') else "\\" + following)
                end += 2
            else:
                inside.append(self.text[end])
                end += 1
        if end >= len(self.text):
            raise SyntaxFailure("EOF in backquote substitution", incomplete=True, line=self.line)
        lexer = Lexer("".join(inside), self.line, self._deeper())
        lexer.commands = self.commands
        node = self.commands(lexer, "")
        self.line += self.text.count("\n", self.pos, end)
        self.pos = end + 1
        return Substitution(node, quoted)

    def _ansi(self) -> str:
        out: list[str] = []
        while self.pos < len(self.text) and self.text[self.pos] != "'":
            char = self.text[self.pos]
            self.pos += 1
            if char == "\\" and self.pos < len(self.text):
                escaped = self.text[self.pos]
                self.pos += 1
                out.append(ESCAPES.get(escaped, "\\" + escaped))
            else:
                out.append(char)
        if self.pos >= len(self.text):
            raise SyntaxFailure("unterminated quoted string", incomplete=True, line=self.line)
        self.pos += 1
        return "".join(out)

    # --- ${...} ---

    def _braced(self, quoted: bool) -> Part:
        text = self.text
        length = text.startswith("#", self.pos) and not text.startswith(("#}", "#-", "#:", "#+", "#?", "#="), self.pos)
        if length:
            self.pos += 1
        start = self.pos
        while self.pos < len(text) and text[self.pos] in NAME:
            self.pos += 1
        if self.pos == start and self.pos < len(text) and text[self.pos] in SPECIAL:
            self.pos += 1
        name = text[start : self.pos]
        if self.pos >= len(text):
            raise SyntaxFailure('unexpected end of file (expecting "}")', incomplete=True, line=self.line)
        if not name or (name[0].isdigit() and not name.isdigit()):
            raise SyntaxFailure("bad substitution", line=self.line)
        if text[self.pos] == "}":
            self.pos += 1
            return Parameter(name, "len" if length else "", quoted=quoted)
        if length:
            raise SyntaxFailure("bad substitution", line=self.line)
        return self._operator(name, quoted)

    def _operator(self, name: str, quoted: bool) -> Part:
        for op in (":-", ":=", ":?", ":+", "##", "%%", "//", "-", "=", "?", "+", "#", "%", "/", ":"):
            if self.text.startswith(op, self.pos):
                break
        else:
            raise SyntaxFailure("bad substitution", line=self.line)
        self.pos += len(op)
        if op in ("/", "//"):
            pattern = self._braced_word("/}", quoted=False)
            other = None
            if self.text[self.pos - 1] == "/":
                other = self._braced_word("}", quoted=quoted)
            return Parameter(name, op, pattern, other, quoted)
        if op == ":":
            offset = self._braced_word(":}", quoted=True)
            other = self._braced_word("}", quoted=True) if self.text[self.pos - 1] == ":" else None
            return Parameter(name, op, offset, other, quoted)
        pattern_op = op in ("#", "##", "%", "%%")
        return Parameter(name, op, self._braced_word("}", quoted=quoted and not pattern_op), None, quoted)

    def _braced_word(self, stops: str, *, quoted: bool) -> Word:
        """Read a word inside `${ }` up to one of `stops`, which is passed."""
        parts: list[Part] = [Text("", True)] if quoted else []
        start = self.pos
        if not quoted and self.text.startswith("~", start):
            self._tilde(parts)
        while self.pos < len(self.text):
            char = self.text[self.pos]
            if char in stops:
                raw = self.text[start : self.pos]
                self.pos += 1
                return word_of(parts, raw)
            if char == "\n":
                self.line += 1
            if char in "\\$`" or char == '"' or (char == "'" and not quoted):
                if char == "$":
                    self._dollar(parts, quoted=quoted)
                elif char == "`":
                    parts.append(self._backtick(quoted=quoted))
                else:
                    self._piece(parts, char)
            else:
                parts.append(Text(char, quoted))
                self.pos += 1
        raise SyntaxFailure('unexpected end of file (expecting "}")', incomplete=True, line=self.line)

    # --- here-documents ---

    def _here_documents(self) -> None:
        pending, self.pending = self.pending, []
        for document in pending:
            lines: list[str] = []
            closed = False
            while self.pos < len(self.text):
                end = self.text.find("\n", self.pos)
                line = self.text[self.pos :] if end < 0 else self.text[self.pos : end]
                self.pos = len(self.text) if end < 0 else end + 1
                self.line += 1
                line = line.lstrip("\t") if document.strip else line
                if line == document.delimiter:
                    closed = True
                    break
                lines.append(line + "\n")
            if not closed and self.partial:
                raise SyntaxFailure("unterminated here-document", incomplete=True, line=self.line)
            body = "".join(lines)
            if document.quoted:
                made = word_of([Text(body, True)])
            else:
                inner = Lexer(body, self.line, self._deeper())
                inner.commands = self.commands
                made = word_of(inner._double("", here=True))
            document.word.parts, document.word.literal = made.parts, made.literal

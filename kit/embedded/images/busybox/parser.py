"""From tokens to the syntax tree: the grammar of POSIX `sh` with the few extensions that ash has."""

from __future__ import annotations

from collections.abc import Mapping

from kit.embedded.images.busybox.assignment import assignment_of, may_name
from kit.embedded.images.busybox.lexer import Lexer
from kit.embedded.images.busybox.syntax import (
    AndOr,
    Assignment,
    Background,
    Case,
    For,
    Function,
    HereDocument,
    If,
    Loop,
    Node,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    SyntaxFailure,
    Text,
    Word,
)
from kit.embedded.images.busybox.tokens import MAX_DEPTH, Token

REDIRECTS = frozenset(("<", ">", ">>", ">|", "<>", "<&", ">&", "<<", "<<-", "&>"))
RESERVED = frozenset(
    (
        "!",
        "case",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "fi",
        "for",
        "function",
        "if",
        "then",
        "until",
        "while",
        "{",
        "}",
    )
)
CLOSERS = frozenset(("do", "done", "elif", "else", "esac", "fi", "then", "}"))
DEFAULT_FD = {"<": 0, "<>": 0, "<&": 0, "<<": 0, "<<-": 0}


class Parser:
    """Parses complete commands, one line at a time; `aliases` are replaced in command position."""

    def __init__(self, lexer: Lexer, aliases: Mapping[str, str] | None = None) -> None:
        self.lexer = lexer
        self.aliases = aliases or {}
        self.ahead: Token | None = None
        self.expanding: dict[str, int] = {}
        lexer.commands = self._nested

    def command(self) -> Node | None:
        """Return the next complete command (up to its newline), None at the end of the input."""
        while self._peek().kind == "newline":
            self._take()
        if self._peek().kind == "eof":
            return None
        node = self._list(until_newline=True)
        token = self._peek()
        if token.kind == "newline":
            self._take()
        elif token.kind != "eof":
            raise self._unexpected(token)
        return node

    def at_end(self) -> bool:
        """Say whether nothing but blank lines follows."""
        done = self.ahead is None or self.ahead.kind == "eof"
        return done and not self.lexer.text[self.lexer.pos :].strip()

    def _nested(self, lexer: Lexer, stop: str) -> Node | None:
        """Parse the commands of a substitution up to `stop`, "" meaning the end of the text."""
        inner = Parser(lexer, self.aliases)
        node = inner._list(empty=True)
        token = inner._take()
        if stop and not (token.kind == "op" and token.text == stop):
            raise inner._unexpected(token, stop)
        if not stop and token.kind != "eof":
            raise inner._unexpected(token)
        return node

    # --- tokens ---

    def _peek(self) -> Token:
        if self.ahead is None:
            self.ahead = self.lexer.token()
        return self.ahead

    def _take(self) -> Token:
        token, self.ahead = self._peek(), None
        return token

    def _is(self, kind: str, text: str) -> bool:
        token = self._peek()
        return token.kind == kind and token.text == text

    def _keyword(self) -> str:
        """Return the reserved word that comes next, or ""."""
        token = self._peek()
        return token.text if token.kind == "word" and token.text in RESERVED else ""

    def _expect(self, text: str) -> None:
        token = self._peek()
        if token.text != text or token.kind not in ("word", "op"):
            raise self._unexpected(token, text)
        self._take()

    def _newlines(self) -> None:
        while self._peek().kind == "newline":
            self._take()

    def _unexpected(self, token: Token, wanted: str = "") -> SyntaxFailure:
        names = {"eof": "end of file", "newline": "newline"}
        what = names.get(token.kind) or (f'"{token.text}"' if token.kind == "op" or token.text in RESERVED else "word")
        expecting = f' (expecting "{wanted}")' if wanted else ""
        return SyntaxFailure(f"unexpected {what}{expecting}", incomplete=token.kind == "eof", line=token.line)

    # --- lists ---

    def _list(self, *, until_newline: bool = False, empty: bool = False) -> Node:
        """Parse a list up to a closing word or operator, or (at the top) to the end of the line."""
        self.lexer.depth += 1
        if self.lexer.depth > MAX_DEPTH:
            raise SyntaxFailure(f"nested deeper than {MAX_DEPTH} levels (not simulated)", line=self.lexer.line)
        found: list[Node] = []
        while True:
            if not until_newline:
                self._newlines()
            token = self._peek()
            if token.kind in ("eof", "newline") or self._keyword() in CLOSERS or self._is("op", ")"):
                break
            if self._is("op", ";;"):
                break
            node = self._and_or()
            if self._is("op", "&"):
                self._take()
                node = Background(node)
                found.append(node)
            elif self._is("op", ";"):
                self._take()
                found.append(node)
            else:
                found.append(node)
                if self._peek().kind != "newline":
                    break
        self.lexer.depth -= 1
        if not found and not empty:
            raise self._unexpected(self._peek())
        return found[0] if len(found) == 1 else Sequence(tuple(found))

    def _and_or(self) -> Node:
        first = self._pipeline()
        rest: list[tuple[str, Node]] = []
        while self._is("op", "&&") or self._is("op", "||"):
            op = self._take().text
            self._newlines()
            rest.append((op, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Node:
        negated = False
        while self._keyword() == "!":
            self._take()
            negated = not negated
        commands = [self._command()]
        while self._is("op", "|"):
            self._take()
            self._newlines()
            commands.append(self._command())
        return commands[0] if len(commands) == 1 and not negated else Pipeline(tuple(commands), negated)

    # --- commands ---

    def _command(self) -> Node:
        self._alias()
        keyword = self._keyword()
        compound = {"if": self._if, "while": self._loop, "until": self._loop, "for": self._for, "case": self._case,
                    "{": self._group, "function": self._function}  # fmt: skip
        if keyword in compound:
            node = compound[keyword]()
            return node if isinstance(node, Function) else self._redirected(node)
        if self._is("op", "("):
            self._take()
            body = self._list()
            self._expect(")")
            return self._redirected(Subshell(body))
        token = self._peek()
        if keyword or (token.kind == "op" and token.text not in REDIRECTS) or token.kind in ("eof", "newline"):
            raise self._unexpected(token)
        return self._simple()

    def _alias(self) -> None:
        """Replace an alias in command position by its text (not within itself)."""
        token = self._peek()
        while token.kind == "word" and token.text in self.aliases and self.expanding.get(token.text, -1) < token.start:
            value = self.aliases[token.text]
            rest = self.lexer.text[self.lexer.pos :]
            self.lexer.text = self.lexer.text[: token.start] + value + rest
            self.lexer.pos = token.start
            self.expanding[token.text] = token.start + len(value)
            self.ahead = None
            token = self._peek()

    def _redirected(self, body: Node) -> Node:
        redirects: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
        return Redirected(body, tuple(redirects)) if redirects else body

    def _redirect(self) -> Redirect | None:
        token = self._peek()
        fd: int | None = None
        text = self.lexer.text
        if token.kind == "word" and token.text.isdigit() and text[self.lexer.pos : self.lexer.pos + 1] in ("<", ">"):
            fd = int(token.text)
            self._take()
            token = self._peek()
        if token.kind != "op" or token.text not in REDIRECTS:
            return None
        op = self._take().text
        target = self._take()
        if target.kind != "word" or target.word is None:
            raise self._unexpected(target)
        if op in ("<<", "<<-"):
            return Redirect(fd if fd is not None else 0, op, self._here(target.word, op))
        return Redirect(fd if fd is not None else DEFAULT_FD.get(op, 1), op, target.word)

    def _here(self, word: Word, op: str) -> Word:
        delimiter = "".join(part.text if isinstance(part, Text) else word.raw for part in word.parts)
        quoted = any(isinstance(part, Text) and part.quoted for part in word.parts)
        document = HereDocument(delimiter, op == "<<-", quoted)
        self.lexer.pending.append(document)
        return document.word

    def _simple(self) -> Node:
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self._peek().line
        while True:
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            token = self._peek()
            if token.kind != "word" or token.word is None:
                break
            self._take()
            assignment = None if words else assignment_of(token.word)
            if assignment is not None:
                assignments.append(assignment)
                continue
            words.append(token.word)
            if len(words) == 1 and not assignments and not redirects and self._is("op", "("):
                return self._definition(token)
        if not (assignments or words or redirects):
            raise self._unexpected(self._peek())
        literals = tuple(word.literal or "" for word in words)
        fixed = literals if all(word.literal is not None for word in words) else None
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line, fixed)

    def _definition(self, token: Token) -> Node:
        self._take()
        self._expect(")")
        if not may_name(token.text, extra="-."):
            raise SyntaxFailure("bad function name", line=token.line)
        self._newlines()
        return Function(token.text, self._body())

    def _body(self) -> Node:
        if not (self._is("op", "(") or self._keyword() in ("{", "if", "while", "until", "for", "case")):
            raise self._unexpected(self._peek(), "{")
        return self._command()

    # --- compound commands ---

    def _function(self) -> Node:
        self._take()
        token = self._take()
        if token.kind != "word" or not may_name(token.text, extra="-."):
            raise SyntaxFailure("bad function name", line=token.line)
        if self._is("op", "("):
            self._take()
            self._expect(")")
        self._newlines()
        return Function(token.text, self._body())

    def _group(self) -> Node:
        self._take()
        body = self._list()
        self._expect("}")
        return body

    def _if(self) -> Node:
        branches: list[tuple[Node, Node]] = []
        while True:
            self._take()
            condition = self._list()
            self._expect("then")
            branches.append((condition, self._list()))
            if self._keyword() != "elif":
                break
        otherwise = None
        if self._keyword() == "else":
            self._take()
            otherwise = self._list()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _loop(self) -> Node:
        until = self._take().text == "until"
        condition = self._list()
        return Loop(condition, self._do(), until)

    def _do(self) -> Node:
        self._expect("do")
        body = self._list()
        self._expect("done")
        return body

    def _for(self) -> Node:
        self._take()
        name = self._take()
        if name.kind != "word" or not may_name(name.text):
            raise SyntaxFailure("bad for loop variable", line=name.line)
        self._newlines()
        words: list[Word] | None = None
        if self._is("word", "in"):
            self._take()
            words = []
            while self._peek().kind == "word":
                words.append(self._take().word or Word(()))
            if not (self._is("op", ";") or self._peek().kind == "newline"):
                raise self._unexpected(self._peek())
            self._take()
        elif self._is("op", ";"):
            self._take()
        self._newlines()
        return For(name.text, None if words is None else tuple(words), self._do())

    def _case(self) -> Node:
        self._take()
        word = self._take().word
        if word is None:
            raise SyntaxFailure("unexpected end of file", incomplete=True, line=self.lexer.line)
        self._newlines()
        self._expect("in")
        items: list[tuple[tuple[Word, ...], Node | None]] = []
        self._newlines()
        while self._keyword() != "esac":
            items.append(self._case_item())
            self._newlines()
        self._take()
        return Case(word, tuple(items))

    def _case_item(self) -> tuple[tuple[Word, ...], Node | None]:
        if self._is("op", "("):
            self._take()
        patterns: list[Word] = []
        while True:
            token = self._take()
            if token.kind != "word" or token.word is None:
                raise self._unexpected(token)
            patterns.append(token.word)
            if not self._is("op", "|"):
                break
            self._take()
        self._expect(")")
        body = self._list(empty=True)
        self._newlines()
        if self._keyword() != "esac":
            self._expect(";;")
        return tuple(patterns), body

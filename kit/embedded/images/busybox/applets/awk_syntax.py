"""The grammar of the `awk` subset; a program is a tree of tuples."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.busybox.applets.awk_tokens import ASSIGN, COMPARE, MAX_DEPTH, Tokens, refuse, unexpected
from kit.embedded.images.busybox.applets.command import Fail
from kit.embedded.images.busybox.regex import RegexFailure, compile_extended

Node = tuple[Any, ...]


class Parser:
    """Recursive descent over the tokens; `rules` are (pattern, end of range, body)."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text).found
        self.pos = 0
        self.depth = 0
        self.in_print = False

    def rules(self) -> list[tuple[Any, Any, Any]]:
        """Return the program's rules."""
        found: list[tuple[Any, Any, Any]] = []
        self._skip()
        while self._peek()[0] != "eof":
            pattern: Any = None
            end: Any = None
            if self._is("word", "BEGIN") or self._is("word", "END"):
                pattern = self._next()[1]
            elif not self._is("op", "{"):
                pattern = self.expression()
                if self._accept(","):
                    end = self.expression()
            body = self._block() if self._is("op", "{") else None
            if body is None and pattern in ("BEGIN", "END"):
                raise self._error()
            found.append((pattern, end, body))
            self._skip()
        return found

    # --- tokens ---

    def _peek(self) -> tuple[str, str, int]:
        return self.tokens[self.pos]

    def _next(self) -> tuple[str, str, int]:
        token = self.tokens[self.pos]
        self.pos += token[0] != "eof"
        return token

    def _is(self, kind: str, text: str) -> bool:
        token = self.tokens[self.pos]
        return token[0] == kind and token[1] == text

    def _accept(self, text: str) -> bool:
        if self._is("op", text):
            self.pos += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._error()

    def _error(self) -> Fail:
        return unexpected(self._peek()[2])

    def _skip(self) -> None:
        while self._is("op", "\n") or self._is("op", ";"):
            self.pos += 1

    def _newlines(self) -> None:
        while self._is("op", "\n"):
            self.pos += 1

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise refuse(self._peek()[2], "deeper nesting")

    # --- statements ---

    def _block(self) -> Node:
        self._expect("{")
        body: list[Node] = []
        self._skip()
        while not self._is("op", "}"):
            body.append(self._statement())
            self._skip()
        self.pos += 1
        return ("block", body)

    def _statement(self) -> Node:
        self._deeper()
        try:
            return self._inner_statement()
        finally:
            self.depth -= 1

    def _inner_statement(self) -> Node:
        if self._is("op", "{"):
            return self._block()
        kind, text, _ = self._peek()
        if kind == "word":
            compound = {"if": self._if, "while": self._while, "do": self._do, "for": self._for}
            if text in compound:
                self.pos += 1
                return compound[text]()
        if self._accept(";"):
            return ("block", [])
        node = self._simple()
        self._end()
        return node

    def _end(self) -> None:
        if not (self._is("op", "}") or self._peek()[0] == "eof" or self._accept(";") or self._accept("\n")):
            raise self._error()

    def _simple(self) -> Node:
        kind, text, _ = self._peek()
        if kind != "word":
            return ("expr", self.expression())
        self.pos += 1
        if text in ("print", "printf"):
            return self._print(text)
        if text in ("next", "break", "continue"):
            return (text,)
        if text == "exit":
            done = self._is("op", ";") or self._is("op", "\n") or self._is("op", "}")
            return ("exit", None if done else self.expression())
        if text == "delete":
            name = self._next()
            keys = None
            if self._accept("["):
                keys = self._list("]")
            return ("delete", name[1], keys)
        self.pos -= 1
        raise self._error()

    def _print(self, what: str) -> Node:
        values: list[Node] = []
        self.in_print = True
        ends = (";", "\n", "}", ">", ">>", "|")
        if not (self._peek()[0] == "op" and self._peek()[1] in ends):
            values.append(self.expression())
            if values[0][0] == "group" and not self._is("op", ","):
                values = list(values[0][1])
            while self._accept(","):
                values.append(self.expression())
        self.in_print = False
        target = None
        if self._is("op", "|"):
            raise refuse(self._peek()[2], "print to a command")
        if self._is("op", ">") or self._is("op", ">>"):
            mode = self._next()[1]
            target = (mode, self._concatenation())
        if what == "printf" and not values:
            raise self._error()
        return (what, values, target)

    def _condition(self) -> Node:
        self._expect("(")
        condition = self.expression()
        self._expect(")")
        self._newlines()
        return condition

    def _if(self) -> Node:
        condition = self._condition()
        yes = self._statement()
        held = self.pos
        self._skip()
        if self._is("word", "else"):
            self.pos += 1
            self._newlines()
            return ("if", condition, yes, self._statement())
        self.pos = held
        return ("if", condition, yes, None)

    def _while(self) -> Node:
        return ("while", self._condition(), self._statement())

    def _do(self) -> Node:
        self._newlines()
        body = self._statement()
        self._skip()
        if not self._is("word", "while"):
            raise self._error()
        self.pos += 1
        condition = self._condition()
        return ("do", condition, body)

    def _for(self) -> Node:
        self._expect("(")
        names = self.tokens[self.pos : self.pos + 4]
        shape = [(token[0], token[1]) for token in names]
        if shape[0][0] == "name" and shape[1] == ("word", "in") and shape[2][0] == "name" and shape[3] == ("op", ")"):
            self.pos += 4
            self._newlines()
            return ("forin", shape[0][1], shape[2][1], self._statement())
        first = None if self._is("op", ";") else self._simple()
        self._expect(";")
        condition = None if self._is("op", ";") else self.expression()
        self._expect(";")
        step = None if self._is("op", ")") else self._simple()
        self._expect(")")
        self._newlines()
        return ("for", first, condition, step, self._statement())

    # --- expressions ---

    def _list(self, close: str) -> list[Node]:
        held, self.in_print = self.in_print, False
        values: list[Node] = []
        while not self._accept(close):
            if values:
                self._expect(",")
                self._newlines()
            values.append(self.expression())
        self.in_print = held
        return values

    def expression(self) -> Node:
        """Parse an expression."""
        self._deeper()
        try:
            return self._assignment()
        finally:
            self.depth -= 1

    def _assignment(self) -> Node:
        left = self._ternary()
        if self._peek()[0] == "op" and self._peek()[1] in ASSIGN and left[0] in ("var", "field", "index"):
            op = self._next()[1]
            self._newlines()
            return ("assign", op[:-1], left, self.expression())
        return left

    def _ternary(self) -> Node:
        condition = self._or()
        if not self._accept("?"):
            return condition
        self._newlines()
        yes = self.expression()
        self._newlines()
        self._expect(":")
        self._newlines()
        return ("?", condition, yes, self.expression())

    def _or(self) -> Node:
        left = self._and()
        while self._accept("||"):
            self._newlines()
            left = ("||", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._in()
        while self._accept("&&"):
            self._newlines()
            left = ("&&", left, self._in())
        return left

    def _in(self) -> Node:
        left = self._match()
        while self._is("word", "in"):
            self.pos += 1
            keys = list(left[1]) if left[0] == "group" else [left]
            left = ("in", keys, self._next()[1])
        return left

    def _match(self) -> Node:
        left = self._comparison()
        while self._is("op", "~") or self._is("op", "!~"):
            op = self._next()[1]
            left = ("match", op == "!~", left, self._comparison())
        return left

    def _comparison(self) -> Node:
        left = self._concatenation()
        token = self._peek()
        if token[0] == "op" and token[1] in COMPARE and not (self.in_print and token[1] == ">"):
            self.pos += 1
            return ("compare", token[1], left, self._concatenation())
        return left

    def _concatenation(self) -> Node:
        left = self._additive()
        while self._starts_value():
            left = ("concat", left, self._additive())
        return left

    def _starts_value(self) -> bool:
        kind, text, _ = self._peek()
        return kind in ("num", "str", "name", "func", "re") or (kind == "op" and text in ("(", "$", "!", "++", "--"))

    def _additive(self) -> Node:
        left = self._term()
        while self._is("op", "+") or self._is("op", "-"):
            left = ("math", self._next()[1], left, self._term())
        return left

    def _term(self) -> Node:
        left = self._unary()
        while self._peek()[0] == "op" and self._peek()[1] in ("*", "/", "%"):
            left = ("math", self._next()[1], left, self._unary())
        return left

    def _unary(self) -> Node:
        self._deeper()
        try:
            for op in ("!", "-", "+"):
                if self._accept(op):
                    return ("unary", op, self._unary())
            left = self._postfix()
            if self._accept("^"):
                return ("math", "^", left, self._unary())
            return left
        finally:
            self.depth -= 1

    def _postfix(self) -> Node:
        node = self._primary()
        if node[0] in ("var", "field", "index"):
            for op, step in (("++", 1), ("--", -1)):
                if self._accept(op):
                    return ("step", step, True, node)
        return node

    def _primary(self) -> Node:
        kind, text, line = self._next()
        if kind == "num":
            return ("const", float(text) if text.count(".") < 2 else 0.0)
        if kind == "str":
            return ("const", text)
        if kind == "re":
            return ("re", self._regex(text, line))
        if kind == "func":
            return self._call(text)
        if kind == "name":
            return ("index", text, self._list("]")) if self._accept("[") else ("var", text)
        if kind == "op" and text == "(":
            held = self._list(")")
            if not held:
                raise self._error()
            return ("group", held)
        if kind == "op" and text == "$":
            return ("field", self._field())
        if kind == "op" and text in ("++", "--"):
            target = self._primary()
            if target[0] not in ("var", "field", "index"):
                raise unexpected(line)
            return ("step", 1 if text == "++" else -1, False, target)
        raise unexpected(line)

    def _field(self) -> Node:
        self._deeper()
        try:
            if self._accept("-"):
                return ("unary", "-", self._primary())
            return self._primary()
        finally:
            self.depth -= 1

    def _call(self, name: str) -> Node:
        if self._accept("("):
            return ("call", name, self._list(")"))
        if name == "length":
            return ("call", name, [])
        raise self._error()

    def _regex(self, text: str, line: int) -> Any:
        try:
            return compile_extended(text)
        except RegexFailure as error:
            raise Fail(f"cmd. line:{line}: bad regex '{text}': {error}") from None

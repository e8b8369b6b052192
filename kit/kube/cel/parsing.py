"""Expressions read into trees; what can't be read is said in the words of cel-go's parser.

Models cel-go/parser/{parser,helper}.go and gen/CEL.g4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kit.kube.cel.lexing import END, Token, bytes_of, text_of, tokens
from kit.kube.cel.macros import MACROS, MacroError
from kit.kube.cel.names import KEYWORDS, RESERVED
from kit.kube.cel.numbers import Uint
from kit.kube.cel.tree import Call, Const, Entries, Entry, Items, Message, Name, Node, Select, dotted

EXPECTED: Final = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
MAX_DEPTH: Final = 120
MAX_LENGTH: Final = 16 * 1024
TOO_DEEP: Final = "expression recursion limit exceeded: 250"
_MORE: Final = {
    ("(", True): ("'(', ", "'(', ')', "),
    ("[", True): ("'!', ", "'!', '?', "),
    ("{", False): ("'(', '.', '-', '!', ", "'}', '(', '.', ',', '-', '!', '?', "),
}
_STARTS: Final = frozenset({"[", "{", "(", ".", "-", "!"})
_LITERALS: Final = frozenset({"BOOL", "NULL", "FLOAT", "INT", "UINT", "STRING", "BYTES", "WORD"})
_LEVELS: Final = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 1),
    "in": 1,
    **dict.fromkeys(("+", "-"), 2),
    **dict.fromkeys(("*", "/", "%"), 3),
}
_INT: Final = (-(2**63), 2**63)


def located(text: str, place: int, message: str) -> str:
    """Return an error with the line it is about and a mark below the place."""
    before = text[:place]
    line, column = before.count("\n"), place - (before.rfind("\n") + 1)
    source = text.split("\n")[line] if text else ""
    return f"ERROR: <input>:{line + 1}:{column + 1}: {message}\n | {source}\n | {'.' * column}^"


class SyntaxFault(ValueError):
    """A text that is no expression."""


def parse(text: str) -> Node:
    """Return the tree of an expression; raise SyntaxFault."""
    if len(text) > MAX_LENGTH or _nesting(text) > MAX_DEPTH:
        raise SyntaxFault(located(text[:80].split("\n", maxsplit=1)[0], 0, TOO_DEEP))
    parser = _Parser(text)
    try:
        tree = parser.whole()
    except _Stop:
        tree = Name(0, "")
    if parser.wrong:
        raise SyntaxFault("\n".join(located(text, *one) for one in sorted(parser.wrong, key=lambda one: one[0])))
    return tree


def _nesting(text: str) -> int:
    """Return how deeply brackets and signs are nested: parser and evaluator recurse."""
    depth = most = run = 0
    for char in text:
        run = run + 1 if char in "!-" else 0
        depth += (char in "([{?") - (char in ")]}")
        most = max(most, depth, run)
    return most


class _Stop(Exception):
    """Nothing more can be read."""


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens, self.wrong = tokens(text)
        self.at = 0
        self._lost = False  # after an error nothing more is said before a token is taken

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def _is(self, *signs: str) -> bool:
        return self.next.kind == "SIGN" and self.next.text in signs

    def _take(self) -> Token:
        token = self.next
        self.at += token.kind != "END"
        self._lost = False
        return token

    def _next_but(self) -> Token:
        """Take two tokens; return the second."""
        self._take()
        return self._take()

    def _say(self, place: int, message: str) -> None:
        if not self._lost:
            self.wrong.append((place, message))

    def _want(self, sign: str, *, listed: str = "") -> None:
        """Take a sign, or say that it is not there: too much before it, left out, or something else altogether."""
        token = self.next
        if self._is(sign):
            self._take()
        elif token.kind != "END" and self.tokens[self.at + 1].text == sign:
            self._say(token.place, f"Syntax error: extraneous input '{token.text}' expecting {listed or repr(sign)}")
            self._take()
            self._take()
        elif not listed and _starts(token) == (sign == ":"):
            self._say(token.place, f"Syntax error: missing '{sign}' at '{token.text}'")
        else:
            self._say(token.place, f"Syntax error: mismatched input '{token.text}' expecting {listed or repr(sign)}")
            raise _Stop

    def whole(self) -> Node:
        tree = self.expression()
        token = self.next
        if token.kind != "END":
            alone = self.tokens[self.at + 1].kind == "END"
            kind = "extraneous" if alone else "mismatched"
            self._say(token.place, f"Syntax error: {kind} input '{token.text}' expecting {END}")
        return tree

    def expression(self) -> Node:
        condition = self._logical("||")
        if not self._is("?"):
            return condition
        place = self._take().place
        one = self._logical("||")
        self._want(":")
        return Call(place, "_?_:_", None, [condition, one, self.expression()])

    def _logical(self, sign: str) -> Node:
        inner: Callable[[], Node] = (lambda: self._logical("&&")) if sign == "||" else (lambda: self._binary(1))
        parts, places = [inner()], list[int]()
        while self._is(sign):
            places.append(self._take().place)
            parts.append(inner())
        return _balanced(f"_{sign}_", parts, places)

    def _binary(self, level: int) -> Node:
        left = self._unary()
        while (found := _LEVELS.get(self.next.text, 0) if self.next.kind == "SIGN" else 0) >= level:
            token = self._take()
            right = self._binary(found + 1)
            left = Call(token.place, "@in" if token.text == "in" else f"_{token.text}_", None, [left, right])
        return left

    def _unary(self) -> Node:
        if not self._is("!", "-"):
            return self._member(self._primary())
        first = self._take()
        count = 1
        while self._is(first.text):
            self._take()
            count += 1
        if first.text == "-" and count == 1 and self.next.kind in {"INT", "FLOAT"}:
            return self._member(self._number(self._take(), first))
        minus = first.text == "!" and self._is("-") and self.tokens[self.at + 1].kind in {"INT", "FLOAT"}
        operand = self._number(self._next_but(), self.tokens[self.at - 2]) if minus else self._primary()
        inner = self._member(operand)
        return Call(first.place, f"{first.text}_", None, [inner]) if count % 2 else inner

    # --- fields, items, calls ---

    def _member(self, node: Node) -> Node:
        while self._is(".", "[", "{"):
            if self._is("{"):
                name = dotted(node)
                if not name:
                    return node
                place = self._take().place
                node = Message(place, name, self._entries("}", named=True))
            elif self._is("["):
                node = self._item(node)
            else:
                node = self._field(node)
        return node

    def _item(self, node: Node) -> Node:
        place = self._take().place
        optional = self._optional()
        index = self.expression()
        self._want("]")
        return Call(place, "_[?_]" if optional else "_[_]", None, [node, index])

    def _optional(self) -> bool:
        return self._is("?") and self._take() is not None

    def _field(self, node: Node) -> Node:
        place = self._take().place
        optional = self._optional()
        token = self.next
        if token.kind not in {"WORD", "ESCAPED"}:
            shown = "" if token.kind == "END" else token.text
            wrong = f"no viable alternative at input '.{'?' if optional else ''}{shown}'"
            wrong = f"mismatched input '{shown}' expecting IDENTIFIER" if token.kind in {"BOOL", "NULL"} else wrong
            self._say(token.place, f"Syntax error: {wrong}")
            raise _Stop
        self._take()
        name = token.text.strip("`")
        if optional:
            return Call(place, "_?._", None, [node, Const(token.place, name)])
        if self._is("(") and token.kind == "WORD":
            return self._call(name, node)
        return Select(place, node, name)

    def _call(self, name: str, target: Node | None) -> Node:
        place = self._take().place
        arguments = self._list(")")
        macro = MACROS.get((name, len(arguments), target is not None))
        if macro is not None:
            try:
                return macro(place, target or Name(place, ""), arguments)
            except MacroError as error:
                self._say(error.place, error.message)
                return Name(place, name)
        return Call(place, name, target, arguments)

    def _list(self, end: str) -> list[Node]:
        out: list[Node] = []
        if self._is(end):
            self._take()
            return out
        out.append(self.expression())
        while self._is(","):
            self._take()
            out.append(self.expression())
        self._want(end)
        return out

    # --- what an expression starts with ---

    def _primary(self) -> Node:
        token = self.next
        if token.kind == "WORD":
            return self._name(self._take(), "")
        if token.kind in _LITERALS:
            return self._literal(self._take())
        if token.kind == "SIGN" and token.text in _STARTS - {"-", "!"}:
            return _BRACKETS[token.text](self, self._take())
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        spare = token.kind != "END" and _starts(following)
        kind = "extraneous" if spare else "mismatched"
        self._say(token.place, f"Syntax error: {kind} input '{token.text}' expecting {self._expected()}")
        if spare:
            self._take()
            return self._unary()
        self._lost = True
        return Name(token.place, "")

    def _expected(self) -> str:
        """Return what could stand here: more behind some brackets."""
        opened = self.tokens[self.at - 1].text if self.at else ""
        called = self.at > 1 and self.tokens[self.at - 2].kind == "WORD"
        for (bracket, after_name), (before, more) in _MORE.items():
            if opened == bracket and called == after_name:
                return EXPECTED.replace(before, more)
        return EXPECTED

    def _name(self, token: Token, dot: str) -> Node:
        if token.text in RESERVED and token.text not in KEYWORDS:
            self._say(token.place, f"reserved identifier: {token.text}")
        if self._is("("):
            return self._call(dot + token.text, None)
        return Name(token.place, dot + token.text)

    def _rooted(self, _: Token) -> Node:
        if self.next.kind != "WORD":
            self._say(self.next.place, f"Syntax error: mismatched input '{self.next.text}' expecting IDENTIFIER")
            raise _Stop
        return self._name(self._take(), ".")

    def _nested(self, _: Token) -> Node:
        inner = self.expression()
        self._want(")")
        return inner

    def _items(self, token: Token) -> Node:
        items: list[Node] = []
        optional: set[int] = set()
        while not self._is("]"):
            if self._is(",") and not items and self.tokens[self.at + 1].text == "]":
                self._take()
                break
            if self._optional():
                optional.add(len(items))
            items.append(self.expression())
            if not self._is(","):
                break
            self._take()
        self._want("]", listed="{']', ','}")
        return Items(token.place, items, frozenset(optional))

    def _map(self, token: Token) -> Node:
        return Entries(token.place, self._entries("}", named=False))

    def _entries(self, end: str, *, named: bool) -> list[Entry]:
        out: list[Entry] = []
        while not self._is(end):
            if self._is(",") and not out and self.tokens[self.at + 1].text == end:
                self._take()
                break
            optional = self._optional()
            key: Node | str = self._take().text if named else self.expression()
            colon = self.next.place
            self._want(":")
            out.append(Entry(key, self.expression(), optional, colon))
            if not self._is(","):
                break
            self._take()
        self._want(end, listed="{'}', ','}")
        return out

    # --- literals ---

    def _literal(self, token: Token) -> Node:
        if token.kind in {"INT", "UINT", "FLOAT"}:
            return self._number(token, None)
        if token.kind in {"BOOL", "NULL"}:
            return Const(token.place, {"true": True, "false": False, "null": None}[token.text])
        try:
            return Const(token.place, text_of(token.text) if token.kind == "STRING" else bytes_of(token.text))
        except ValueError:
            wrong = "invalid unicode code point" if token.kind == "STRING" else "unable to unescape string"
            self._say(token.place, wrong)
            return Const(token.place, "")

    def _number(self, token: Token, minus: Token | None) -> Node:
        place = minus.place if minus else token.place
        sign = -1 if minus else 1
        if token.kind == "FLOAT":
            value: float = sign * float(token.text)
            good = abs(value) != float("inf")
        else:
            digits = token.text.rstrip("uU") if token.kind == "UINT" else token.text
            number = sign * int(digits, 16 if digits[:2] == "0x" else 10) if len(digits) < 40 else 2**70
            good = 0 <= number < 2**64 if token.kind == "UINT" else _INT[0] <= number < _INT[1]
            value = Uint(number) if token.kind == "UINT" and good else number
        if not good:
            self._say(place, f"invalid {_NUMBERS[token.kind]} literal")
        return Const(place, value)


_NUMBERS: Final = {"INT": "int", "UINT": "uint", "FLOAT": "double"}
_BRACKETS: Final[dict[str, Callable[[_Parser, Token], Node]]] = {
    "(": _Parser._nested,
    "[": _Parser._items,
    "{": _Parser._map,
    ".": _Parser._rooted,
}


def _starts(token: Token) -> bool:
    return token.kind in _LITERALS or (token.kind == "SIGN" and token.text in _STARTS)


def _balanced(function: str, parts: list[Node], places: list[int]) -> Node:
    """Return a chain of `&&` or `||` as a tree of little depth."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    left = _balanced(function, parts[:half], places[: half - 1])
    return Call(places[half - 1], function, None, [left, _balanced(function, parts[half:], places[half:])])


IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")

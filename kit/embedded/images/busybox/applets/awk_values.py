"""The values of `awk`: numbers and strings, fields, arrays, expressions and built-in functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.images.busybox.applets.awk_numbers import Input, Value, directives, leading_number, numeric, truth
from kit.embedded.images.busybox.applets.awk_syntax import Node
from kit.embedded.images.busybox.applets.command import Fail
from kit.embedded.images.busybox.formats import printf_text
from kit.embedded.images.busybox.regex import RegexFailure, compile_extended

MAX_TEXT = 1 << 20
MAX_ITEMS = 100_000
MATH: dict[str, Callable[[float], float]] = {
    "int": math.trunc,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
}


class Values:
    """Variables, arrays and the current record."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.variables: dict[str, Value] = {"FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NR": 0.0, "FNR": 0.0, "SUBSEP": "\x1c",
                                            "CONVFMT": "%.6g", "OFMT": "%.6g", "RSTART": 0.0, "RLENGTH": -1.0}  # fmt: skip
        self.arrays: dict[str, dict[str, Value]] = {"ENVIRON": {name: numeric(value) for name, value in env.items()}}
        self.record = ""
        self.fields: list[str] | None = []

    # --- conversion ---

    def number(self, value: Value) -> float:
        """Return a value as a number."""
        return value if isinstance(value, float) else leading_number(value)

    def string(self, value: Value, shape: str = "CONVFMT") -> str:
        """Return a value as a string."""
        if not isinstance(value, float):
            return str(value)
        if math.isfinite(value) and value == int(value) and abs(value) < 1e16:
            return str(int(value))
        data, _ = printf_text(str(self.variables[shape]), [repr(value)])
        return data.decode("utf-8", "surrogateescape")

    def printed(self, value: Value) -> str:
        """Return a value as `print` shows it."""
        return self.string(value, "OFMT")

    def text_of(self, name: str) -> str:
        """Return a variable as a string."""
        return self.string(self.variables.get(name, ""))

    # --- the record ---

    def set_record(self, line: str) -> None:
        """Take a new line."""
        self.record = line
        self.fields = None

    def split_record(self) -> list[str]:
        """Return the fields of the record."""
        if self.fields is None:
            self.fields = self.split(self.record, self.text_of("FS"))
        return self.fields

    def split(self, text: str, separator: str) -> list[str]:
        """Split as FS says."""
        if separator == " ":
            return text.split()
        if not text:
            return []
        if len(separator) == 1 and separator not in "\\^$.[|*+?(){":
            return text.split(separator)
        if not separator:
            return list(text[:MAX_ITEMS])
        if len(separator) == 1 and separator != " ":
            separator = "\\" + separator
        pieces: list[str] = []
        data = text.encode("utf-8", "surrogateescape")
        last = 0
        for hit in self.regex(separator).finditer(data):
            if hit.end() > hit.start():
                pieces.append(data[last : hit.start()].decode("utf-8", "surrogateescape"))
                last = hit.end()
        return [*pieces, data[last:].decode("utf-8", "surrogateescape")]

    def regex(self, text: str) -> Any:
        """Compile a pattern that a program made."""
        try:
            return compile_extended(text)
        except RegexFailure as error:
            raise Fail(f"bad regex '{text}': {error}") from None

    def field(self, index: float) -> Value:
        """Return `$index`."""
        if index < 0:
            raise Fail("cmd. line:1: Access to negative field", 2)
        if index == 0:
            return numeric(self.record)
        fields = self.split_record()
        return numeric(fields[int(index) - 1]) if index <= len(fields) else ""

    def set_field(self, index: float, value: Value) -> None:
        """Set `$index`; the record is made anew."""
        if index < 0 or index > 10_000:
            raise Fail("cmd. line:1: Access to negative field", 2)
        if index == 0:
            self.set_record(self.string(value))
            return
        fields = self.split_record()
        while len(fields) < index:
            fields.append("")
        fields[int(index) - 1] = self.string(value)
        self.record = self.text_of("OFS").join(fields)

    # --- variables ---

    def assign(self, name: str, value: Value) -> None:
        """Set a variable."""
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise Fail("out of memory")
        if name == "RS" and value not in ("\n", ""):
            raise Fail("another RS than a newline is not simulated")
        if name == "NF":
            count = int(self.number(value))
            fields = self.split_record()
            self.fields = (fields + [""] * max(0, min(count, 10_000) - len(fields)))[: max(0, count)]
            self.record = self.text_of("OFS").join(self.fields)
            return
        if name not in self.variables and len(self.variables) > MAX_ITEMS:
            raise Fail("out of memory")
        self.variables[name] = value

    def array(self, name: str) -> dict[str, Value]:
        """Return an array."""
        return self.arrays.setdefault(name, {})

    def key(self, nodes: list[Node]) -> str:
        """Return an array's key."""
        return self.text_of("SUBSEP").join(self.string(self.evaluate(node)) for node in nodes)

    def delete(self, name: str, nodes: list[Node] | None) -> None:
        """Forget an item or a whole array."""
        if nodes is None:
            self.array(name).clear()
        else:
            self.array(name).pop(self.key(nodes), None)

    def _store(self, target: Node, value: Value) -> Value:
        if target[0] == "var":
            self.assign(target[1], value)
        elif target[0] == "field":
            self.set_field(self.number(self.evaluate(target[1])), value)
        else:
            array = self.array(target[1])
            if len(array) >= MAX_ITEMS or (isinstance(value, str) and len(value) > MAX_TEXT):
                raise Fail("out of memory")
            array[self.key(target[2])] = value
        return value

    # --- expressions ---

    def evaluate(self, node: Node) -> Value:
        """Compute an expression."""
        result: Value = getattr(self, _METHODS[node[0]])(node)
        return result

    def _const(self, node: Node) -> Value:
        value: Value = node[1]
        return value

    def _var(self, node: Node) -> Value:
        if node[1] == "NF":
            return float(len(self.split_record()))
        return self.variables.get(node[1], "")

    def _field_of(self, node: Node) -> Value:
        return self.field(self.number(self.evaluate(node[1])))

    def _index(self, node: Node) -> Value:
        array = self.array(node[1])
        if len(array) >= MAX_ITEMS:
            raise Fail("out of memory")
        return array.setdefault(self.key(node[2]), "")

    def _group(self, node: Node) -> Value:
        if len(node[1]) != 1:
            raise Fail("cmd. line:1: Unexpected token")
        return self.evaluate(node[1][0])

    def _re(self, node: Node) -> Value:
        return float(node[1].search(self.record.encode("utf-8", "surrogateescape")) is not None)

    def _assign(self, node: Node) -> Value:
        _, op, target, source = node
        value = self.evaluate(source)
        if op:
            value = self._compute(op, self.number(self.evaluate(target)), self.number(value))
        return self._store(target, value)

    def _step(self, node: Node) -> Value:
        _, step, after, target = node
        old = self.number(self.evaluate(target))
        self._store(target, old + step)
        return old if after else old + step

    def _choose(self, node: Node) -> Value:
        return self.evaluate(node[2] if truth(self.evaluate(node[1])) else node[3])

    def _or(self, node: Node) -> Value:
        return float(truth(self.evaluate(node[1])) or truth(self.evaluate(node[2])))

    def _and(self, node: Node) -> Value:
        return float(truth(self.evaluate(node[1])) and truth(self.evaluate(node[2])))

    def _in(self, node: Node) -> Value:
        return float(self.key(node[1]) in self.array(node[2]))

    def _match_of(self, node: Node) -> Value:
        _, negated, left, right = node
        pattern = right[1] if right[0] == "re" else self.regex(self.string(self.evaluate(right)))
        hit = pattern.search(self.string(self.evaluate(left)).encode("utf-8", "surrogateescape"))
        return float((hit is not None) != negated)

    def _compare(self, node: Node) -> Value:
        _, op, left, right = node
        a, b = self.evaluate(left), self.evaluate(right)
        x: Any
        y: Any
        if (
            (isinstance(a, float | Input) and isinstance(b, float | Input))
            or (a == "" and isinstance(b, float))
            or (b == "" and isinstance(a, float))
        ):
            x, y = self.number(a), self.number(b)
        else:
            x, y = self.string(a), self.string(b)
        table = {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}
        return float(table[op])

    def _concat(self, node: Node) -> Value:
        text = self.string(self.evaluate(node[1])) + self.string(self.evaluate(node[2]))
        if len(text) > MAX_TEXT:
            raise Fail("out of memory")
        return text

    def _math(self, node: Node) -> Value:
        return self._compute(node[1], self.number(self.evaluate(node[2])), self.number(self.evaluate(node[3])))

    def _compute(self, op: str, a: float, b: float) -> float:
        if op in ("/", "%") and b == 0:
            raise ZeroDivisionError
        if op == "^":
            return float(math.pow(a, b))
        table = {"+": a + b, "-": a - b, "*": a * b}
        return table[op] if op in table else a / b if op == "/" else math.fmod(a, b)

    def _unary(self, node: Node) -> Value:
        value = self.evaluate(node[2])
        if node[1] == "!":
            return float(not truth(value))
        return -self.number(value) if node[1] == "-" else self.number(value)

    # --- functions ---

    def format(self, found: list[Value]) -> str:
        """Do printf."""
        words = [
            self.string(value) if not isinstance(value, float) else repr(int(value) if value == int(value) else value)
            for value in found
        ]
        template = words[0]
        # awk's %d and %c take any number; the shell's printf wants whole ones.
        for index, letter in enumerate(directives(template), 1):
            if index < len(words) and letter in "diouxX":
                words[index] = str(int(self.number(found[index])))
            elif index < len(words) and letter in "eEfFgG":
                words[index] = repr(self.number(found[index]))
            elif index < len(words) and letter == "c" and isinstance(found[index], float):
                words[index] = chr(int(self.number(found[index])) & 0xFFFF or 32)
        count = len(directives(template))
        data, _ = printf_text(template.replace("\\", "\\\\"), (words[1:] + [""] * count)[:count])
        return data.decode("utf-8", "surrogateescape")

    def _call(self, node: Node) -> Value:
        _, name, arguments = node
        if name in ("sub", "gsub"):
            return self._replace(arguments, every=name == "gsub")
        if name == "split":
            return self._split_into(arguments)
        if name == "length" and arguments and arguments[0][0] == "var" and arguments[0][1] in self.arrays:
            return float(len(self.array(arguments[0][1])))
        if name == "match":
            return self._find(arguments)
        values = [self.evaluate(argument) for argument in arguments]
        if name == "length":
            return float(len(self.string(values[0]) if values else self.record))
        if not values:
            raise Fail("cmd. line:1: Too few arguments")
        if name in MATH:
            return float(MATH[name](self.number(values[0])))
        if name == "sprintf":
            return self.format(values)
        return self._text_function(name, values)

    def _text_function(self, name: str, values: list[Value]) -> Value:
        text = self.string(values[0])
        if name in ("toupper", "tolower"):
            return text.upper() if name == "toupper" else text.lower()
        if len(values) < 2:
            raise Fail("cmd. line:1: Too few arguments")
        if name == "index":
            return float(text.find(self.string(values[1])) + 1)
        if name == "substr":
            start = round(self.number(values[1]))
            end = start + round(self.number(values[2])) if len(values) > 2 else len(text) + 1
            return text[max(0, start - 1) : max(0, end - 1)]
        a, b = int(self.number(values[0])), int(self.number(values[1]))
        if name == "atan2":
            return math.atan2(self.number(values[0]), self.number(values[1]))
        bits = {"and": a & b, "or": a | b, "xor": a ^ b}
        if name in bits:
            return float(bits[name])
        raise Fail(f"cmd. line:1: {name}: not simulated")

    def _pattern(self, node: Node) -> Any:
        return node[1] if node[0] == "re" else self.regex(self.string(self.evaluate(node)))

    def _find(self, arguments: list[Node]) -> Value:
        if len(arguments) < 2:
            raise Fail("cmd. line:1: Too few arguments")
        data = self.string(self.evaluate(arguments[0])).encode("utf-8", "surrogateescape")
        hit = self._pattern(arguments[1]).search(data)
        start = float(len(data[: hit.start()].decode("utf-8", "surrogateescape")) + 1) if hit else 0.0
        self.variables["RSTART"] = start
        self.variables["RLENGTH"] = float(len(hit.group(0).decode("utf-8", "surrogateescape"))) if hit else -1.0
        return start

    def _split_into(self, arguments: list[Node]) -> Value:
        if len(arguments) < 2 or arguments[1][0] != "var":
            raise Fail("cmd. line:1: Too few arguments")
        text = self.string(self.evaluate(arguments[0]))
        if len(arguments) > 2 and arguments[2][0] == "re":
            data = arguments[2][1].split(text.encode("utf-8", "surrogateescape")) if text else []
            pieces = [(piece or b"").decode("utf-8", "surrogateescape") for piece in data]
        else:
            pieces = self.split(
                text, self.string(self.evaluate(arguments[2])) if len(arguments) > 2 else self.text_of("FS")
            )
        array = self.array(arguments[1][1])
        array.clear()
        array.update((str(index), numeric(piece)) for index, piece in enumerate(pieces[:MAX_ITEMS], 1))
        return float(len(pieces))

    def _replace(self, arguments: list[Node], *, every: bool) -> Value:
        if len(arguments) < 2:
            raise Fail("cmd. line:1: Too few arguments")
        target: Node = arguments[2] if len(arguments) > 2 else ("field", ("const", 0.0))
        if target[0] not in ("var", "field", "index"):
            raise Fail("cmd. line:1: Unexpected token")
        by = self.string(self.evaluate(arguments[1])).encode("utf-8", "surrogateescape")
        data = self.string(self.evaluate(target)).encode("utf-8", "surrogateescape")
        out: list[bytes] = []
        last = count = 0
        for hit in self._pattern(arguments[0]).finditer(data):
            count += 1
            text = by.replace(b"\\&", b"\0").replace(b"&", hit.group(0)).replace(b"\0", b"&")
            out += [data[last : hit.start()], text]
            last = hit.end()
            if not every or count > MAX_ITEMS:
                break
        if count:
            self._store(target, b"".join([*out, data[last:]]).decode("utf-8", "surrogateescape"))
        return float(count)


_METHODS = {"const": "_const", "var": "_var", "field": "_field_of", "index": "_index", "group": "_group", "re": "_re", "assign": "_assign",
            "step": "_step", "?": "_choose", "||": "_or", "&&": "_and", "in": "_in", "match": "_match_of", "compare": "_compare",
            "concat": "_concat", "math": "_math", "unary": "_unary", "call": "_call"}  # fmt: skip

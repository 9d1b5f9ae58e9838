"""Pure layers stay pure: no machine, no clock, no float, no number of the law in code."""

import ast
import re
import sys
from collections.abc import Iterator
from typing import Final

from tests.tidy.imports import calls, imports
from tests.tidy.source import Source

PURE: Final = ("gateway/domain", "gateway/policy", "gateway/rules")
_STANDARD: Final = frozenset(
    {"bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions"}
    | {
        "functools",
        "hashlib",
        "itertools",
        "json",
        "operator",
        "re",
        "tomllib",
        "types",
        "typing",
        "unicodedata",
    }
)
_OPENS_FILES: Final = "gateway/policy/load.py"
_TOUCHES: Final = frozenset(
    {"open", "print", "input", "eval", "exec", "compile", "__import__"}
    | {"read_text", "read_bytes", "write_text", "write_bytes"}
)
_CLOCK: Final = "gateway/clock.py"
_CLOCKS: Final = frozenset(
    {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"}
    | {"datetime.date.today"}
)
_SPEAKS: Final = ("gateway/cli.py", "gateway/verbs")
_MONEY: Final = (*PURE, "gateway/flows", "gateway/store")
_PASS_IN: Final = "this layer is pure; pass the value in instead of"
_WHOLE_FEN: Final = "money is int fen, a rate is int of 10^-4 from policy"
_DATED: Final = "needs a dated file under gateway/policy and its article"
_SECONDS: Final = re.compile(r".*_S$")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+([.][0-9]+)?")


def machine_free(source: Source) -> Iterator[str]:
    """Domain, policy and rules import no module and call no function that reaches the machine."""
    if not source.within(*PURE):
        return
    more = {"pathlib"} if source.path == _OPENS_FILES else set()
    for line, name in imports(source):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names and top not in _STANDARD | more:
            yield f"{source.path}:{line}: {_PASS_IN} importing {top}"
    for line, name in calls(source):
        last = name.rpartition(".")[2]
        if last in _TOUCHES and source.path != _OPENS_FILES and name != "re.compile":
            yield f"{source.path}:{line}: {_PASS_IN} calling {last}"


def one_clock(source: Source) -> Iterator[str]:
    """Nobody but gateway/clock.py asks the machine what time it is."""
    if not source.within("gateway", "adapters", "certs") or source.path == _CLOCK:
        return
    for line, name in imports(source):
        if name == "time" or name.startswith("time."):
            yield f"{source.path}:{line}: use gateway.clock.elapsed_s, never the module time"
    for line, name in calls(source):
        if name in _CLOCKS or name.removeprefix("datetime.") in _CLOCKS:
            yield f"{source.path}:{line}: ask gateway.clock, never the machine, what time it is"


def silent(source: Source) -> Iterator[str]:
    """Only the command line prints."""
    if not source.within("gateway", "adapters") or source.within(*_SPEAKS):
        return
    for line, name in calls(source):
        if name == "print":
            yield f"{source.path}:{line}: print belongs to the command line; log it or return it"


def no_float(source: Source) -> Iterator[str]:
    """Money code has no float; elsewhere in it only a span of seconds, named …_S, may be one."""
    if not source.within(*_MONEY):
        return
    spans = _spans_of_seconds(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node not in spans:
            yield f"{source.path}:{node.lineno}: float {node.value}; {_WHOLE_FEN}"
    for line, name in calls(source):
        if name == "float":
            yield f"{source.path}:{line}: float(); read numbers with gateway.domain.money"


def _spans_of_seconds(source: Source) -> set[ast.expr]:
    if source.within(*PURE):
        return set()
    return {
        node.value
        for node in source.tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and _SECONDS.match(node.target.id)
        and node.value is not None
    }


def no_true_division(source: Source) -> Iterator[str]:
    """`/` makes a float of two ints; only paths may be divided, and only where files are read."""
    if not source.within(*PURE, "gateway/flows") or source.path == _OPENS_FILES:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{source.path}:{node.lineno}: / makes a float; use money.portion or money.times"


def no_law_in_code(source: Source) -> Iterator[str]:
    """A rule knows no number but 0 and 1, neither as int nor as text: the law's are in policy."""
    if not source.within("gateway/rules"):
        return
    places = _slices_and_version(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and node not in places and _is_law(node.value):
            yield f"{source.path}:{node.lineno}: the number {node.value!r} {_DATED}"
        if isinstance(node, ast.Call) and node not in places and _counts_a_literal(node):
            yield f"{source.path}:{node.lineno}: the number {ast.unparse(node)} {_DATED}"


def _slices_and_version(source: Source) -> set[ast.AST]:
    """Constants that count characters of an identifier, or name the rules' own version."""
    found: set[ast.AST] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Slice):
            found |= set(ast.walk(node))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RULES_VERSION":
            found.add(node.value)
    return found


def _counts_a_literal(node: ast.Call) -> bool:
    """Whether it is the length of something written down: a number in disguise."""
    literals = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict)
    return ast.unparse(node.func) == "len" and any(isinstance(one, literals) for one in node.args)


def _is_law(value: object) -> bool:
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode("latin-1")
        return bool(_NUMBER.fullmatch(text)) and text not in ("0", "1")
    return isinstance(value, int | complex) and value not in (0, 1)

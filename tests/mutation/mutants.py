"""突变体 The small faults that a run plants in gateway/rules, one at a time, and their names.

A mutant is named by what it changes, not by where: the module, the function, and a digest of the
statement and of the change, so that its name outlives edits of other lines.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from tests.tidy.source import PROJECT

RULES: Final = PROJECT / "gateway" / "rules"
_SENTENCE: Final = re.compile("[ \n\t，。；：（）、]|[\u4e00-\u9fff]{4,}$")
"""Texts for people are not mutated: what they say is a matter of taste, not of money."""

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_BARE: Final = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Subscript)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: where (`function` is empty outside of every function; from `line` to `last` of
    the statement, of a compound one its head; `imported` when it runs as the module is imported),
    what it reads before and after, and the node whose field is exchanged."""

    name: str
    module: str
    function: str
    line: int
    last: int
    imported: bool
    before: str
    after: str
    holder: ast.AST
    field: str
    place: int | None
    new: Any

    def planted(self) -> ast.Module:
        """The module with the change in it; `taken_out` undoes it."""
        self._put(self.new)
        return ast.fix_missing_locations(_tree(self.module))

    def taken_out(self, old: Any) -> None:
        """The module as it was."""
        self._put(old)

    @property
    def old(self) -> Any:
        """What stands in the place now."""
        found = getattr(self.holder, self.field)
        return found if self.place is None else found[self.place]

    def _put(self, node: Any) -> None:
        if self.place is None:
            setattr(self.holder, self.field, node)
        else:
            getattr(self.holder, self.field)[self.place] = node


def compiled(mutant: Mutant) -> Any:
    """The code of the module with the mutant in it."""
    old = mutant.old
    try:
        return compile(mutant.planted(), str(path_of(mutant.module)), "exec")
    finally:
        mutant.taken_out(old)


def path_of(module: str) -> Any:
    """The file of a module of the rules."""
    plain = PROJECT.joinpath(*module.split("."))
    package = plain / "__init__.py"
    return package if package.exists() else plain.with_suffix(".py")


def modules() -> tuple[str, ...]:
    """Every module of the rules, in order."""
    found = (path.relative_to(PROJECT).with_suffix("") for path in RULES.rglob("*.py"))
    return tuple(sorted(".".join(one.parts).removesuffix(".__init__") for one in found))


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


@cache
def mutants() -> tuple[Mutant, ...]:
    """Every mutant of the rules, in the order of the files; no two have one name."""
    return tuple(one for module in modules() for one in _of_module(module, _tree(module)))


def lines_naming(mutant: Mutant) -> dict[str, set[int]]:
    """The lines of the rules, by file, that name what the mutant's statement gives a name to."""
    names = {
        node.id
        for statement in ast.walk(_tree(mutant.module))
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.lineno == mutant.line
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    found: dict[str, set[int]] = {}
    for module in modules():
        lines = {
            node.lineno
            for node in ast.walk(_tree(module))
            if (isinstance(node, ast.Name) and node.id in names)
            or (isinstance(node, ast.Attribute) and node.attr in names)
        }
        found[str(path_of(module))] = lines
    return found


def mutants_of(text: str) -> tuple[Mutant, ...]:
    """The mutants of a text, as if it were a module."""
    return tuple(_of_module("text", ast.parse(text)))


def _of_module(module: str, tree: ast.Module) -> Iterator[Mutant]:
    functions = set(_functions("", tree.body))
    seen: Counter[tuple[str, ...]] = Counter()
    for function, statement, holder, field, place, new in _changes(tree):
        old = getattr(holder, field)
        old = old if place is None else old[place]
        before, after = _written(holder, old), _changed(holder, field, place, new)
        told = (module, function, _head(statement), before, after)
        seen[told] += 1
        digest = sha256("|".join((*told, str(seen[told]))).encode()).hexdigest()[:8]
        name = f"{module.removeprefix('gateway.')}:{function or '(module)'}:{digest}"
        where = (function, statement.lineno, _last(statement), function not in functions)
        yield Mutant(name, module, *where, before, after, holder, field, place, new)


def _functions(inside: str, body: list[ast.stmt]) -> Iterator[str]:
    """The functions and methods, by the names that mutants call them."""
    for statement in body:
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            name = f"{inside}.{statement.name}" if inside else statement.name
            if not isinstance(statement, ast.ClassDef):
                yield name
            yield from _functions(name, statement.body)


def _last(statement: ast.stmt) -> int:
    """The last line of the statement; of a compound one, of what stands before its body."""
    body = getattr(statement, "body", None)
    if body:
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno


def _written(holder: ast.AST, old: Any) -> str:
    return ast.unparse(holder if isinstance(holder, ast.expr | ast.AugAssign) else old)


def _changed(holder: ast.AST, field: str, place: int | None, new: Any) -> str:
    if not isinstance(holder, ast.expr | ast.AugAssign):
        return ast.unparse(new)
    values = getattr(holder, field)
    kept = values if place is None else values[place]
    _set(holder, field, place, new)
    try:
        return ast.unparse(ast.fix_missing_locations(holder))
    finally:
        _set(holder, field, place, kept)


def _set(holder: ast.AST, field: str, place: int | None, node: Any) -> None:
    if place is None:
        setattr(holder, field, node)
    else:
        getattr(holder, field)[place] = node


def _head(statement: ast.stmt) -> str:
    """The statement, of a compound one its first line."""
    return ast.unparse(statement).partition("\n")[0]


_Change = tuple[str, ast.stmt, ast.AST, str, int | None, Any]


def _changes(tree: ast.Module) -> Iterator[_Change]:
    for statement in tree.body:
        yield from _in_statement("", statement)


def _in_statement(function: str, statement: ast.stmt) -> Iterator[_Change]:
    inner = function
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        inner = f"{function}.{statement.name}" if function else statement.name
    of_class = inner if isinstance(statement, ast.ClassDef) else function
    if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)) and not _is_document(statement):
        yield from (
            (function, statement, *change) for change in _of_statement(statement, statement)
        )
    for field in ("body", "orelse", "finalbody"):
        for child in getattr(statement, field, ()):
            yield from _in_statement(inner if field == "body" else of_class or inner, child)
    for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        for child in handler.body:
            yield from _in_statement(inner, child)


def _is_document(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


_Part = tuple[ast.AST, str, int | None, Any]


def _of_statement(statement: ast.stmt, node: ast.AST) -> Iterator[_Part]:
    """The changes of one statement and of the expressions in it, not of statements inside."""
    if isinstance(node, ast.AugAssign):
        if type(node.op) in _ARITHMETIC:
            yield node, "op", None, _ARITHMETIC[type(node.op)]()
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, "value", None, ast.Constant(None)
    if isinstance(node, ast.If | ast.While | ast.IfExp) and isinstance(node.test, _BARE):
        yield node, "test", None, ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.comprehension):
        for place, test in enumerate(node.ifs):
            yield node, "ifs", place, ast.UnaryOp(ast.Not(), test)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "TypeVar":
        # Its name is for those who read types.
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        # It guards what is of one length by construction: no input can tell.
        return
    yield from _of_expression(node)
    for field, child in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "pattern"):
            continue
        for place, one in enumerate(child) if isinstance(child, list) else [(None, child)]:
            if isinstance(one, ast.stmt | ast.ExceptHandler | ast.match_case):
                continue
            if isinstance(one, ast.Constant) and (new := _other(one)) is not None:
                yield node, field, place, new
            elif isinstance(one, ast.AST):
                yield from _of_statement(statement, one)


def _of_expression(node: ast.AST) -> Iterator[_Part]:
    match node:
        case ast.Compare():
            for place, sign in enumerate(node.ops):
                yield node, "ops", place, _COMPARISONS[type(sign)]()
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, "op", None, other
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield node, "op", None, _ARITHMETIC[type(node.op)]()
        case ast.UnaryOp(op=ast.Not()):
            yield node, "operand", None, ast.UnaryOp(ast.Not(), node.operand)
        case ast.UnaryOp(op=ast.USub()):
            yield node, "op", None, ast.UAdd()
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield node, "func", None, ast.Name(_NAMES[name], ast.Load())
        case ast.Return(value=value) if value is not None and not _is_settled(value):
            yield node, "value", None, ast.Constant(None)


def _is_settled(value: ast.expr) -> bool:
    """None itself, or a constant that has another planted: who asks only whether it is true
    cannot tell None from False."""
    return isinstance(value, ast.Constant) and (value.value is None or _other(value) is not None)


def _other(constant: ast.Constant) -> ast.Constant | None:
    """Another constant of the same kind; None where there is none worth planting."""
    match constant.value:
        case bool(value):
            return ast.Constant(not value)
        case int(value):
            return ast.Constant(value + 1)
        case str(value) if not _SENTENCE.search(value):
            return ast.Constant(f"{value}?")
    return None

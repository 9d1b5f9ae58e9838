"""What a file imports, by full dotted names whatever the local names are."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from tests.tidy.source import Source


class Import(NamedTuple):
    """A line and what it imports: `gateway.domain.money.times` for a name of a module."""

    line: int
    name: str


def imports(source: Source) -> Iterator[Import]:
    """Every import, also those inside functions and behind conditions."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(source, node)
            yield from (Import(node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _base(source: Source, node: ast.ImportFrom) -> str:
    """The module an import is from, counted from the root also when it is relative."""
    if not node.level:
        return node.module or ""
    folders = source.path.split("/")[: -node.level]
    return ".".join((*folders, *filter(None, (node.module,))))


def calls(source: Source) -> Iterator[tuple[int, str]]:
    """Every call as line and full dotted name; a local alias is resolved."""
    known = _local_names(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, _resolved(node.func, known)


def _local_names(source: Source) -> dict[str, str]:
    known: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    return known


def _resolved(function: ast.expr, known: dict[str, str]) -> str:
    head, dot, rest = ast.unparse(function).partition(".")
    return f"{known.get(head, head)}{dot}{rest}"


def below(name: str, *prefixes: str) -> bool:
    """Whether a dotted name is one of these or inside one of these."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)

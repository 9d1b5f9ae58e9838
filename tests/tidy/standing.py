"""What stands of a settlement is read in one place: the last of its row and its deltas."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Source

_READER: Final = "gateway/store/standing.py"
_DEFINED: Final = ("gateway/store/tables.py", "gateway/store/migrations")
_DOUBTS_IT: Final = "gateway/store/invariants.py"
"""It asks whether what stands can be believed."""
_OTHER_TABLES: Final = frozenset({"admission", "tables.admission", "catalogue_edition"})
"""A registration and a catalogue edition are live in a sense of their own: none is adjusted."""
_OF_CATALOGUES: Final = "gateway/store/editions.py"
_ROWS: Final = frozenset({"live", "meal_days"})
_ASK: Final = "a delta may stand after it; ask gateway/store/standing.py what stands"


def one_reader(source: Source) -> Iterator[str]:
    """Nobody else reads which row is in force, nor the meal days of a row."""
    if not source.within("gateway") or source.within(
        _READER, *_DEFINED, _OF_CATALOGUES, _DOUBTS_IT
    ):
        return
    for node in ast.walk(source.tree):
        if _reads(node):
            yield f"{source.path}:{node.lineno}: {ast.unparse(node)}: {_ASK}"  # type: ignore[attr-defined]


def _reads(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Attribute(value=table, attr="c"), attr=name):
            return name in _ROWS and ast.unparse(table) not in _OTHER_TABLES
        case ast.Subscript(value=row, slice=ast.Constant(value=name), ctx=ast.Load()):
            return name in _ROWS and not ast.unparse(row).endswith(".row")
        case ast.Call(func=ast.Name(id="Guard"), args=[table, *facts]):
            keys = {key.value for one in facts for key in ast.walk(one) if _is_text(key)}
            return bool(keys & _ROWS) and ast.unparse(table) not in _OTHER_TABLES
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)

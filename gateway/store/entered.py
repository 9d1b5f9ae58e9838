"""The order in which rows were put in, on either store.

What comes later about a subject saw the earlier committed, so within a subject this is the
order of commit; an instant would be that of arrival. Only what is unnumbered is sorted by it:
it is never a cursor.
"""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles

from gateway.store.types import INTEGER


class _Entered(ColumnElement[int]):
    inherit_cache = True
    # Nothing but the class makes a difference: without saying so a statement is compiled anew.
    _traverse_internals: Any = ()
    type = INTEGER
    table_name: ClassVar[str]


class InOutbox(_Entered):
    """The place of a message among those put into the outbox."""

    inherit_cache = True
    table_name = "outbox"


class InLeaf(_Entered):
    """The place of a leaf among those of all transactions."""

    inherit_cache = True
    table_name = "leaf"


@compiles(InOutbox, "sqlite")
@compiles(InLeaf, "sqlite")
def _row_number(entered: _Entered, *_: Any, **__: Any) -> str:
    return f"{entered.table_name}.rowid"


@compiles(InOutbox, "postgresql")
@compiles(InLeaf, "postgresql")
def _entry(entered: _Entered, *_: Any, **__: Any) -> str:
    return f"{entered.table_name}.entry"

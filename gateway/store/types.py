"""The only column types: SQLite's STRICT tables take no others, and PostgreSQL has the same."""

from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, Integer, LargeBinary, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Whole(TypeDecorator[int]):
    """STRICT tables refuse a fraction; the driver of PostgreSQL would cut it off in silence."""

    impl = BigInteger
    cache_ok = True
    python_type = int

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is not None and not isinstance(value, int):
            raise TypeError(f"not a whole number: {type(value).__name__}")
        return value


INTEGER: TypeEngine[int] = _Whole().with_variant(Integer(), "sqlite")
"""Whole numbers: fen, millionths, counts, microseconds UTC, flags 0 and 1."""


class _Words(Text):
    """Sorted byte by byte on both stores, in whatever language the database was made."""

    inherit_cache = True


@compiles(_Words, "postgresql")
def _by_byte(*_: Any, **__: Any) -> str:
    return 'TEXT COLLATE "C"'


TEXT: TypeEngine[str] = _Words()
"""Words, identifiers, days as YYYY-MM-DD, and canonical JSON."""

BLOB: TypeEngine[bytes] = LargeBinary()
"""Stored bytes."""


def integer(name: str, **kwargs: Any) -> Column[int]:
    """A whole number, never null unless said."""
    return Column(name, INTEGER, **{"nullable": False, **kwargs})


def text(name: str, **kwargs: Any) -> Column[str]:
    """A text, never null unless said."""
    return Column(name, TEXT, **{"nullable": False, **kwargs})


def blob(name: str, **kwargs: Any) -> Column[bytes]:
    """Bytes, never null unless said."""
    return Column(name, BLOB, **{"nullable": False, **kwargs})


def optional_text(name: str) -> Column[str]:
    return text(name, nullable=True)


def optional_integer(name: str) -> Column[int]:
    return integer(name, nullable=True)

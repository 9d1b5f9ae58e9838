"""表格 Headings, grids of labelled values, and tables whose header repeats on every page."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gateway.reports.paper import MARGIN, Align, Box, Label, Rule, Stack, Tone

BODY: Final = 7.6
SMALL: Final = 6.2
_PAD: Final = 4.0
_LEADING: Final = 1.32


class Piece(NamedTuple):
    """A text of a cell in one size and tone; it wraps at the width of its column."""

    text: str
    size: float = BODY
    tone: Tone = Tone.INK
    bold: bool = False


Cell = tuple[Piece, ...]


class Column(NamedTuple):
    """A column with its heading in Chinese and English; the width is in points."""

    zh: str
    en: str
    width: float
    align: Align = Align.LEFT


class Entry(NamedTuple):
    """A labelled value of a grid over `span` of its three columns."""

    zh: str
    en: str
    value: str
    span: int = 1


_COLUMNS_OF_GRID: Final = 3
_HEADER: Final = 24.0


def heading(stack: Stack, zh: str, en: str, room: float = 60) -> None:
    """A section heading that keeps `room` points of its section on the same page."""
    stack.need(22 + room)
    stack.y += 15
    stack.page.add(
        Box(MARGIN, stack.y - 9.5, 3, 12, Tone.ACCENT),
        Label(MARGIN + 9, stack.y, zh, 10.5, Tone.ACCENT),
        Label(MARGIN + 15 + stack.face.width(zh, 10.5), stack.y, en, 7.5, Tone.QUIET),
    )
    stack.y += 8


def grid(stack: Stack, rows: Iterable[Sequence[Entry]]) -> None:
    """Rows of labelled values, three columns wide, with a hair line under each row."""
    width = stack.inner / _COLUMNS_OF_GRID
    for row in rows:
        texts = [stack.face.wrapped(one.value, 8.8, width * one.span - 10) for one in row]
        height = 19 + 11.5 * max(len(lines) for lines in texts)
        stack.need(height)
        x = MARGIN
        for entry, lines in zip(row, texts, strict=True):
            _entry(stack, x, entry, lines)
            x += width * entry.span
        stack.y += height
        stack.page.add(Rule(MARGIN, stack.y, MARGIN + stack.inner, stack.y))


def _entry(stack: Stack, x: float, entry: Entry, lines: Sequence[str]) -> None:
    label = f"{entry.zh}  {entry.en}"
    stack.page.add(Label(x + _PAD, stack.y + 10, label, SMALL, Tone.QUIET))
    for number, line in enumerate(lines):
        stack.page.add(Label(x + _PAD, stack.y + 21.5 + 11.5 * number, line, 8.8))


def table(stack: Stack, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Every row whole on one page, every page under the header; every second row is pale."""
    stack.need(_HEADER + 30)
    _header(stack, columns)
    for number, row in enumerate(rows):
        texts = [_wrapped(stack, column, cell) for column, cell in zip(columns, row, strict=True)]
        height = max(_height(lines) for lines in texts) + _PAD + 1
        if stack.lacks(height):
            stack.turn()
            _header(stack, columns)
        if number % 2:
            whole = sum(column.width for column in columns)
            stack.page.add(Box(MARGIN, stack.y, whole, height, Tone.PALE))
        _row(stack, columns, texts)
        stack.y += height
    end = MARGIN + sum(column.width for column in columns)
    stack.page.add(Rule(MARGIN, stack.y, end, stack.y, Tone.ACCENT, 0.8))
    stack.y += 4


def _header(stack: Stack, columns: Sequence[Column]) -> None:
    whole, x = sum(column.width for column in columns), MARGIN
    stack.page.add(Box(MARGIN, stack.y, whole, _HEADER, Tone.ACCENT))
    for column in columns:
        at = _anchor(x, column)
        stack.page.add(
            Label(at, stack.y + 10.5, column.zh, BODY, Tone.WHITE, column.align),
            Label(at, stack.y + 19, column.en, 5.6, Tone.WHITE, column.align),
        )
        x += column.width
    stack.y += _HEADER


def _anchor(x: float, column: Column) -> float:
    inner = column.width - 2 * _PAD
    return x + _PAD + inner * column.align.value


def _wrapped(stack: Stack, column: Column, cell: Cell) -> list[Piece]:
    width = column.width - 2 * _PAD
    return [
        piece._replace(text=line)
        for piece in cell
        for line in stack.face.wrapped(piece.text, piece.size, width)
    ]


def _height(lines: Sequence[Piece]) -> float:
    return sum(line.size * _LEADING for line in lines)


def _row(stack: Stack, columns: Sequence[Column], texts: Sequence[Sequence[Piece]]) -> None:
    x = MARGIN
    for column, lines in zip(columns, texts, strict=True):
        at, y = _anchor(x, column), stack.y + 2
        for line in lines:
            y += line.size * _LEADING
            stack.page.add(
                Label(at, y - 1, line.text, line.size, line.tone, column.align, line.bold)
            )
        x += column.width


def paragraph(stack: Stack, text: str, size: float = BODY, tone: Tone = Tone.QUIET) -> None:
    """A text over the whole width."""
    for line in stack.face.wrapped(text, size, stack.inner - 2 * _PAD):
        stack.need(size * _LEADING)
        stack.y += size * _LEADING
        stack.page.add(Label(MARGIN + _PAD, stack.y, line, size, tone))
    stack.y += 2

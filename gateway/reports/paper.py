"""纸面 Marks on pages and the PDF made of them: coordinates in points from the top left corner.

Pages are laid out first and drawn afterwards, so that each can say how many there are. Equal
pages give equal bytes.
"""

import io
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple

from reportlab.pdfgen.canvas import Canvas

from gateway.reports.typeface import Typeface

PORTRAIT: Final = (595.28, 841.89)
LANDSCAPE: Final = (841.89, 595.28)
MARGIN: Final = 34.0
FOOT: Final = 40.0


class Tone(Enum):
    """The colours of a sheet, red green blue from 0 to 1; all print well in grey."""

    INK = (0.10, 0.12, 0.14)
    QUIET = (0.40, 0.44, 0.47)
    FAINT = (0.62, 0.66, 0.68)
    HAIR = (0.80, 0.84, 0.86)
    PALE = (0.945, 0.965, 0.97)
    ACCENT = (0.04, 0.33, 0.39)
    WHITE = (1.0, 1.0, 1.0)
    ALARM = (0.72, 0.11, 0.11)


class Align(Enum):
    """Which end of the text its x names."""

    LEFT = 0.0
    CENTRE = 0.5
    RIGHT = 1.0


class Label(NamedTuple):
    """One line of text; y is its baseline."""

    x: float
    y: float
    text: str
    size: float
    tone: Tone = Tone.INK
    align: Align = Align.LEFT
    bold: bool = False


class Rule(NamedTuple):
    """A line."""

    x1: float
    y1: float
    x2: float
    y2: float
    tone: Tone = Tone.HAIR
    weight: float = 0.5


class Box(NamedTuple):
    """A filled rectangle; y is its upper edge."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone


Mark = Label | Rule | Box


@dataclass(slots=True)
class Page:
    """One page, filled from the top."""

    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        self.marks.extend(marks)


class Stack:
    """Pages filled from the top down; `y` is where the next mark goes."""

    def __init__(self, face: Typeface, size: tuple[float, float] = PORTRAIT) -> None:
        self.face, self.pages = face, [Page(*size)]
        self.y = MARGIN

    @property
    def page(self) -> Page:
        return self.pages[-1]

    @property
    def inner(self) -> float:
        """The width between the margins."""
        return self.page.width - 2 * MARGIN

    def turn(self, size: tuple[float, float] | None = None) -> None:
        """A new page, of the same size unless told."""
        self.pages.append(Page(*(size or (self.page.width, self.page.height))))
        self.y = MARGIN

    def lacks(self, height: float) -> bool:
        """Whether so many points no longer fit on this page."""
        return self.y + height > self.page.height - FOOT

    def need(self, height: float) -> None:
        """A new page unless so many points are left on this one."""
        if self.lacks(height):
            self.turn()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the document says of itself, and the line at the foot of every page."""

    title: str
    author: str
    foot: str


def pdf(stack: Stack, about: About) -> bytes:
    """The pages as PDF, numbered at the foot."""
    out = io.BytesIO()
    # invariant: no time of making and no random id, so that the same sheet has the same bytes.
    canvas = Canvas(out, pagesize=PORTRAIT, invariant=1, pageCompression=1)
    canvas.setTitle(about.title)
    canvas.setAuthor(about.author)
    canvas.setSubject(about.foot)
    for number, page in enumerate(stack.pages, start=1):
        canvas.setPageSize((page.width, page.height))
        pen = _Pen(canvas, page.height, stack.face)
        for mark in (*page.marks, *_foot(page, about.foot, number, len(stack.pages))):
            pen.draw(mark)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _foot(page: Page, text: str, number: int, count: int) -> tuple[Mark, ...]:
    right, line = page.width - MARGIN, page.height - FOOT + 10
    told = f"第 {number} 页 / 共 {count} 页   Page {number} of {count}"
    return (
        Rule(MARGIN, line, right, line),
        Label(MARGIN, line + 12, text, 7, Tone.QUIET),
        Label(right, line + 12, told, 7, Tone.QUIET, Align.RIGHT),
    )


class _Pen:
    """Draws the marks of one page; a colour is set only when it changes."""

    def __init__(self, canvas: Any, height: float, face: Typeface) -> None:
        self._canvas, self._height, self._face = canvas, height, face
        self._tone: Tone | None = None

    def draw(self, mark: Mark) -> None:
        canvas, height = self._canvas, self._height
        match mark:
            case Label():
                self._write(mark)
            case Rule(x1, y1, x2, y2, tone, weight):
                canvas.setStrokeColorRGB(*tone.value)
                canvas.setLineWidth(weight)
                canvas.line(x1, height - y1, x2, height - y2)
            case Box(x, y, width, high, tone):
                self._fill(tone)
                canvas.rect(x, height - y - high, width, high, stroke=0, fill=1)

    def _fill(self, tone: Tone) -> None:
        if tone is not self._tone:
            self._canvas.setFillColorRGB(*tone.value)
            self._tone = tone

    def _write(self, label: Label) -> None:
        """One text object a label, so that readers copy its runs as one text."""
        self._fill(label.tone)
        x = label.x
        if label.align is not Align.LEFT:
            x -= self._face.width(label.text, label.size, bold=label.bold) * label.align.value
        text = self._canvas.beginText(x, self._height - label.y)
        for run in self._face.runs(label.text, bold=label.bold):
            text.setFont(run.font, label.size)
            text.textOut(run.text)
        self._canvas.drawText(text)

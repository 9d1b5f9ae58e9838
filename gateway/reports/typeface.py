"""字体 The two faces of a sheet: Helvetica for Latin, one Chinese face for the rest.

The Chinese face is STSong-Light of the Adobe-GB1 collection, which every PDF reader
substitutes by itself, or a TrueType font that is embedded. A character that the face lacks is
never left blank: it prints as 〓 with its Unicode number.
"""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

LATIN: Final = "Helvetica"
LATIN_BOLD: Final = "Helvetica-Bold"
MISSING: Final = "〓"
_SONG: Final = "STSong-Light"
_NORMAL: Final = 1000
# GBK knows these, the UniGB-UCS2-H map of Adobe-GB1 does not.
_UNMAPPED: Final = frozenset("·ńňɑɡ")
_COMPATIBILITY: Final = range(0xF900, 0xFE50)


class UnusableFont(ValueError):
    """The font file of the settings is no TrueType font that can be embedded."""


class Run(NamedTuple):
    """A piece of text in one font."""

    font: str
    text: str


class Typeface:
    """Splits texts into runs of one font each, and measures them in points.

    It remembers the texts of its sheet, most of which repeat; another sheet has another one.
    """

    def __init__(self, name: str, glyphs: frozenset[int] | None) -> None:
        self._name, self._glyphs = name, glyphs
        self._fonts: dict[str, str | None] = {}
        self._widths: dict[tuple[str, str], float] = {}
        self._wide: dict[tuple[str, bool], float] = {}
        self._runs: dict[tuple[str, bool], tuple[Run, ...]] = {}
        self._lines: dict[tuple[str, float, float], tuple[str, ...]] = {}

    def runs(self, text: str, *, bold: bool = False) -> tuple[Run, ...]:
        """The text as it is drawn; `bold` moves the Latin runs only."""
        key = text, bold
        if key not in self._runs:
            drawn = groupby(self._drawn(text), key=self._font)
            self._runs[key] = tuple(
                Run(LATIN_BOLD if bold and font == LATIN else font, "".join(chars))
                for font, chars in drawn
            )
        return self._runs[key]

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """The width of the text in points."""
        key = text, bold
        if key not in self._wide:
            runs = self.runs(text, bold=bold)
            self._wide[key] = sum(
                self._advance(run.font, char) for run in runs for char in run.text
            )
        return self._wide[key] * size

    def wrapped(self, text: str, size: float, width: float) -> tuple[str, ...]:
        """The text in lines no wider than `width` points; Latin words are kept whole if they fit.

        Every character stands on some line, but the blank a line is broken at.
        """
        key = text, size, width
        if key not in self._lines:
            self._lines[key] = tuple(self._broken("".join(self._drawn(text)), size, width))
        return self._lines[key]

    def _broken(self, text: str, size: float, width: float) -> Iterator[str]:
        if self.width(text, size) <= width:
            yield text.rstrip()
            return
        line = ""
        for word in _words(text):
            if line and self.width(line + word, size) > width:
                yield line.rstrip()
                line, word = "", word.lstrip()
            line += word
            while len(line) > 1 and self.width(line, size) > width:
                head = self._fitting(line, size, width)
                yield line[:head]
                line = line[head:]
        yield line.rstrip()

    def _fitting(self, word: str, size: float, width: float) -> int:
        """How many characters of the word fit, at least one."""
        used = 0.0
        for count, char in enumerate(word):
            used += self.width(char, size)
            if used > width:
                return max(count, 1)
        return len(word)

    def _drawn(self, text: str) -> Iterator[str]:
        for char in text:
            blank = " " if char.isspace() else char
            yield from blank if self._font(blank) else f"{MISSING}(U+{ord(char):04X})"

    def _font(self, char: str) -> Any:
        if char not in self._fonts:
            self._fonts[char] = self._choice(char)
        return self._fonts[char]

    def _choice(self, char: str) -> str | None:
        if char.isascii():
            return LATIN if char.isprintable() else None
        if char == MISSING or self._has(char):
            return self._name
        return LATIN if char.isprintable() and _in(char, "cp1252") else None

    def _has(self, char: str) -> bool:
        if self._glyphs is not None:
            return ord(char) in self._glyphs
        mapped = char not in _UNMAPPED and ord(char) not in _COMPATIBILITY
        return mapped and char.isprintable() and _in(char, "gbk")

    def _advance(self, font: str, char: str) -> float:
        key = font, char
        if key not in self._widths:
            self._widths[key] = pdfmetrics.stringWidth(char, font, _NORMAL) / _NORMAL
        return self._widths[key]


def _in(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _words(text: str) -> Iterator[str]:
    """Latin words with the blank before them, and every other character by itself."""
    word = ""
    for char in text:
        if char == " " or not char.isascii():
            if word:
                yield word
            word = char
            if char != " ":
                yield char
                word = ""
        else:
            word += char
    if word:
        yield word


def typeface(font_path: Path | None = None) -> Typeface:
    """A typeface for one sheet: STSong-Light, or the TrueType font to embed.

    Raises UnusableFont when the file is absent or is no TrueType font.
    """
    if font_path is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_SONG))
        return Typeface(_SONG, None)
    return Typeface(*_embedded(font_path))


@cache
def _embedded(font_path: Path) -> tuple[str, frozenset[int]]:
    """The registered name of a font file, and the characters it has."""
    name = f"Sheet-{font_path.stem}"
    try:
        font = TTFont(name, str(font_path))
    except (TTFError, OSError) as error:
        zh, en = f"不能嵌入字体 {font_path.name}", f"font {font_path.name} cannot be embedded"
        raise UnusableFont(f"{zh} / {en}: {error}") from error
    pdfmetrics.registerFont(font)
    return name, frozenset(font.face.charToGlyph)

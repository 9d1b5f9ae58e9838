"""进度显示 One line for each scene: done or broken, the business time, how long it took."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TextIO
from unicodedata import east_asian_width

from gateway.clock import BUSINESS_ZONE, elapsed_s

_ZH_WIDTH, _EN_WIDTH, _LABEL_WIDTH = 16, 26, 36


@dataclass(slots=True)
class Shown:
    """What a scene adds to its line."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Writes to `out`; on a terminal a running scene is shown before it is done."""

    out: TextIO

    @contextmanager
    def scene(self, zh: str, en: str, now: Callable[[], datetime]) -> Iterator[Shown]:
        """Show a scene while it runs and when it has ended; a fault is shown and passes on."""
        title, started, shown = (
            f"{padded(zh, _ZH_WIDTH)}{padded(en, _EN_WIDTH)}",
            elapsed_s(),
            Shown(),
        )
        if self.out.isatty():
            self._write(f"\r… {title}", "")
        try:
            yield shown
        except BaseException:
            self._write(f"\r✗ {title}" if self.out.isatty() else f"✗ {title}")
            raise
        mark = "\r✓" if self.out.isatty() else "✓"
        time = now().astimezone(BUSINESS_ZONE).strftime("%m-%d %H:%M")
        self._write(f"{mark} {time}  {title}{elapsed_s(started):5.1f} s  {shown.note}")

    def table(self, rows: Iterable[tuple[str, str]]) -> None:
        """Two columns."""
        for label, value in rows:
            self._write(f"  {padded(label, _LABEL_WIDTH)}{value}")

    def say(self, text: str) -> None:
        """One line."""
        self._write(text)

    def _write(self, text: str, end: str = "\n") -> None:
        self.out.write(text + end)
        self.out.flush()


def padded(text: str, width: int) -> str:
    """The text filled with blanks to a width in terminal columns, a Chinese sign taking two."""
    columns = sum(1 + (east_asian_width(sign) in _WIDE) for sign in text)
    return text + " " * max(width - columns, 1)


_WIDE: Final = frozenset({"W", "F"})

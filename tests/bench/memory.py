"""How much more memory the gateway holds after many small messages than after the first."""

import os
from pathlib import Path
from typing import Final

from gateway.domain.bill import BillLine
from gateway.domain.money import times
from tests.bench.town import Town

_LINES: Final = 3
_WARM_PART: Final = 10


def memory_drift(town: Town, messages: int) -> dict[str, float]:
    """Uploads of three lines, each a message that changes what the one before kept; the drift
    is told from when a tenth was answered to the end."""
    ready = town.ready(_LINES)
    process, warm = town.gateway.process.pid, 0
    for number in range(messages):
        if number == messages // _WARM_PART:
            warm = resident_bytes(process)
        lines = tuple(_charged(line, 1 + number % _LINES) for line in ready.bill.lines)
        town.line.post(town.upload(ready.stay, lines))
    return {
        "memory_messages": messages,
        "memory_drift": resident_bytes(process) / warm - 1,
    }


def _charged(line: BillLine, over: int) -> BillLine:
    """The line, so many times over."""
    quantity = line.quantity * over
    return line._replace(quantity=quantity, amount_fen=times(line.price, quantity))


def resident_bytes(process: int) -> int:
    """How much memory the process holds."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

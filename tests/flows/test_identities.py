"""What holds of every bill that goes through the office, whatever its lines."""

import asyncio
import io
from random import Random

import pytest
from sqlalchemy import select

from gateway.domain.bill import BillLine
from gateway.domain.commands import PreviewSettlement
from gateway.domain.split import NOTHING, Payer
from gateway.settings import Settings
from gateway.store.tables import settlement
from gateway.verbs import clocks, explain, replay
from tests.flows.office import DAY, Office
from tests.world import bill_line

CODES = ("I0001", "I0003", "F0001", "M0001", "NOT-IN-CATALOGUE")


def some_lines(seed: int) -> tuple[BillLine, ...]:
    """Lines of any price and consent, some with a refund of a part."""
    random = Random(seed)  # noqa: S311 - a bill, not a secret
    lines: list[BillLine] = []
    for number in range(random.randint(1, 6)):
        code, price = random.choice(CODES), f"{random.randint(0, 99)}.{random.randint(0, 9999):04}"
        count, consent = random.randint(2, 9), random.choice([None, *list(Payer)[1:3]])
        lines.append(bill_line(f"L{number}", code, price, str(count), DAY, consent=consent))
        if random.random() < 0.4:
            back = bill_line(f"R{number}", code, price, "-1", DAY, refund_of=f"L{number}")
            lines.append(back)
    return tuple(lines)


@pytest.mark.parametrize("seed", range(4))
async def test_a_preview_is_the_settlement_and_a_reversal_takes_back_every_fen(
    office: Office, seed: int
):
    lines = some_lines(seed)
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1, lines)
    asked = PreviewSettlement(
        admission_id=stay,
        expected_count=len(lines),
        expected_amount_fen=sum(line.amount_fen for line in lines),
    )
    preview = (await office.say("H001", "settlement.preview", asked)).result
    committed = await office.commit("H001", stay, *lines)
    settled = committed.result
    assert (preview.split, preview.meal, preview.lines) == (
        settled.split,
        settled.meal,
        settled.lines,
    )
    undone = await office.reverse("H001", committed.message_id, "settlement.commit")
    assert settled.split.plus(undone.result.settlement.split) == NOTHING
    booked = await office.rows(select(settlement.c.total_fen, settlement.c.meal_fen))
    assert [sum(row[part] for row in booked) for part in ("total_fen", "meal_fen")] == [0, 0]


async def test_what_the_office_settled_and_reversed_is_replayed_explained_and_on_the_clock(
    office: Office,
):
    lines = some_lines(7)
    await office.recognised("C1", 1)
    first = await office.commit("H001", await office.billed("H001", "V1", 1, lines), *lines)
    await office.reverse("H001", first.message_id, "settlement.commit")
    await office.commit("H001", first.result.admission_id, *lines)
    await office.report("C2", 2)
    settings, out = office.gateway.settings, io.StringIO()
    assert await asyncio.to_thread(replay.run, settings, (), out, lambda: True, 1) == 0, (
        out.getvalue()
    )
    assert "3 replayed, 3 the same, 0 different" in out.getvalue()
    for row in await office.rows(select(settlement.c.settlement_id)):
        told = await explained(settings, row["settlement_id"])
        assert told.count("A 金额 amount = ") == len(lines)
        assert "无法重现" not in told
    assert await asyncio.to_thread(clocks.run, settings, DAY, out) == 0
    assert "2026-03-31 还剩 29 天 29 days left  用人单位 employer  C2" in out.getvalue()
    assert "2026-04-10 还剩 39 天 39 days left  医院 hospital  H001 2026-03" in out.getvalue()


async def explained(settings: Settings, number: str) -> str:
    out = io.StringIO()
    assert await asyncio.to_thread(explain.run, settings, number, False, out) == 0
    return out.getvalue()

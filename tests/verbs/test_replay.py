"""gateway replay: what was settled comes out the same again, or every difference is told."""

import asyncio
import io
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import Payee
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.settings import Settings
from gateway.store.frozen import Facts, frozen
from gateway.verbs import replay
from tests.reports.sheets import refund_of, some_lines
from tests.rules.facts import a_line, a_stay
from tests.verbs.ledger import SETTLEMENT, Settled, insert, settled, settlement_row


async def replayed(settings: Settings, *numbers: str) -> tuple[int, str]:
    out = io.StringIO()
    return await asyncio.to_thread(replay.run, settings, numbers, out, lambda: True), out.getvalue()


async def also(bill: Settled, number: str, **changes: object) -> None:
    """One more settlement of the same bill."""
    row = settlement_row(bill.bill, bill.verdict, settlement_id=number, live=None, **changes)
    await insert(bill.settings, {"settlement": [row]}, tx_id=number)


async def test_a_bill_of_every_kind_of_line_comes_out_the_same_to_the_byte(tmp_path: Path):
    lines = some_lines(12)
    bill = await settled(tmp_path, *lines, refund_of(lines[0], "4"), refund_of(lines[1], "1"))
    code, text = await replayed(bill.settings)
    assert (code, text) == (
        0,
        "重算 1 笔，1 笔相同，0 笔不同 / 1 replayed, 1 the same, 0 different\n",
    )


async def test_a_reversal_is_the_negative_of_what_it_reverses(tmp_path: Path):
    bill = await settled(tmp_path, a_line(price="12.5", qty="14"))
    split = bill.verdict.split.negated()
    meal = -bill.verdict.meal.amount_fen
    negative = {**split._asdict(), "total_fen": split.total_fen, "meal_fen": meal}
    await also(bill, "S2", reverses=SETTLEMENT, **negative)
    assert (await replayed(bill.settings))[0] == 0
    await also(bill, "S3", reverses="S9")
    code, text = await replayed(bill.settings, "S3")
    assert code == 1
    assert "S3: 账上金额 booked 175.00/0.00/0.00/0.00/0.00 210.00，重算 recomputed -175.00" in text


async def test_a_changed_fen_is_found_with_its_line(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    first = bill.verdict.lines[0]
    changed = first._replace(split=first.split._replace(fund_fen=999, other_fen=1))
    verdict = replace(bill.verdict, lines=(changed,))
    facts = Facts(bill.bill.stay, bill.bill.case, bill.bill.hospital, bill.bill.lines)
    await also(bill, "S2", detail=frozen(facts, verdict))
    code, text = await replayed(bill.settings)
    assert code == 1
    assert "S2: 行 line L1：所存 stored 9.99/0.00/0.00/0.00/0.01 []，重算 recomputed 10.00" in text
    assert "2 笔，1 笔相同，1 笔不同" in text


async def test_a_changed_text_is_found_even_where_no_amount_differs(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    facts = Facts(bill.bill.stay, bill.bill.case, bill.bill.hospital, bill.bill.lines)
    detail = json.loads(frozen(facts, bill.verdict))
    detail["verdict"]["rules_version"] = "1999.01"
    await also(bill, "S2", detail=json.dumps(detail))
    code, text = await replayed(bill.settings, "S2")
    assert (code, "the stored verdict differs: rules_version" in text) == (1, True)


async def test_a_settlement_that_is_not_there_or_has_lost_its_editions_is_different(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    assert "no such settlement" in (await replayed(bill.settings, "S404"))[1]
    with sqlite3.connect(bill.settings.database_path) as connection:
        connection.execute("DELETE FROM catalogue_edition WHERE kind = 'drug'")
    connection.close()
    code, text = await replayed(bill.settings)
    assert (code, "absent or damaged (LookupError)" in text) == (1, True)


async def test_many_settlements_are_shared_among_the_cores_and_told_in_order(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    for number in range(replay.ROUND + 8):
        await also(bill, f"S1-{number:03d}", **({"meal_fen": 1} if number % 38 == 0 else {}))
    code, text = await replayed(bill.settings)
    assert code == 1
    told = [line.partition(":")[0] for line in text.splitlines()]
    assert told[:-1] == ["S1-000", "S1-038"]
    assert "41 笔，39 笔相同，2 笔不同" in text


def test_without_a_database_nothing_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert replay.run(Settings(data_dir=tmp_path), (), io.StringIO(), lambda: True) == 1
    assert "没有数据库" in capsys.readouterr().err


async def test_prior_payments_and_who_paid_at_the_counter_are_replayed_to_the_byte(tmp_path: Path):
    payment = PriorPayment(
        payment_no="V1",
        payer=PriorPayer.BASIC_INSURANCE,
        eligible_fen=4_000,
        paid_on=date(2026, 3, 15),
        settlement_no="BMI1",
    )
    bill = await settled(
        tmp_path,
        a_line(price="100"),
        stay=a_stay(payments=(payment,)),
        paid_by=PaidAtDischargeBy.INDIVIDUAL,
    )
    shares = {one.payee: one.medical_fen for one in bill.verdict.payout.shares}
    assert shares == {Payee.BASIC_INSURANCE: 4_000, Payee.INDIVIDUAL: 6_000}
    assert (await replayed(bill.settings))[0] == 0
    facts = Facts(bill.bill.stay, bill.bill.case, bill.bill.hospital, bill.bill.lines)
    await also(bill, "S2", detail=frozen(facts, bill.verdict))
    code, text = await replayed(bill.settings, "S2")
    assert code == 1
    assert re.search("the stored verdict differs: .*payout", text)


async def test_a_difference_is_told_only_when_its_reading_was_kept(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    for number in range(replay.ROUND + 1):
        await also(bill, f"S2-{number:03d}", meal_fen=1)
    asked: list[str] = []

    def refused() -> bool:
        asked.append("refused")
        return False

    def kept() -> bool:
        asked.append("kept")
        return True

    def told(recorded: Callable[[], bool]) -> str:
        out = io.StringIO()
        assert replay.run(bill.settings, (), out, recorded, 1) == 1
        return out.getvalue()

    assert await asyncio.to_thread(told, refused) == ""
    assert "33 笔不同" in await asyncio.to_thread(told, kept)
    assert asked == ["refused", "kept"], "one row for all of them"

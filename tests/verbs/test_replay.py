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


def by_hand(bill: Settled, change: str, *values: object) -> None:
    with sqlite3.connect(bill.settings.database_path) as connection:
        assert connection.execute(f"UPDATE settlement SET {change}", values).rowcount == 1  # noqa: S608
    connection.close()


async def test_one_changed_byte_accuses_that_settlement_alone(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    for number in ("S2", "S3"):
        await also(bill, number)
    with sqlite3.connect(bill.settings.database_path) as connection:
        query = "SELECT detail FROM settlement WHERE settlement_id = 'S2'"
        ((detail,),) = connection.execute(query)
    connection.close()
    by_hand(
        bill,
        "detail = ? WHERE settlement_id = 'S2'",
        detail[:40] + bytes([detail[40] ^ 1]) + detail[41:],
    )
    code, text = await replayed(bill.settings)
    assert (code, text.splitlines()[0]) == (
        1,
        "S2: S2 的明细打不开：被改动过，或密钥不在 keys/ 中 / the detail of S2 does not open: "
        "it was altered, or its key is not in keys/",
    )
    assert text.splitlines()[1].startswith("重算 3 笔，2 笔相同，1 笔不同")


@pytest.mark.parametrize("detail", ["NULL", "x''", "x'00'", "zeroblob(300)"])
async def test_a_detail_that_is_gone_or_no_ciphertext_is_told_in_a_sentence(
    tmp_path: Path, detail: str
):
    bill = await settled(tmp_path, a_line())
    await also(bill, "S2")
    by_hand(bill, f"detail = {detail} WHERE settlement_id = 'S2'")
    code, text = await replayed(bill.settings, "S2", SETTLEMENT)
    assert (code, text.startswith("S2: S2 的明细打不开"), "1 笔不同" in text) == (1, True, True)


async def test_a_detail_that_the_gateway_would_not_write_is_damaged(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    for number, detail in (("S2", "{}"), ("S3", "no json"), ("S4", "[]"), ("S5", '{"stay": []}')):
        await also(bill, number, detail=detail)
    code, text = await replayed(bill.settings)
    told = [line.partition("（")[0] for line in text.splitlines()[:-1]]
    assert (code, told) == (1, [f"S{n}: S{n} 的明细残缺" for n in range(2, 6)])
    assert "5 笔，1 笔相同，4 笔不同" in text


async def test_of_a_purged_and_a_good_settlement_only_the_purged_one_is_told(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    await also(bill, "S2")
    by_hand(bill, "detail = NULL, record_key = NULL WHERE settlement_id = 'S2'")
    code, text = await replayed(bill.settings, "S2", SETTLEMENT)
    assert (code, text.splitlines()[0]) == (
        1,
        "S2: S2 的职工已清除 / the worker of S2 was purged",
    )
    assert "2 笔，1 笔相同，1 笔不同" in text
    assert (await replayed(bill.settings))[1].startswith("重算 1 笔，1 笔相同")


@pytest.mark.parametrize(
    "column",
    [
        *("admission_id", "hospital", "business_day", "rules_version", "policy_digest"),
        *("edition_digests", "meal_days", "person_id", "case_no"),
    ],
)
async def test_a_column_that_restates_facts_or_verdict_says_the_same(tmp_path: Path, column: str):
    bill = await settled(tmp_path, a_line())
    by_hand(bill, f"{column} = 'X'")
    code, text = await replayed(bill.settings)
    assert code == 1
    assert text.startswith(f"{SETTLEMENT}: {column} 所存 stored 'X'，应为 should be '")


async def test_a_settlement_with_another_count_of_lines_or_instant_is_told(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    by_hand(bill, "line_count = 2, settled_us = settled_us + 86400000000")
    code, text = await replayed(bill.settings)
    assert (code, "line_count 所存 stored 2，应为 should be 1" in text) == (1, True)
    assert "business_day 所存 stored '2026-03-15'，应为 should be '2026-03-16'" in text


async def reversed_of(bill: Settled, number: str, **changes: object) -> None:
    split = bill.verdict.split.negated()
    negative = {**split._asdict(), "total_fen": split.total_fen}
    negative["meal_fen"] = -bill.verdict.meal.amount_fen
    await also(bill, number, **(negative | changes))


@pytest.mark.parametrize("column", ["case_no", "person_id", "bill_no"])
async def test_a_reversal_has_what_its_settlement_has(tmp_path: Path, column: str):
    bill = await settled(tmp_path, a_line())
    await reversed_of(bill, "S2", reverses=SETTLEMENT)
    assert (await replayed(bill.settings))[0] == 0
    by_hand(bill, f"{column} = 'X' WHERE settlement_id = 'S2'")
    code, text = await replayed(bill.settings)
    assert (code, text.startswith(f"S2: {column} 所存 stored 'X'")) == (1, True)
    assert "2 笔，1 笔相同，1 笔不同" in text


async def test_a_reversal_that_names_another_settlement_is_told(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    await also(bill, "S3", fund_fen=900, other_fen=100)
    await reversed_of(bill, "S2", reverses="S3")
    code, text = await replayed(bill.settings, "S2")
    assert (code, "fund_fen 所存 stored -1000，应为 should be -900" in text) == (1, True)
    by_hand(bill, "reverses = 'S9' WHERE settlement_id = 'S2'")
    told = (await replayed(bill.settings, "S2"))[1]
    assert "所指的 S9 不在库中 / it names S9, which is not there" in told


async def test_the_reversal_of_a_settlement_that_does_not_open_is_itself_innocent(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    await reversed_of(bill, "S2", reverses=SETTLEMENT)
    by_hand(bill, f"detail = x'00' WHERE settlement_id = '{SETTLEMENT}'")
    code, text = await replayed(bill.settings)
    assert (code, text.startswith(f"{SETTLEMENT}: ")) == (1, True)
    assert "2 笔，1 笔相同，1 笔不同" in text


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

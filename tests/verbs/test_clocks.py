"""gateway clocks: what runs in the store, the most urgent first, each with its owner."""

import asyncio
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.clock import at_business, micros
from gateway.settings import Settings
from gateway.verbs import clocks
from tests.rules.facts import a_line
from tests.verbs.ledger import WORKER, Settled, insert, settled, settlement_row

TODAY = date(2026, 4, 1)


def at(day: date, hour: int = 9) -> int:
    return micros(at_business(day, hour))


async def running(bill: Settled, today: date = TODAY) -> tuple[int, str]:
    out = io.StringIO()
    return await asyncio.to_thread(clocks.run, bill.settings, today, out), out.getvalue()


def a_case(case_no: str, state: str, **changes: Any) -> dict[str, Any]:
    return {
        "case_no": case_no,
        "state": state,
        "injured_on": "2026-03-10",
        "applied_on": None,
        "accepted_on": None,
        "detail": "{}",
    } | changes


def an_application(application_id: str) -> dict[str, Any]:
    return {
        "application_id": application_id,
        "hospital": "H1",
        "kind": "REHABILITATION",
        "applied_on": "2026-03-31",
        "wanted_from": "2026-04-01",
        "wanted_to": "2026-04-30",
        "detail": "{}",
    }


def a_step(seq: int, from_state: str, to_state: str, day: date) -> dict[str, Any]:
    return {
        "tx_id": "T2",
        "seq": seq,
        "at_us": at(day),
        "action": "case.decide",
        "subject": "C3",
        "from_state": from_state,
        "to_state": to_state,
    }


async def with_open_things(folder: Path) -> Settled:
    """A settled bill, three open cases, two open stays, an open cut and an application."""
    bill = await settled(folder, a_line())
    stay = {
        "hospital": "H1",
        "admitted_us": at(date(2026, 3, 20)),
        "registered_us": at(date(2026, 3, 26)),
        "detail": "{}",
    }
    cut = {
        "hospital": "H1",
        "raised_us": at(date(2026, 3, 28)),
        "answer_by": "2026-04-04",
        "heard_on": None,
        "detail": "{}",
    }
    unfiled = settlement_row(
        bill.bill, bill.verdict, settlement_id="S2", admission_id="A9", state="SETTLED"
    )
    rows = {
        "settlement": [unfiled],
        "work_case": [
            a_case("C2", "REPORTED"),
            a_case("C3", "ACCEPTED", accepted_on="2026-03-02"),
            a_case("C4", "SUSPENDED", accepted_on="2026-03-02"),
            a_case("C5", "RECOGNISED", accepted_on="2026-03-02"),
        ],
        "cut": [
            {"cut_no": "K1", "state": "NOTICED", "noticed_on": "2026-03-28"} | cut,
            {"cut_no": "K2", "state": "UPHELD", "noticed_on": "2026-03-01"} | cut,
        ],
        "audit": [
            a_step(1, "ACCEPTED", "SUSPENDED", date(2026, 3, 5)),
            a_step(2, "SUSPENDED", "ACCEPTED", date(2026, 3, 15)),
        ],
        "admission": [
            {"admission_id": "A2", "state": "PENDING_CHECK", "late": 1, "visit_no": "V2"} | stay,
            {"admission_id": "A3", "state": "CLOSED", "visit_no": "V3"} | stay,
        ],
        "application": [an_application("Q1"), an_application("Q2")],
        "application_answer": [
            {"application_id": "Q2", "state": "CANCELLED", "answered_on": "2026-03-31"}
        ],
    }
    await insert(bill.settings, rows, tx_id="T2")
    return bill


async def test_everything_that_runs_is_listed_with_days_left_owner_and_article(tmp_path: Path):
    code, text = await running(await with_open_things(tmp_path))
    assert code == 0
    heads = [line for line in text.splitlines() if not line.startswith(" ")]
    assert [head.split("  ")[0] for head in heads[:-1]] == [
        "2026-03-23 逾期 3 天办理 done 3 days late",
        "2026-03-27 已过 5 天 overrun by 5 days",
        "2026-04-03 还剩 2 天 2 days left",
        "2026-04-04 还剩 3 天 3 days left",
        "2026-04-09 还剩 8 天 8 days left",
        "2026-04-10 还剩 9 天 9 days left",
        "2026-04-10 还剩 9 天 9 days left",
        "2026-04-30 还剩 29 天 29 days left",
        "2026-05-11 还剩 40 天 40 days left",
        "2027-03-10 还剩 343 天 343 days left",
        "中止，自受理 30 天 suspended, 30 days since acceptance",
        "中止，自受理 30 天 suspended, 30 days since acceptance",
    ]
    assert "经办机构 agency  A2 H1：核查住院登记 / check the registration" in text
    assert "劳动能力鉴定委员会 assessment committee  Q1 H1：决定康复" in text
    assert "医院 hospital  H1 2026-03：月度申报 / file the month" in text
    assert "医院 hospital  K1 H1：陈述、申辩 / state its case about the cut" in text
    assert "依据 by 《工伤保险条例》第二十条第一款  recognition/decide_days = 60" in text
    assert heads[-1] == "2026-04-01：12 项期限，2 项已过 / 12 clocks, 2 overrun"
    assert WORKER not in text


async def test_a_length_that_no_text_gives_is_said_and_nothing_is_guessed(tmp_path: Path):
    weihai = Settings(data_dir=tmp_path, region="371000")
    out = io.StringIO()
    assert await asyncio.to_thread(clocks.run_one, weihai, "MONTHLY_FILING", TODAY, TODAY, out) == 1
    assert out.getvalue().startswith("没有规定 no text gives it  医院 hospital")
    assert "filing/day" in out.getvalue()


def test_one_clock_is_told_for_a_paper_that_is_not_in_the_store(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GATEWAY_REGION", "999900")
    asked = ["clocks", "--event", "ADVANCE_DEMAND", "--on", "2026-05-12"]
    assert main([*asked, "--since", "2026-05-11"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2026-05-14 还剩 2 天 2 days left  经办机构 agency")
    assert "本网关的理解" in told
    assert main([*asked, "--since", "2099-05-11"]) == 0
    assert capsys.readouterr().out.startswith("日历未加载 calendar not loaded")


def test_without_a_database_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert clocks.run(Settings(data_dir=tmp_path), TODAY, io.StringIO()) == 1
    assert "没有数据库" in capsys.readouterr().err

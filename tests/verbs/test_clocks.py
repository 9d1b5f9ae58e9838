"""gateway clocks: what runs in the store, the most urgent first, each with its owner."""

import asyncio
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.clock import at_business, micros
from gateway.rules.clocks import Deadline
from gateway.settings import Settings
from gateway.verbs import clocks
from tests.rules.facts import a_line, policy_with
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
        "diagnosed_on": None,
        "application_extended_to": None,
        "decided_on": None,
        "supplement_by": None,
        "reported_us": at(date(2026, 3, 10)),
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


def a_step(
    seq: int, from_state: str, to_state: str, sent: date, subject: str = "C3", day: str = ""
) -> dict[str, Any]:
    return {
        "tx_id": "T2",
        "seq": seq,
        "at_us": at(sent),
        "decided_on": day or None,
        "action": "case.decide",
        "subject": subject,
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
        "case_no": "",
        "treatment": "INPATIENT",
        "emergency": 0,
        "late": 0,
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
    outside = {"emergency": 1, "case_no": "C9"}
    in_time = {"registered_us": at(date(2026, 3, 21))}
    rows = {
        "settlement": [unfiled],
        "work_case": [
            a_case("C2", "REPORTED"),
            a_case("C3", "ACCEPTED", accepted_on="2026-03-02"),
            a_case("C4", "SUSPENDED", accepted_on="2026-03-02"),
            a_case("C5", "RECOGNISED", accepted_on="2026-03-02"),
            a_case("C6", "SUPPLEMENTING", supplement_by="2026-04-02"),
            a_case("C7", "SUPPLEMENTING", decided_on="2026-03-30"),
            a_case("C10", "ACCEPTED", accepted_on="2026-03-02", decided_on="2026-03-31"),
            a_case("C8", "APPLIED", applied_on="2026-03-31", reported_us=at(date(2026, 3, 13))),
        ],
        "cut": [
            {"cut_no": "K1", "state": "NOTICED", "noticed_on": "2026-03-28"} | cut,
            {"cut_no": "K2", "state": "UPHELD", "noticed_on": "2026-03-01"} | cut,
        ],
        "audit": [
            a_step(1, "ACCEPTED", "SUSPENDED", date(2026, 3, 5)),
            a_step(2, "SUSPENDED", "ACCEPTED", date(2026, 3, 25), day="2026-03-15"),
            a_step(3, "RECOGNISED", "REVOKED", date(2026, 3, 31), "C10", "2026-03-30"),
        ],
        "admission": [
            stay | {"admission_id": "A2", "state": "PENDING_CHECK", "late": 1, "visit_no": "V2"},
            stay | {"admission_id": "A3", "state": "CLOSED", "visit_no": "V3"},
            stay | {"admission_id": "A4", "state": "HELD", "visit_no": "V4"} | outside,
            stay | {"admission_id": "A5", "state": "HELD", "visit_no": "V5"} | outside | in_time,
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
    clocks_told, _, others = text.partition("2026-04-01：")
    heads = [line for line in clocks_told.splitlines() if not line.startswith(" ")]
    assert [head.split("：")[0] for head in heads] == [
        "2026-03-11 逾期 2 天办理 done 2 days late  用人单位 employer  C8",
        "2026-03-21 逾期 5 天办理 done 5 days late  用人单位 employer  A4 H1",
        "2026-03-23 逾期 3 天办理 done 3 days late  医院 hospital  A2 H1",
        "2026-03-27 已过 5 天 overrun by 5 days  社会保险行政部门 department  C3",
        "2026-04-03 还剩 2 天 2 days left  劳动能力鉴定委员会 assessment committee  Q1 H1",
        "2026-04-04 还剩 3 天 3 days left  医院 hospital  K1 H1",
        "2026-04-05 还剩 4 天 4 days left  社会保险行政部门 department  C6",
        "2026-04-08 还剩 7 天 7 days left  社会保险行政部门 department  C8",
        "2026-04-09 还剩 8 天 8 days left  用人单位 employer  C2",
        "2026-04-10 还剩 9 天 9 days left  经办机构 agency  A2 H1",
        "2026-04-10 还剩 9 天 9 days left  医院 hospital  H1 2026-03",
        "2026-04-30 还剩 29 天 29 days left  经办机构 agency  H1 2026-03",
        "2026-05-11 还剩 40 天 40 days left  社会保险行政部门 department  C3",
        "2027-03-10 还剩 343 天 343 days left  职工 worker  C2",
        "中止，自受理 30 天 suspended, 30 days since acceptance  社会保险行政部门 department  C4",
        "中止，自受理 30 天 suspended, 30 days since acceptance  社会保险行政部门 department  C4",
        "起算日未告知 day that starts it not told  社会保险行政部门 department  C7",
        "起算日未告知 day that starts it not told  社会保险行政部门 department  C10",
        "起算日未告知 day that starts it not told  社会保险行政部门 department  C10",
    ]
    assert "经办机构 agency  A2 H1：核查住院登记 / check the registration" in text
    assert "劳动能力鉴定委员会 assessment committee  Q1 H1：决定康复" in text
    assert "医院 hospital  H1 2026-03：月度申报 / file the month" in text
    assert "医院 hospital  K1 H1：陈述、申辩 / state its case about the cut" in text
    assert "依据 by 《工伤保险条例》第二十条第一款  recognition/decide_days = 60" in text
    assert "告知最后一日 / documents being supplied; tell the last day by SupplementBy" in text
    assert "原受理日不再起算，新的起算日没有告知 / accepted anew after a revocation" in text
    assert others.startswith("19 项期限，4 项已过 / 19 clocks, 4 overrun\n")
    assert WORKER not in text


async def test_every_clock_is_seen_running_idle_or_with_the_command_that_asks_for_it(
    tmp_path: Path,
):
    _, text = await running(await with_open_things(tmp_path))
    _, idle = text.split("none of these runs now: ")
    named, papers = idle.split("\n", 1)
    asked = {
        line.split()[0] for line in papers.splitlines() if line.startswith("   ") and "：" in line
    }
    told = {line.split()[0] for line in text.splitlines() if " 自 since " in line}
    assert told | set(named.split()) | asked - {"gateway"} == set(clocks.names())
    assert "gateway clocks --event ADVANCE_DEMAND --since YYYY-MM-DD" in papers
    assert not (set(named.split()) | told) & asked


def test_a_clock_that_would_end_after_the_last_day_there_is_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GATEWAY_REGION", "999900")
    for event in ("WORKER_APPLICATION", "MONTHLY_FILING"):
        assert main(["clocks", "--event", event, "--since", "9999-12-31"]) == 1
        told = capsys.readouterr()
        assert (told.out, "没有这一天" in told.err) == ("", True)
        assert "no such day" in told.err


def test_what_was_done_within_a_day_of_its_end_is_told_so():
    late = Deadline(clocks.CLOCKS["EMERGENCY_REPORT"], "A1", TODAY, TODAY, done_on=TODAY)
    told = list(clocks.told([late], TODAY))
    assert told[0].startswith("2026-04-01 逾期 不到一天办理 done less than a day late")


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


def test_a_clock_that_a_text_lets_run_for_ever_has_no_end_and_is_cited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lifted = policy_with({"emergency/report_hours": "no limit"})
    monkeypatch.setattr(clocks, "load", lambda _: lifted)
    out, settings = io.StringIO(), Settings(data_dir=tmp_path)
    assert clocks.run_one(settings, "EMERGENCY_REPORT", TODAY, TODAY, out) == 0
    assert out.getvalue().startswith("EMERGENCY_REPORT 不设期限 no limit  依据 by 《")

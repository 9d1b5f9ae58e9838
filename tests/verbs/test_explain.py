"""gateway explain: a stored bill in words, and as a case that `calculate --check` proves."""

import asyncio
import io
import json
import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.case_file.write import cases_text
from gateway.cli import main
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import BillVerdict
from gateway.domain.case import Applicant, BenefitStop, Joined, ThirdParty
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.readings import LATE_SHARE, SERVICE_DAY
from gateway.rules.settle import Bill, netted_terms, settle
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.frozen import Facts
from gateway.verbs import calculate, explain
from gateway.verbs.stored import NotTold, StoredBill
from tests.reports.sheets import refund_of, some_lines
from tests.rules.facts import a_bill, a_case, a_line, a_stay, policy_with
from tests.store.test_store_health import a_row
from tests.verbs.ledger import EMPLOYER, ID_NO, SETTLEMENT, WORKER, insert, settled, settlement_row


def told(
    settings: Settings,
    *,
    as_case: bool = False,
    number: str = SETTLEMENT,
    line: int | None = None,
) -> tuple[int, str]:
    out = io.StringIO()
    return explain.run(settings, number, as_case, out, line), out.getvalue()


def proved(text: str, folder: Path) -> list[dict[str, Any]]:
    """What `calculate --check` computes of the printed cases; it must find no difference."""
    path = folder / "cases.json"
    path.write_text(text, encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    assert calculate.run(str(path), True, out, err) == 0, err.getvalue()
    result: list[dict[str, Any]] = json.loads(out.getvalue())
    return result


async def test_a_bill_of_every_kind_of_line_proves_its_stored_split(tmp_path: Path):
    lines = some_lines(12)
    bill = await settled(tmp_path, *lines, refund_of(lines[0], "4"), refund_of(lines[1], "1"))
    code, text = await in_thread(bill.settings)
    assert code == 0
    (case,) = json.loads(text)
    (result,) = proved(text, tmp_path)
    assert len(case["lines"]) == len(case["expect"]["lines"]) == 12
    assert result["fund"] == case["expect"]["fund"]
    assert result["stay"] == {"meal_days": 14, "meal": "210.00"}
    assert case["expect"]["stay"] == {"meal_days": 14, "meal": "210.00"}


async def test_a_line_and_its_refund_print_as_one_line_of_net_quantity(tmp_path: Path):
    line = a_line(price="12.5", qty="14")
    bill = await settled(tmp_path, line, refund_of(line, "4"))
    (case,) = json.loads((await in_thread(bill.settings))[1])
    (printed,) = case["lines"]
    (expected,) = case["expect"]["lines"]
    assert (printed["price"], printed["qty"]) == ("12.50", "10")
    assert (expected["amount"], expected["fund"]) == ("125.00", "125.00")


async def test_amounts_rounded_one_by_one_print_what_was_charged(tmp_path: Path):
    line = a_line(price="0.335", qty="3")
    second = refund_of(line, "1")._replace(line_id="L1-R2")
    bill = await settled(tmp_path, line, refund_of(line, "1"), second)
    _, text = await in_thread(bill.settings)
    (printed,) = json.loads(text)[0]["lines"]
    assert (printed["price"], printed["qty"], printed["charged"]) == ("0.335", "1", "0.33")
    assert proved(text, tmp_path)[0]["fund"] == "0.33"


async def test_days_that_fell_out_leave_the_meal_unexpected_and_lines_unrelated(tmp_path: Path):
    stop = BenefitStop(date(2026, 3, 5), date(2026, 3, 5), "拒绝治疗", "N1")
    case = a_case(stops=(stop,))
    bill = await settled(tmp_path, a_line(), a_line(line_id="L2", day=date(2026, 3, 6)), case=case)
    assert bill.verdict.split.other_fen == 1000
    _, text = await in_thread(bill.settings)
    (printed,) = json.loads(text)
    assert [line.get("relation") for line in printed["lines"]] == ["unrelated", None]
    assert "stay" not in printed["expect"]
    assert proved(text, tmp_path)[0]["other"] == "10.00"


async def test_a_case_that_cannot_give_the_stored_split_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path, a_line())
    first = bill.verdict.lines[0]
    changed = first._replace(split=first.split._replace(fund_fen=999, other_fen=1))
    verdict = replace(bill.verdict, lines=(changed,))
    row = settlement_row(bill.bill, verdict, settlement_id="S2", live=None)
    await insert(bill.settings, {"settlement": [row]})
    assert await in_thread(bill.settings, number="S2") == (1, "")
    assert "不能准确写成试算案例，不符之处：S2/0/fund、S2/0/other" in capsys.readouterr().err


async def test_in_words_every_line_has_its_split_reasons_and_articles(tmp_path: Path):
    lines = some_lines(6)
    bill = await settled(tmp_path, *lines, refund_of(lines[0], "4"))
    code, text = await in_thread(bill.settings, as_case=False)
    assert code == 0
    assert "2. 布洛芬缓释胶囊 (TABLET)  2026-03-05  12.50 × -4" in text
    assert "   退费 refund of L0" in text
    assert "   金额 amount 3380.00：基金 fund 3000.00  单位 employer 380.00" in text
    assert "   OVER_CEILING：超过最高支付限价的部分 / Above the highest payable unit price" in text
    assert "   依据 by 《工伤保险条例》第三十条第三款" in text
    assert f"合计 total {bill.verdict.total_fen // 100}." in text
    assert bill.verdict.suspicions
    for one in bill.verdict.suspicions:
        assert f"疑点 suspicion {one.code}：{AUDIT_RULES[one.code].zh}" in text
    assert "住院伙食补助费 meal allowance 210.00（14 天 days × 15.00，HOSPITAL）" in text
    assert [name for name in (WORKER, EMPLOYER, ID_NO) if name in text] == []


async def test_what_took_a_settlement_back_and_put_it_in_force_again_is_named_first(
    tmp_path: Path,
):
    bill = await settled(tmp_path, a_line())
    links = ({"settlement_id": "S2", "reverses": "S1"}, {"settlement_id": "S3", "reinstates": "S1"})
    for row in links:
        first = (await in_thread(bill.settings, as_case=False))[1]
        kept = settlement_row(bill.bill, bill.verdict, live=None, **row)
        await insert(bill.settings, {"settlement": [kept]}, tx_id=row["settlement_id"])
    assert first.splitlines()[:2] == [
        "已由 S2 冲正 reversed by S2  2026-03-15",
        "结算 settlement S1  2026-03-15  x",
    ]
    for line in (None, 1):
        _, text = await in_thread(bill.settings, as_case=False, line=line)
        assert text.splitlines()[:2] == [
            "已由 S2 冲正 reversed by S2  2026-03-15",
            "已由 S3 恢复 reinstated by S3  2026-03-15",
        ]


async def test_a_reversal_is_told_negative_and_as_a_case_names_the_original(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path, a_line())
    split = bill.verdict.split.negated()
    amounts = {"total_fen": split.total_fen, **split._asdict()}
    row = settlement_row(
        bill.bill, bill.verdict, settlement_id="S2", live=None, reverses="S1", **amounts
    )
    await insert(bill.settings, {"settlement": [row]})
    code, text = await in_thread(bill.settings, number="S2", as_case=False)
    assert code == 0
    assert "冲正 reverses S1" in text
    assert "合计 total -10.00：基金 fund -10.00" in text
    meal = text[text.index("住院伙食补助费 meal allowance -210.00（14 天 days × 15.00") :]
    assert meal.splitlines()[1] == "   冲正取负 the reversal is its negative"
    assert await in_thread(bill.settings, number="S2") == (1, "")
    assert "S2 是冲正或补差，请说明原结算 S1" in capsys.readouterr().err


async def test_a_settlement_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path, a_line())
    assert await in_thread(bill.settings, number="S9") == (1, "")
    assert capsys.readouterr().err == "没有结算 S9 / there is no settlement S9\n"


async def test_an_edition_that_was_altered_explains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path, a_line())
    connection = sqlite3.connect(bill.settings.database_path)
    with connection:
        connection.execute("UPDATE catalogue_edition SET content = CAST(content || x'0A' AS BLOB)")
    connection.close()
    assert await in_thread(bill.settings) == (1, "")
    assert "DamagedEdition" in capsys.readouterr().err


async def test_每一步都有算式_事实_目录行和版本(tmp_path: Path):
    bed = a_line(line_id="L1", code="BED", price="60", qty="14", consent="individual")
    bill = await settled(tmp_path, bed)
    _, text = await in_thread(bill.settings, as_case=False)
    assert "事实 facts 治疗工伤 for the injury；自费同意 consent signed: 个人 individual" in text
    assert "facility/BED  BED  限价 ceiling 40.00（secondary）  版本 edition " in text
    assert "A 金额 amount = 所列金额 as charged, round(60.00 × 14) = 840.00" in text
    assert "P 限量内 within the quantity limit = A（无限量 no quantity limit） = 840.00" in text
    assert (
        "E 限价内 within the ceiling = round(min(60.00, 40.00) × 14) = 560.00；"
        "移转 moved 个人 individual 280.00（OVER_CEILING）" in text
    )
    assert "F 按比例 at the ratio = round(E × 1.00) = 560.00" in text
    assert "合计由各行相加，不再舍入" in text
    assert told_readings(text) == [SERVICE_DAY]


def told_readings(text: str) -> list[tuple[str, str]]:
    """The readings printed at the end of an explanation."""
    lines = [line for line in text.splitlines() if line.startswith("本网关的理解：")]
    return [(zh, en) for zh, en in (line.split(" / ") for line in lines)]


async def test_a_reading_is_printed_only_where_it_was_used(tmp_path: Path):
    late = a_case(
        injured_on=date(2026, 1, 1), applied_on=date(2026, 3, 5), accepted_on=date(2026, 3, 6)
    )
    lines = (
        a_line(line_id="L1", day=date(2026, 3, 2)),
        a_line(line_id="L2", day=date(2026, 3, 10)),
        a_line(line_id="L3", day=date(2026, 3, 10), relation="unrelated"),
    )
    bill = await settled(tmp_path, *lines, case=late)
    _, text = await in_thread(bill.settings, as_case=False)
    assert told_readings(text) == [SERVICE_DAY, LATE_SHARE]
    first, second, third = [
        told_readings((await in_thread(bill.settings, as_case=False, line=number))[1])
        for number in (1, 2, 3)
    ]
    assert first == [SERVICE_DAY, LATE_SHARE]
    assert second == [SERVICE_DAY]
    assert third == []


async def test_a_line_that_came_under_the_hospitals_own_code_is_told_with_both(tmp_path: Path):
    bill = await settled(tmp_path, a_line(hospital_code="HY-0001"))
    code, text = await asyncio.to_thread(told, bill.settings)
    assert code == 0
    assert "院内编码 hospital code HY-0001 = TABLET" in text


async def test_one_line_can_be_asked_for_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    first = a_line(price="12.5", qty="14")
    bill = await settled(tmp_path, first, refund_of(first, "4"), a_line(line_id="L2", price="7"))
    code, text = await in_thread(bill.settings, as_case=False, line=2)
    assert code == 0
    assert "按退费后的净数量 at the net quantity after this refund:" in text
    assert "本行 this line = 基金 fund 125.00 − 基金 fund 175.00 = 基金 fund -50.00" in text
    assert "1. " not in text
    assert "合计 total" not in text
    for beyond in (0, 4):
        assert await in_thread(bill.settings, as_case=False, line=beyond) == (1, "")
    assert "没有第 4 行，共 3 行" in capsys.readouterr().err


async def test_a_bill_whose_editions_are_lost_is_told_without_its_steps(tmp_path: Path):
    bill = await settled(tmp_path, a_line())
    with sqlite3.connect(bill.settings.database_path) as connection:
        connection.execute("DELETE FROM policy_edition")
    connection.close()
    code, text = await in_thread(bill.settings, as_case=False)
    assert code == 0
    assert "计算步骤无法重现" in text
    assert "金额 amount 10.00：基金 fund 10.00" in text


def test_a_case_of_one_line_alone_is_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "S1", "--as-case", "--line", "2"]) == 2
    told = capsys.readouterr()
    assert (told.out, "leave --line out" in told.err) == ("", True)


def test_without_a_database_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert told(Settings(data_dir=tmp_path)) == (1, "")
    assert "没有数据库" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def test_without_its_keys_no_new_key_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path, a_line())
    for key in bill.settings.keys_dir.iterdir():
        key.unlink()
    assert await in_thread(bill.settings) == (1, "")
    assert "从备份恢复" in capsys.readouterr().err
    assert list(bill.settings.keys_dir.iterdir()) == []


async def in_thread(
    settings: Settings,
    *,
    as_case: bool = True,
    number: str = SETTLEMENT,
    line: int | None = None,
) -> tuple[int, str]:
    """The verb as the command line runs it, outside this test's loop."""
    return await asyncio.to_thread(told, settings, as_case=as_case, number=number, line=line)


# --- who paid before, and whom the fund pays ---


def paid(payer: PriorPayer, eligible_fen: int, **more: Any) -> PriorPayment:
    values = {"payment_no": f"V-{payer}", "payer": payer, "eligible_fen": eligible_fen}
    return PriorPayment(**values | {"paid_on": date(2026, 3, 15)} | more)


async def test_every_payee_is_told_with_its_articles(tmp_path: Path):
    insured = paid(PriorPayer.BASIC_INSURANCE, 4_000, settlement_no="BMI1")
    payments = (insured, paid(PriorPayer.INDIVIDUAL, 2_000))
    bill = await settled(tmp_path, a_line(price="100"), stay=a_stay(payments=payments))
    _, text = await in_thread(bill.settings, as_case=False)
    assert "基金付给 fund pays hospital 250.00（医疗费 medical 40.00，伙食 meals 210.00）" in text
    assert "基金付给 fund pays basic_insurance 40.00" in text
    assert "基金付给 fund pays individual 20.00" in text
    assert "《中华人民共和国社会保险法》第三十条第一款第（一）项" in text
    assert "bmi_refund/hospital_refunds_first = no，自 since 2026-01-01" in text


def third_party_bill() -> Bill:
    payment = paid(PriorPayer.THIRD_PARTY, 3_000)
    case = a_case(third_party=ThirdParty.CONFIRMED_PAID)
    return a_bill(a_line(price="100"), stay=a_stay(payments=(payment,)), case=case)


def test_what_a_third_party_paid_is_told_and_makes_a_case_that_proves_it(tmp_path: Path):
    bill, policy = third_party_bill(), policy_with({"third_party/policy": "DIRECT"})
    verdict = settle(bill, policy)
    assert isinstance(verdict, BillVerdict)
    facts = Facts(bill.stay, bill.case, bill.hospital, bill.lines)
    cases = explain.as_cases("S1", verdict, facts, netted_terms(bill, policy))
    text = cases_text(cases)
    (case,), (result,) = json.loads(text), proved(text, tmp_path)
    assert case["paid"] == {"third_party": "30.00"}
    assert (case["expect"]["fund"], result["fund"], result["other"]) == ("70.00", "70.00", "30.00")
    assert case["expect"]["paid"] == {"taken_off": "30.00"}
    known = settlement_row(bill, verdict, reverses="", reinstates="", adjusts="", follows="")
    row = a_row(tables.settlement, **known)
    told = "\n".join(explain.explained(StoredBill(row, facts, verdict), NotTold("无", "none")))
    assert (
        "第三人已付可支付医疗费 a third party paid 30.00，整单减除 taken off the whole bill 30.00"
        in told
    )
    assert "先行支付可向第三人追偿 recoverable from the third party, up to 70.00" in told
    assert "合计 total 100.00：基金 fund 70.00  其他 other 30.00" in told


# --- the facts that decided ---


async def test_the_head_tells_the_facts_that_decided_and_since_when_the_fund_pays(tmp_path: Path):
    joined = Joined(date(2026, 3, 2), date(2026, 3, 5))
    case = a_case(insured_at_injury=False, joined=(joined,), applied_by=Applicant.WORKER)
    before, after = a_line(), a_line(line_id="L2", day=date(2026, 3, 6))
    bill = await settled(tmp_path, before, after, case=case)
    _, text = await in_thread(bill.settings, as_case=False)
    head, first, second = text.split("\n\n")[:3]
    assert "申请人 applied by：WORKER 职工本人 worker" in head
    assert "受伤时参保 insured at injury：否 no" in head
    assert "参保 joined：2026-03-02  缴清 paid 2026-03-05" in head
    assert "costs newly arise from（our reading）：2026-03-06" in head
    cites = "   依据 by 《工伤保险条例》第六十二条第三款（本网关的理解 / our reading）  "
    assert f"{cites}law/newly_arising = employer，自 since 2011-01-01" in first
    assert f"{cites}law/newly_arising = fund，自 since 2026-03-06" in second
    assert [name for name in (WORKER, EMPLOYER, ID_NO) if name in text] == []


async def test_an_injury_that_was_insured_is_told_no_first_day_of_cover(tmp_path: Path):
    joined = Joined(date(2026, 3, 2), date(2026, 3, 5))
    bill = await settled(tmp_path, a_line(), case=a_case(joined=(joined,)))
    _, text = await in_thread(bill.settings, as_case=False)
    assert "参保 joined：2026-03-02" in text
    assert "costs newly arise" not in text


async def test_the_facts_are_told_where_the_steps_can_no_longer_be_shown(tmp_path: Path):
    bill = await settled(tmp_path, a_line(), case=a_case(litigation=True))
    with sqlite3.connect(bill.settings.database_path) as connection:
        connection.execute("DELETE FROM policy_edition")
    connection.close()
    _, text = await in_thread(bill.settings, as_case=False)
    assert "复议或诉讼 review or suit：是 yes" in text

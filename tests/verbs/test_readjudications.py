"""gateway readjudicate, readjudications: proposed, shown, approved, posted, told, replayed."""

import asyncio
import io
import sqlite3
from pathlib import Path

import pytest
from pypdf import PdfReader

from gateway.cli import main
from gateway.clock import at_business
from gateway.domain.case import ThirdParty
from gateway.flows.release_held import release_all
from gateway.policy.load import SHIPPED
from gateway.verbs import replay
from tests.flows.office import DAY, office_in, prepare, settings_in
from tests.flows.test_cut_before_or_after import (
    HANGING_BED,
    THIRD_PARTY,
    Story,
    committed,
    discharged,
    opened,
    upheld,
)
from tests.flows.test_employers import named
from tests.flows.test_readjudication import (
    SECOND,
    cancel,
    dearer_meals,
    decide,
    owed_by_the_employer,
    proposed_by_policy,
    settled,
    stopped,
    the_proposal,
    third_party_told,
)

CITED = ["--clause", "example_agreement", "第三条"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "gateway"))
    monkeypatch.setenv("GATEWAY_ENVIRONMENT", "test")
    monkeypatch.setenv("GATEWAY_BUSINESS_START", at_business(DAY, 20).isoformat())
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def made(data: Path) -> str:
    """A settled bill whose benefits turn out to have been stopped; its number."""

    async def story() -> str:
        async with office_in(data) as office:
            one = (await settled(office)).result
            await stopped(office)
            return str(one.settlement_id)

    return asyncio.run(story())


def undone(data: Path, number: str) -> None:
    async def story() -> None:
        async with office_in(data) as office:
            await cancel(office, number)

    asyncio.run(story())


def test_without_a_database_nothing_is_proposed_and_none_is_made(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["readjudicate", "--cause", "CASE", "--by", "甲"]
    code, out, err = said(capsys, *asked)
    assert (code, out) == (1, "")
    assert "没有数据库" in err
    assert not (data / "gateway").exists()


def test_a_correction_goes_from_proposal_to_delta_by_the_command_line(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)
    number = made(data)
    code, out, _ = said(capsys, "readjudications", "list", "--state", "PROPOSED")
    proposal = out.split()[0]
    assert (code, number in out, "基金 fund -24.00" in out) == (0, True, True)

    code, out, err = said(capsys, "readjudicate", "--cause", "CASE", "--by", "丙")
    assert err == ""
    assert (code, f"建议 proposal {proposal}" in out) == (0, True)

    code, out, _ = said(capsys, "readjudications", "show", proposal)
    assert code == 0
    assert "原 before 基金 fund 24.00" in out
    assert "改 after 其他 other 24.00  BENEFIT_STOPPED" in out
    assert "依据 by 《工伤保险条例》第四十二条" in out
    assert "差额 difference 医院 hospital -98.00  其他 other +98.00" in out
    assert "引用服务协议条款" in out

    decided = ["readjudications", "approve", proposal, "--reason", "属实（虚构）"]
    code, _, err = said(capsys, *decided, "--by", "丙", *CITED)
    assert (code, "须为两人" in err) == (1, True)
    code, out, _ = said(capsys, *decided, "--by", "乙", *CITED)
    assert (code, "delta posted" in out) == (0, True)
    delta = out.split()[-1]

    code, out, _ = said(capsys, "explain", delta)
    assert (code, f"补差 adjusts {number}" in out, "改 after" in out) == (0, True, True)
    assert "目录 catalogue" in out
    assert "notice/benefit_stopped" in out
    code, only, _ = said(capsys, "explain", delta, "--line", "2")
    assert (code, "2. " in only, "1. " in only) == (0, True, False)
    code, _, err = said(capsys, "explain", delta, "--line", "99")
    assert (code, "没有第 99 行" in err) == (1, True)
    code, out, _ = said(capsys, "explain", number)
    assert f"补差 delta {delta}  2026-03-02" in out
    assert "原结算与补差合计 in all 122.00：其他 other 122.00" in out
    assert said(capsys, "explain", delta, "--as-case")[0] == 1
    assert said(capsys, "sheet", delta, "--out", str(data / "delta.pdf"))[0] == 0
    assert (data / "delta.pdf").stat().st_size > 1000
    code, out, _ = said(capsys, "readjudications", "show", proposal)
    assert f"补差结算 delta {delta}" in out
    assert "依据 basis 《示例市工伤保险医疗服务协议（虚构）》第三条" in out

    undone(data, number)
    code, out, _ = said(capsys, "replay", "--cores", "1")
    assert (code, "重算 3 笔，3 笔相同" in out) == (0, True)


def test_a_policy_that_a_delta_has_followed_already_changes_nothing_in_a_what_if(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)
    root = dearer_meals(data)

    async def story() -> None:
        async with office_in(data) as office:
            await settled(office)
            row = await proposed_by_policy(office, root)
            await decide(office, "approve", row["proposal_id"], SECOND)

    asyncio.run(story())
    tried = ["what-if", "--from", "2026-03-01", "--to", "2026-03-31", "--out", str(data / "w.xlsx")]
    code, out, _ = said(capsys, *tried, "--policy", str(root))
    assert (code, "1 笔仍结算，其中 0 笔金额有变，基金差额 0.00" in out) == (0, True)
    code, out, _ = said(capsys, *tried, "--policy", str(SHIPPED))
    assert (code, "1 笔仍结算，其中 1 笔金额有变，基金差额 -75.00" in out) == (0, True)


def test_another_employer_and_what_was_rejected_before_are_shown(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)

    async def story() -> tuple[str, str]:
        async with office_in(data) as office:
            await owed_by_the_employer(office)
            await stopped(office)
            first = (await the_proposal(office))["proposal_id"]
            await decide(office, "reject", first, SECOND)
            await named(office)
            await release_all(office.desk)
            return first, (await the_proposal(office))["proposal_id"]

    first, second = asyncio.run(story())
    code, out, _ = said(capsys, "readjudications", "show", second)
    assert code == 0
    assert "liable employer E1 → E2" in out
    assert f"rejected before, and perhaps part of this: {first}" in out


def test_what_cannot_be_computed_is_listed_until_a_person_closes_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)

    async def story() -> str:
        async with office_in(data) as office:
            one = (await settled(office)).result
            await third_party_told(office, ThirdParty.CONFIRMED_PAID)
            return str(one.settlement_id)

    number = asyncio.run(story())
    code, out, _ = said(capsys, "readjudications", "list", "--state", "BY_HAND")
    waits = "不能重算 not computable: MANUAL THIRD_PARTY，须由 AGENCY 办理 has to act"
    assert (code, number in out, waits in out) == (0, True, True)
    asked = out.split()[0]
    code, out, _ = said(capsys, "readjudications", "show", asked)
    assert (code, waits in out, "医院 hospital H001" in out) == (0, True, True)
    seen_to = ["readjudications", "close", asked, "--by", "甲", "--reason", "已手工办理（虚构）"]
    assert said(capsys, *seen_to)[0] == 0
    assert said(capsys, "readjudications", "list", "--state", "BY_HAND")[1] == ""
    assert "理由 reason 已手工办理" in said(capsys, "readjudications", "show", asked)[1]


def test_a_delta_whose_row_was_changed_is_found_by_replay(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)
    made(data)
    proposal = said(capsys, "readjudications", "list")[1].split()[0]
    for by in ("甲", "乙"):
        words = ["readjudications", "approve", proposal, "--by", by, "--reason", "是", *CITED]
        assert said(capsys, *words)[0] == 0
    with sqlite3.connect(settings_in(data).database_path) as connection:
        connection.execute(
            "UPDATE settlement SET fund_fen = fund_fen + 1, other_fen = other_fen - 1"
            " WHERE kind = 'DELTA'"
        )
    connection.close()
    out = io.StringIO()
    assert replay.run(settings_in(data), (), out, lambda: True, 1) == 1
    assert "账上金额 booked -23.99/0.00/0.00/-98.00/121.99" in out.getvalue()


def cut(data: Path, story: Story) -> tuple[str, str]:
    """The story's bill settled and its cut upheld: the settlement's number and its delta's."""

    async def told() -> tuple[str, str]:
        async with office_in(data) as office:
            await opened(office, story, data)
            stay = await discharged(office, story, 1)
            await committed(office, story, stay)
            done = await upheld(office, story, stay)
            assert done.decision is not None
            return done.settlement_id, done.decision.delta_id

    return asyncio.run(told())


def test_the_lines_of_a_delta_and_what_a_third_party_paid_add_up_to_its_total(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)
    _, delta = cut(data, THIRD_PARTY)
    code, out, _ = said(capsys, "explain", delta)
    assert code == 0
    lines = [
        "   差额 difference 基金 fund -120.00  医院 hospital +120.00",
        "   差额 difference 基金 fund -60.00  医院 hospital +60.00",
        "整单减除第三人已付 taken off the whole bill for what a third party paid"
        " 基金 fund +150.00  其他 other -150.00",
        "差额 difference 基金 fund -30.00  医院 hospital +180.00  其他 other -150.00",
        "可向第三人追偿的减少 less recoverable from the third party by 30.00",
        "基金付给 fund pays hospital -30.00（医疗费 medical -30.00，伙食 meals 0.00）",
    ]
    assert [line for line in out.splitlines() if line in lines] == lines
    assert "up to -" not in out
    out = said(capsys, "sheet", delta, "--out", str(data / "delta.pdf"))[1]
    told = "".join(page.extract_text() for page in PdfReader(data / "delta.pdf").pages)
    told = "".join(told.split())
    assert "第三人已付从基金支付减除的差额-150.00元" in told
    assert "可向第三人追偿的数额减少30.00元" in told


def test_the_delta_of_a_cut_is_listed_shown_and_replayed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(data)
    number, delta = cut(data, HANGING_BED)
    code, out, _ = said(capsys, "readjudications", "list", "--state", "APPROVED")
    proposal = out.split()[0]
    assert (code, f"CUT  {number}  基金 fund -12.00" in out) == (0, True)
    code, out, _ = said(capsys, "readjudications", "show", proposal)
    assert f"补差结算 delta {delta}" in out
    assert "改 after 4 天 days  60.00" in out
    with pytest.raises(SystemExit):
        said(capsys, "readjudicate", "--cause", "CUT", "--by", "甲")
    assert "invalid choice: 'CUT'" in capsys.readouterr().err
    code, out, _ = said(capsys, "replay", "--cores", "1")
    assert (code, "重算 2 笔，2 笔相同" in out) == (0, True)


def test_what_is_not_there_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "没有数据库" in said(capsys, "readjudications", "list")[2]
    prepare(data)
    code, out, _ = said(capsys, "readjudications", "list")
    assert (code, out) == (0, "")
    code, _, err = said(capsys, "readjudications", "show", "R404")
    assert (code, "没有建议 R404" in err) == (1, True)
    missing = ["readjudicate", "--cause", "CATALOGUE", "--catalog", "nothing.csv", "--by", "甲"]
    assert said(capsys, *missing)[0] == 1

"""gateway what-if: a proposal over stored settlements, by the rules that settle."""

import asyncio
import io
import shutil
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from gateway.cli import main
from gateway.policy.load import SHIPPED
from gateway.settings import Settings
from gateway.verbs import what_if
from tests.rules.facts import a_line
from tests.verbs.ledger import Settled, insert, settled, settlement_row

BED = a_line(line_id="L1", code="BED", price="60", qty="14", consent="individual")
FACILITIES = (
    "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary,ceiling,remark\n"
    "facility,BED,床位费,日,yes,,,,55.00,\n"
)


async def tried(bill: Settled, out: Path, **changes: Any) -> tuple[int, str]:
    given: dict[str, Any] = {
        "policy": None,
        "catalogue": None,
        "first": date(2026, 3, 1),
        "last": date(2026, 3, 31),
        "out": out,
    }
    said = io.StringIO()
    asked = what_if.Asked(**given | changes)
    code = await asyncio.to_thread(what_if.run, bill.settings, asked, said)
    return code, said.getvalue()


def table(path: Path, name: str) -> list[tuple[Any, ...]]:
    return list(load_workbook(path)[name].values)


async def test_a_higher_bed_ceiling_moves_its_price_from_the_worker_to_the_fund(tmp_path: Path):
    bill = await settled(tmp_path / "data", BED)
    proposed = tmp_path / "facilities.csv"
    proposed.write_text(FACILITIES, encoding="utf-8")
    out = tmp_path / "report.xlsx"
    code, said = await tried(bill, out, catalogue=proposed)
    assert code == 0
    assert said == (
        "1 笔结算：1 笔仍结算，其中 1 笔金额有变，基金差额 210.00；"
        "0 笔不再结算，原由基金支付 0.00；0 笔不能重算 / 1 settlements: 1 still settled, "
        "1 of them change, the fund's difference is 210.00; 0 would not be settled, "
        "for which the fund paid 0.00; 0 not computable\n"
    )
    assert table(out, "医院 Hospitals")[1] == ("H1", 1, 1, 770, 980, 210)
    assert table(out, "项目 Items")[1] == ("BED", "BED", 1, 1, 560, 770, 210)
    assert table(out, "原因 Reasons")[1][3:] == (1, 1, 280, 70, -210)


async def test_a_proposed_policy_is_tried_on_the_same_facts(tmp_path: Path):
    bill = await settled(tmp_path / "data", BED)
    proposed = tmp_path / "policy"
    shutil.copytree(SHIPPED, proposed)
    rate = proposed / "regions/999900_example/meal/per_day_fen.toml"
    rate.write_text(rate.read_text(encoding="utf-8").replace("is   = 1500", "is   = 2500"))
    out = tmp_path / "report.xlsx"
    code, said = await tried(bill, out, policy=proposed)
    assert (code, "基金差额 140.00" in said) == (0, True)
    assert table(out, "伙食补助 Meals")[1] == ("H1", 1, 1, 210, 350, 140)


async def test_a_value_taken_away_leaves_the_bill_unsettled_and_says_which(tmp_path: Path):
    bill = await settled(tmp_path / "data", BED)
    proposed = tmp_path / "policy"
    shutil.copytree(SHIPPED, proposed)
    (proposed / "regions/999900_example/meal/day_rule.toml").unlink()
    out = tmp_path / "report.xlsx"
    code, said = await tried(bill, out, policy=proposed)
    assert code == 0
    assert said.startswith(
        "1 笔结算：0 笔仍结算，其中 0 笔金额有变，基金差额 0.00；"
        "1 笔不再结算（挂起 1），原由基金支付 770.00；0 笔不能重算 / "
    )
    assert "; 1 would not be settled (1 held), for which the fund paid 770.00;" in said
    unsettled = table(out, "不再结算 Unsettled")[1]
    assert unsettled == ("S1", "H1", "HELD POLICY_GAP meal/day_rule 2026-03-15", 770)


async def test_days_outside_the_span_are_left_out(tmp_path: Path):
    bill = await settled(tmp_path / "data", BED)
    out = tmp_path / "report.xlsx"
    code, said = await tried(bill, out, policy=SHIPPED, last=date(2026, 3, 14))
    assert (code, said[:4]) == (0, "0 笔结")


async def test_who_was_purged_and_what_does_not_open_is_told_and_the_rest_reported(tmp_path: Path):
    bill = await settled(tmp_path / "data", BED)
    more = [
        settlement_row(bill.bill, bill.verdict, settlement_id=number, admission_id=f"A{number}")
        for number in ("S2", "S3")
    ]
    await insert(bill.settings, {"settlement": more}, tx_id="T2")
    with sqlite3.connect(bill.settings.database_path) as connection:
        gone = "UPDATE settlement SET detail = NULL, record_key = NULL WHERE settlement_id = 'S2'"
        assert connection.execute(gone).rowcount == 1
        torn = "UPDATE settlement SET detail = x'00' WHERE settlement_id = 'S3'"
        assert connection.execute(torn).rowcount == 1
    connection.close()
    out = tmp_path / "report.xlsx"
    code, said = await tried(bill, out, policy=SHIPPED)
    assert code == 1
    assert said.startswith("3 笔结算：1 笔仍结算，其中 0 笔金额有变，基金差额 0.00；")
    assert "；2 笔不能重算 / " in said
    assert table(out, "不能重算 Not computable")[1:] == [
        ("S2", "S2 的职工已清除 / the worker of S2 was purged"),
        (
            "S3",
            "S3 的明细打不开：被改动过，或密钥不在 keys/ 中 / "
            "the detail of S3 does not open: it was altered, or its key is not in keys/",
        ),
    ]
    assert dict(table(out, "说明 Summary"))["不能重算 Not computable"] == 2
    assert table(out, "医院 Hospitals")[1] == ("H1", 1, 1, 770, 770, 0)


async def test_a_malformed_proposal_lists_its_faults_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bill = await settled(tmp_path / "data", BED)
    proposed = tmp_path / "facilities.csv"
    proposed.write_text(FACILITIES.replace("55.00", "many"), encoding="utf-8")
    out = tmp_path / "report.xlsx"
    assert await tried(bill, out, catalogue=proposed) == (2, "")
    assert "facilities.csv:2 ceiling" in capsys.readouterr().err
    assert not out.exists()


def test_a_span_that_ends_before_it_begins_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "report.xlsx"
    span = ["--from", "2026-03-31", "--to", "2026-03-30", "--out", str(out)]
    assert main(["what-if", "--policy", str(SHIPPED), *span]) == 2
    assert "--to 2026-03-30 早于 --from 2026-03-31" in capsys.readouterr().err
    assert main(["cuts", *span]) == 2
    assert "before --from 2026-03-31" in capsys.readouterr().err
    assert not out.exists()


def test_without_a_proposal_or_a_store_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "none"))
    out = tmp_path / "report.xlsx"
    span = ["--from", "2026-03-01", "--to", "2026-03-31", "--out", str(out)]
    assert main(["what-if", *span]) == 2
    assert main(["what-if", "--policy", str(SHIPPED), *span]) == 1
    assert "没有数据库" in capsys.readouterr().err
    assert not out.exists()
    assert Settings().data_dir == tmp_path / "none"

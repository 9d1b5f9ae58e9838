"""Cuts and deltas on one settled bill: each books its own, and no line is taken twice."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.cut import Cut, CutOutcome
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows import test_cuts as cutting
from tests.flows.office import AGENCY, Office
from tests.flows.test_ledger import per_account
from tests.flows.test_readjudication import (
    ARTICLE,
    CLAUSE,
    FIRST,
    SECOND,
    approved,
    cancel,
    dearer_meals,
    decide,
    proposals,
    proposed_by_policy,
    refusal,
    settled,
    stopped,
    the_proposal,
)

ITEMS = (
    "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary,ceiling,remark\n"
    "item,I0001,换药,次,yes,,,,10.00,\n"
)


async def price_corrected(office: Office, folder: Path) -> dict[str, Any]:
    """The ceiling of the first line was 10 yuan, not 12: the fund pays 20 of its 24 yuan."""
    items = folder / "items.csv"
    items.write_text(ITEMS, encoding="utf-8")
    await office.act("catalog.correct", path=str(items), valid_from="2025-01-01")
    await office.act("readjudication.propose", cause="CATALOGUE", by=FIRST)
    return await approved(office)


async def owed_to_hospital(office: Office) -> int:
    """What the fund owes the hospital by the whole ledger, in fen."""
    return -per_account(await office.rows(select(tables.transfer)))["2101/hospital/H001"]


async def the_cut(office: Office, stay: str) -> Cut:
    [one] = await cutting.cuts(office, stay)
    return one


async def test_nothing_is_posted_while_a_cut_waits_for_its_decision(office: Office) -> None:
    one = (await settled(office)).result
    await stopped(office)
    number = (await the_proposal(office))["proposal_id"]
    await decide(office, "approve", number, FIRST)
    cut_no = await cutting.raised(office, one.admission_id)
    assert cut_no in await refusal(office, "approve", number, SECOND, clause=CLAUSE)
    assert (await the_proposal(office))["proposal_id"] == number
    await cutting.decide(office, cut_no, CutOutcome.WITHDRAWN)
    assert "delta posted" in await decide(office, "approve", number, SECOND, clause=CLAUSE)


async def test_a_delta_of_a_cut_line_leaves_the_hospital_with_what_it_had(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    assert (done.posted_fen, await owed_to_hospital(office)) == (2400, 1500)
    delta = await price_corrected(office, tmp_path)
    assert (delta["fund_fen"], delta["hospital_fen"]) == (-400, 400)
    now = await the_cut(office, one.admission_id)
    assert (now.upheld_fen, now.posted_fen) == (2400, 2000)
    assert await owed_to_hospital(office) == 1500
    assert sorted(await cutting.booked(office, done.cut_no)) == [
        ("2101/hospital/H001", "5101/medical", 2400),
        ("5101/medical", "2101/hospital/H001", 400),
    ]
    for receiver in ("H001", AGENCY):
        assert (await cutting.told(office, receiver))[-1].posted_fen == 2000


async def test_a_cut_withdrawn_after_a_delta_gives_back_what_the_fund_owes_now(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    await price_corrected(office, tmp_path)
    assert (await cancel(office, one.settlement_id)).code == "CUT_STANDS"
    await cutting.decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert await owed_to_hospital(office) == 2000 + 1500
    assert (await cancel(office, one.settlement_id)).code == "OK"
    assert set(per_account(await office.rows(select(tables.transfer))).values()) == {0}


async def test_a_cut_upheld_after_a_delta_takes_back_what_the_delta_left(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    await price_corrected(office, tmp_path)
    done = await cutting.final(office, one.admission_id)
    assert (done.upheld_fen, done.posted_fen) == (2400, 2000)
    assert await owed_to_hospital(office) == 1500


async def test_a_delta_of_something_else_leaves_a_cut_as_it_is(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    await cutting.final(office, one.admission_id)
    before = await the_cut(office, one.admission_id)
    row = await proposed_by_policy(office, dearer_meals(tmp_path))
    await decide(office, "approve", row["proposal_id"], SECOND)
    assert await the_cut(office, one.admission_id) == before
    assert await owed_to_hospital(office) == 9000


async def test_what_a_cut_took_already_a_late_stop_does_not_take_again(office: Office) -> None:
    one = (await settled(office)).result
    await cutting.final(office, one.admission_id)
    await stopped(office)
    row = await the_proposal(office)
    assert (row["fund_fen"], row["cuts_hospital"]) == (-2400, 0)
    await approved(office)
    assert (await the_cut(office, one.admission_id)).posted_fen == 0
    assert await owed_to_hospital(office) == 1500


async def test_a_revoked_recognition_takes_only_what_no_cut_took(office: Office) -> None:
    one = (await settled(office)).result
    await cutting.final(office, one.admission_id)
    await office.decide("C1", CaseState.REVOKED)
    await release_all(office.desk)
    await approved(office, article=ARTICLE)
    [row] = await proposals(office, state="APPROVED")
    assert (row["fund_fen"], row["meal_fen"]) == (-2400, -1500)
    assert await owed_to_hospital(office) == 0


@pytest.mark.parametrize("adjusted", [False, True], ids=["as settled", "as adjusted"])
async def test_a_line_of_a_settled_bill_is_cut_once(
    office: Office, tmp_path: Path, adjusted: bool
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    if adjusted:
        await price_corrected(office, tmp_path)
    assert (await cutting.find(office, one.admission_id)).code == "VALUE_CONFLICT"
    await cutting.decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert (await cutting.find(office, one.admission_id)).code == "OK"

"""Cuts and deltas on one settled bill: each books its own, and no line is taken twice."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import at_business
from gateway.domain.case import CaseState
from gateway.domain.commands import LineDecision
from gateway.domain.cut import Cut, CutOutcome, CutState
from gateway.domain.payments import PriorPayer
from gateway.flows import post_cut
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows import test_cuts as cutting
from tests.flows.office import DAY, Office
from tests.flows.test_ledger import per_account
from tests.flows.test_payments import paid, report
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


async def propose_price(office: Office, folder: Path) -> None:
    """The ceiling of the first line was 10 yuan, not 12: the fund pays 20 of its 24 yuan."""
    items = folder / "items.csv"
    items.write_text(ITEMS, encoding="utf-8")
    await office.act("catalog.correct", path=str(items), valid_from="2025-01-01")
    await office.act("readjudication.propose", cause="CATALOGUE", by=FIRST)


async def price_corrected(office: Office, folder: Path) -> dict[str, Any]:
    await propose_price(office, folder)
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


async def test_a_corrected_price_of_a_cut_line_changes_nothing_the_hospital_bears_it_whole(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    assert (done.posted_fen, await owed_to_hospital(office)) == (2400, 1500)
    await propose_price(office, tmp_path)
    assert await proposals(office, state="PROPOSED") == []
    assert (await the_cut(office, one.admission_id)).posted_fen == 2400
    assert await owed_to_hospital(office) == 1500


async def test_a_cut_withdrawn_lets_the_correction_that_it_hid_be_proposed(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    await propose_price(office, tmp_path)
    assert (await cancel(office, one.settlement_id)).code == "CUT_STANDS"
    await cutting.decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert await owed_to_hospital(office) == 2400 + 1500
    delta = await price_corrected(office, tmp_path)
    assert (delta["fund_fen"], delta["hospital_fen"]) == (-400, 400)
    assert await owed_to_hospital(office) == 2000 + 1500
    assert (await cancel(office, one.settlement_id)).code == "OK"
    assert set(per_account(await office.rows(select(tables.transfer))).values()) == {0}


async def test_a_revocation_that_a_cut_hid_is_proposed_by_itself_once_the_cut_is_withdrawn(
    office: Office,
) -> None:
    """The only line and the only meal were cut: nothing was left for the revocation to move."""
    day = DAY - timedelta(days=1)
    line = cutting.LINE._replace(occurred_at=at_business(day, 16), service_day=day)
    stay = await cutting.stay_with(office, line, serial=1)
    await office.commit("H001", stay, line)
    lines = (LineDecision(line_id="L1", violation="HANGING_BED"),)
    cut_no = await cutting.raised(office, stay, lines=lines)
    await cutting.answer(office, cut_no)
    await cutting.decide(office, cut_no)
    await office.decide("C1", CaseState.REVOKED)
    await release_all(office.desk)
    assert await proposals(office, state="PROPOSED") == []
    await cutting.decide(office, cut_no, CutOutcome.WITHDRAWN)
    await release_all(office.desk)
    row = await the_proposal(office)
    assert (row["cause"], row["fund_fen"], row["meal_fen"]) == ("CASE", -2400, -1500)


async def test_a_cut_upheld_after_a_delta_takes_back_what_the_delta_left(
    office: Office, tmp_path: Path
) -> None:
    one = (await settled(office)).result
    await price_corrected(office, tmp_path)
    done = await cutting.final(office, one.admission_id)
    assert (done.upheld_fen, done.posted_fen) == (2400, 2000)
    assert await owed_to_hospital(office) == 1500


async def test_what_was_proposed_before_a_cut_is_proposed_anew_after_it(office: Office) -> None:
    one = (await settled(office)).result
    cut_no = await cutting.raised(office, one.admission_id)
    await cutting.answer(office, cut_no)
    await stopped(office)
    before = await the_proposal(office)
    await cutting.decide(office, cut_no)
    await release_all(office.desk)
    states = {row["proposal_id"]: row["state"] for row in await proposals(office)}
    assert states.pop(before["proposal_id"]) == "STALE"
    assert sorted(states.values()) == ["APPROVED", "PROPOSED"]
    row = await the_proposal(office)
    assert (row["fund_fen"], row["cuts_hospital"]) == (0, 0)


async def test_a_cut_reduced_on_a_settled_bill_takes_back_the_lines_that_are_left(
    office: Office,
) -> None:
    stay = await cutting.stay_with(office, cutting.LINE, cutting.OTHER, serial=1)
    await office.commit("H001", stay, cutting.LINE, cutting.OTHER)
    cut_no = await cutting.raised(office, stay, "L1", "L2")
    await cutting.answer(office, cut_no)
    heard = await cutting.decide(office, cut_no, CutOutcome.REDUCED, line_ids=("L2",))
    assert (heard.result.upheld_fen, heard.result.posted_fen) == (1200, 1200)
    assert await owed_to_hospital(office) == 2400 + 1500
    assert (await cutting.find(office, stay, "L1")).code == "OK"
    assert (await cutting.find(office, stay, "L2")).code == "VALUE_CONFLICT"


async def test_two_cuts_of_a_bill_each_take_their_own_and_the_first_may_go(office: Office) -> None:
    stay = await cutting.stay_with(office, cutting.LINE, cutting.OTHER, serial=1)
    await office.commit("H001", stay, cutting.LINE, cutting.OTHER)
    first = await cutting.final(office, stay)
    cut_no = await cutting.raised(office, stay, "L2")
    await cutting.answer(office, cut_no)
    second = (await cutting.decide(office, cut_no)).result
    assert (first.posted_fen, second.posted_fen) == (2400, 1200)
    assert await owed_to_hospital(office) == 1500
    await cutting.decide(office, first.cut_no, CutOutcome.WITHDRAWN)
    assert await owed_to_hospital(office) == 2400 + 1500
    rows = await office.rows(select(tables.settlement.c.live).order_by("live"))
    assert [row["live"] for row in rows] == [1, 2, 3, 4]


async def test_a_cut_by_which_the_bill_cannot_be_decided_is_refused_and_says_why(
    office: Office,
) -> None:
    """Employer and worker paid 20 and 16 yuan, all of the fund's share: of less, no text says
    who comes first."""
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1, (cutting.LINE, cutting.OTHER))
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000))
    await report(office, stay, paid(PriorPayer.INDIVIDUAL, 1600))
    await office.commit("H001", stay, cutting.LINE, cutting.OTHER)
    cut_no = await cutting.raised(office, stay)
    await cutting.answer(office, cut_no)
    heard = await cutting.decide(office, cut_no)
    assert heard.code == "CUT_NOT_COMPUTABLE"
    (finding,) = heard.result.findings
    assert finding.got == "HELD PRIOR_PAYMENT employer + individual"
    assert (await the_cut(office, stay)).state is CutState.ANSWERED
    assert (await cutting.decide(office, cut_no, CutOutcome.WITHDRAWN)).code == "OK"


async def test_a_cut_of_a_bill_whose_catalogue_is_not_here_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = (await settled(office)).result
    cut_no = await cutting.raised(office, one.admission_id)
    await cutting.answer(office, cut_no)

    async def absent(*_: Any) -> Any:
        raise LookupError("E0")

    monkeypatch.setattr(post_cut, "as_it_stands", absent)
    heard = await cutting.decide(office, cut_no)
    assert (heard.code, heard.result.findings[0].got) == ("CUT_NOT_COMPUTABLE", "EDITION_MISSING")


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
    assert (row["fund_fen"], row["cuts_hospital"]) == (0, 0)
    await approved(office)
    assert (await the_cut(office, one.admission_id)).posted_fen == 2400
    assert await owed_to_hospital(office) == 1500


async def test_a_revoked_recognition_takes_only_what_no_cut_took(office: Office) -> None:
    one = (await settled(office)).result
    await cutting.final(office, one.admission_id)
    await office.decide("C1", CaseState.REVOKED)
    await release_all(office.desk)
    await approved(office, article=ARTICLE)
    [row] = await proposals(office, state="APPROVED", cause="CASE")
    assert (row["fund_fen"], row["meal_fen"]) == (0, -1500)
    assert await owed_to_hospital(office) == 0


@pytest.mark.parametrize("adjusted", [False, True], ids=["as settled", "as adjusted"])
async def test_a_line_of_a_settled_bill_is_cut_once(
    office: Office, tmp_path: Path, adjusted: bool
) -> None:
    one = (await settled(office)).result
    done = await cutting.final(office, one.admission_id)
    if adjusted:
        row = await proposed_by_policy(office, dearer_meals(tmp_path))
        await decide(office, "approve", row["proposal_id"], SECOND)
    assert (await cutting.find(office, one.admission_id)).code == "VALUE_CONFLICT"
    await cutting.decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert (await cutting.find(office, one.admission_id)).code == "OK"

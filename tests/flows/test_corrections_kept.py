"""No correction is lost because something else moved the settlement meanwhile: what is due is
proposed again, for persons to approve."""

from pathlib import Path
from unittest.mock import patch

from gateway.domain.case import CaseState
from gateway.flows.administer import keep_policy
from gateway.flows.release_held import release_all
from gateway.policy.load import SHIPPED, archive, load
from tests.flows.office import LINES, Office
from tests.flows.test_readjudication import (
    ARTICLE,
    CLAUSE,
    FIRST,
    SECOND,
    approved,
    cancel,
    capped_items,
    dearer_meals,
    decide,
    proposals,
    settled,
    stopped,
    two_stays,
)


async def in_force(office: Office, root: Path = SHIPPED) -> None:
    """A program with the policy of this folder starts, and its jobs are done."""
    office.desk.policy = load("999900", root)
    with patch("gateway.flows.administer.archive", lambda region: archive(region, root)):
        await keep_policy(office.desk)
    await release_all(office.desk)


async def open_causes(office: Office) -> list[tuple[str, int, int]]:
    """What waits for persons: the cause, and what the fund and the meals change by, in fen."""
    rows = await proposals(office, state="PROPOSED")
    return sorted((row["cause"], row["fund_fen"], row["meal_fen"]) for row in rows)


async def test_what_was_told_while_a_settlement_was_cancelled_is_proposed_when_it_is_back(
    office: Office,
) -> None:
    heard = await settled(office)
    cancelled = await cancel(office, heard.result.settlement_id)
    await stopped(office)
    back = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    assert (back.code, await open_causes(office)) == ("OK", [])
    await release_all(office.desk)
    assert await open_causes(office) == [("CASE", -2400, 0)]


async def test_a_proposal_open_at_a_cancellation_is_made_anew_when_it_is_back(
    office: Office,
) -> None:
    heard = await settled(office)
    await stopped(office)
    before = await open_causes(office)
    cancelled = await cancel(office, heard.result.settlement_id)
    await release_all(office.desk)
    assert (before, await open_causes(office)) == ([("CASE", -2400, 0)], [])
    await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    await release_all(office.desk)
    assert await open_causes(office) == before


async def test_a_delta_for_the_case_leaves_the_policy_proposed(
    office: Office, tmp_path: Path
) -> None:
    await settled(office)
    await in_force(office)
    await in_force(office, dearer_meals(tmp_path))
    [policy] = await open_causes(office)
    await stopped(office)
    [case] = await proposals(office, cause="CASE", state="PROPOSED")
    await decide(office, "approve", case["proposal_id"], FIRST)
    await decide(office, "approve", case["proposal_id"], SECOND, clause=CLAUSE)
    assert await open_causes(office) == []
    await release_all(office.desk)
    assert await open_causes(office) == [policy]


async def test_a_price_corrected_while_the_case_was_revoked_counts_once_it_is_recognised(
    office: Office, tmp_path: Path
) -> None:
    await settled(office)
    await office.decide("C1", CaseState.REVOKED)
    await release_all(office.desk)
    await approved(office, article=ARTICLE)
    items = str(capped_items(tmp_path))
    await office.act("catalog.correct", path=items, valid_from="2025-01-01")
    await release_all(office.desk)
    assert await open_causes(office) == []
    await office.decide("C1", CaseState.ACCEPTED)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    await approved(office)
    await release_all(office.desk)
    [(cause, fund, _)] = await open_causes(office)
    assert (cause, fund < 0) == ("CATALOGUE", True)


async def test_a_policy_that_was_only_tried_reaches_everything_once_it_is_in_force(
    office: Office, tmp_path: Path
) -> None:
    await in_force(office)
    await settled(office)
    await office.recognised("C2", 2)
    stay = await office.billed("H001", "V2", 2)
    await office.commit("H001", stay, *LINES)
    root = dearer_meals(tmp_path)
    tried = {"cause": "POLICY", "policy": str(root), "by": FIRST, "case": "C2"}
    await office.act("readjudication.propose", **tried)
    assert len(await open_causes(office)) == 1
    await in_force(office, root)
    assert len(await open_causes(office)) == 2


async def test_a_policy_that_comes_back_takes_back_what_the_other_gave(
    office: Office, tmp_path: Path
) -> None:
    await in_force(office)
    await settled(office)
    await in_force(office, dearer_meals(tmp_path))
    delta = await approved(office)
    await in_force(office)
    assert await open_causes(office) == [("POLICY", 0, -delta["meal_fen"])]


async def test_a_freed_meal_day_is_proposed_by_the_policy_in_force(
    office: Office, tmp_path: Path
) -> None:
    first, _ = await two_stays(office)
    await in_force(office)
    await in_force(office, dearer_meals(tmp_path))
    await cancel(office, first.result.settlement_id)
    await release_all(office.desk)
    assert {cause for cause, _, _ in await open_causes(office)} == {"CASE", "POLICY"}

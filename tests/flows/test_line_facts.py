"""Facts that decide lines, on their way from a message to the bill."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from adapters.catalog_file.read import drug_code
from gateway.domain.admission import BillState, HoldReason
from gateway.domain.bill import BillLine
from gateway.domain.case import REFUSED_DISCHARGE, CaseFacts
from gateway.domain.codes import Outcome
from gateway.domain.commands import DecideLines, LineDecision, StopBenefit, UpdateEmployer
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.cases import case_by_no
from gateway.store.stays import stay_file
from tests.flows.office import AGENCY, DAY, Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

HOSPITAL, SERIAL = "H001", 101
BURN_DRUG = drug_code("西药", "重组人碱性成纤维细胞生长因子", "外用冻干制剂")
LIMITED = bill_line("L1", BURN_DRUG, "20.00", "1", DAY)
PLAIN = bill_line("L1", "I0001", "12.00", "1", DAY)


async def committed(office: Office, *lines: BillLine, **case: Any) -> tuple[str, Any]:
    """A recognised worker's stay with these lines, its bill committed."""
    await office.recognised("C1", SERIAL, **case)
    stay = await office.billed(HOSPITAL, "V1", SERIAL, lines)
    return stay, await office.commit(HOSPITAL, stay, *lines)


async def bill_state(office: Office, admission_id: str) -> BillState:
    async with office.desk.database.reading() as reader:
        file = await stay_file(reader, admission_id)
    assert file is not None
    return file.bill_state


async def test_birth_and_sex_reach_the_rules_from_the_identity_number(office: Office) -> None:
    stay, _ = await committed(office, PLAIN)
    async with office.desk.database.reading() as reader:
        file = await stay_file(reader, stay)
    assert file is not None
    assert (file.stay.born_on, file.stay.sex) == (date(1981, 1, 1), "MALE")


@pytest.mark.parametrize(("met", "payer"), [(True, "fund"), (False, "hospital")])
async def test_a_limit_that_only_a_person_can_read_waits_for_that_person(
    office: Office, met: bool, payer: str
) -> None:
    stay, heard = await committed(office, LIMITED)
    assert (heard.result.bill_state, heard.result.hold) == (
        BillState.HELD,
        HoldReason.LINES_IN_REVIEW,
    )
    decision = LineDecision(line_id="L1", limit_met=met)
    decided = DecideLines(admission_id=stay, by="虚构", reason="虚构", lines=(decision,))
    await office.say(AGENCY, "lines.decide", decided)
    await release_all(office.desk)
    assert await bill_state(office, stay) is BillState.SETTLED
    (row,) = await office.rows(select(tables.settlement))
    assert row[f"{payer}_fen"] == row["total_fen"] == 2000


async def test_a_refused_discharge_moves_what_follows_its_served_notice(office: Office) -> None:
    await office.recognised("C1", SERIAL)
    heard = await office.say(AGENCY, "benefit.stop", notice(DAY, served=DAY))
    assert heard.outcome is Outcome.APPLIED
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (PLAIN,))
    settled = await office.commit(HOSPITAL, stay, PLAIN)
    assert settled.result.lines[0].reasons == ("REFUSED_DISCHARGE",)
    assert settled.result.split.individual_fen == 1200


async def test_a_discharge_cannot_be_refused_before_its_notice_is_served(office: Office) -> None:
    await office.recognised("C1", SERIAL)
    heard = await office.say(AGENCY, "benefit.stop", notice(DAY, served=date(2026, 3, 3)))
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")


def notice(first: date, served: date) -> StopBenefit:
    return StopBenefit(
        case_no="C1",
        valid_from=first,
        ground=REFUSED_DISCHARGE,
        notice_no="N1",
        served_on=served,
    )


@pytest.mark.parametrize(
    ("settled_on", "payer"), [(date(2026, 3, 1), "fund_fen"), (DAY, "employer_fen")]
)
async def test_costs_are_new_from_the_day_after_an_employer_joined_and_paid(
    office: Office, settled_on: date, payer: str
) -> None:
    joined = UpdateEmployer(
        employer_no="E1",
        arrears_since=date(2025, 6, 1),
        joined_on=date(2026, 2, 20),
        settled_on=settled_on,
    )
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    await office.say(AGENCY, "employer.update", joined)
    later = bill_line("L2", "I0001", "12.00", "1", date(2026, 3, 3))
    office.move_to(date(2026, 3, 3))
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (PLAIN, later))
    heard = await office.commit(HOSPITAL, stay, PLAIN, later)
    first, second = heard.result.lines
    assert getattr(first.split, payer) == 1200
    assert second.split.fund_fen == 1200


TOLD_FIRST = UpdateEmployer(
    employer_no="E1",
    arrears_since=date(2025, 6, 1),
    joined_on=date(2026, 3, 1),
    settled_on=date(2026, 3, 1),
)


@pytest.mark.parametrize(
    ("again", "payer"),
    [
        pytest.param({"joined_on": DAY}, "employer_fen", id="joined later"),
        pytest.param({"settled_on": DAY}, "employer_fen", id="paid later"),
        pytest.param({"joined_on": date(2026, 2, 20)}, "fund_fen", id="joined earlier"),
    ],
)
async def test_a_joining_is_corrected_by_another_of_the_same_first_day_of_arrears(
    office: Office, again: dict[str, Any], payer: str
) -> None:
    """Days that were told before are gone, and decide nothing beside the new ones."""
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    await office.say(AGENCY, "employer.update", TOLD_FIRST)
    await office.say(AGENCY, "employer.update", replace(TOLD_FIRST, **again))
    later = bill_line("L2", "I0001", "12.00", "1", date(2026, 3, 3))
    office.move_to(date(2026, 3, 3))
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (PLAIN, later))
    heard = await office.commit(HOSPITAL, stay, PLAIN, later)
    first, second = heard.result.lines
    assert (getattr(first.split, payer), second.split.fund_fen) == (1200, 1200)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({"settled_on": None}, id="not paid"),
        pytest.param({"joined_on": None, "settled_on": date(2025, 6, 1)}, id="never joined"),
    ],
)
async def test_a_joining_told_in_error_is_taken_back(office: Office, again: dict[str, Any]) -> None:
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    await office.say(AGENCY, "employer.update", TOLD_FIRST)
    await office.say(AGENCY, "employer.update", replace(TOLD_FIRST, **again))
    heard = await office.register(HOSPITAL, "V1", SERIAL)
    assert (heard.result.state, heard.result.refusal) == ("REFUSED", "NOT_INSURED_OR_ARREARS")


async def test_arrears_that_were_a_joining_are_no_arrears_any_more(office: Office) -> None:
    """What is told of a first day of arrears says all of it anew."""
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    await office.say(AGENCY, "employer.update", replace(TOLD_FIRST, joined_on=None))
    await office.say(AGENCY, "employer.update", TOLD_FIRST)
    case = await the_case(office)
    assert (case.arrears, [one.joined_on for one in case.joined]) == ((), [date(2026, 3, 1)])


async def test_an_employer_that_joined_twice_is_told_by_the_first_days_of_two_arrears(
    office: Office,
) -> None:
    """The earlier joining still counts for those who were hurt before it."""
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    once = replace(TOLD_FIRST, arrears_since=date(2020, 1, 1), joined_on=date(2021, 1, 1))
    for told in (once, TOLD_FIRST):
        await office.say(AGENCY, "employer.update", told)
    case = await the_case(office)
    assert [one.joined_on for one in case.joined] == [date(2021, 1, 1), date(2026, 3, 1)]


async def test_a_joining_of_years_before_the_injury_cures_no_cover_that_lacked_at_it(
    office: Office,
) -> None:
    old = replace(TOLD_FIRST, joined_on=date(2025, 7, 1), settled_on=date(2025, 7, 1))
    await office.say(AGENCY, "employer.update", old)
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    heard = await office.register(HOSPITAL, "V1", SERIAL)
    assert (heard.result.state, heard.result.refusal) == ("REFUSED", "NOT_INSURED_OR_ARREARS")


async def the_case(office: Office) -> CaseFacts:
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    return case

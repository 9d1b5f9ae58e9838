"""Other employers of a case, its cover, the worker's grade and leave: from message to bill."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState, DaySpan
from gateway.domain.bill import BillLine
from gateway.domain.case import (
    CONDITION_LOST,
    REFUSED_DISCHARGE,
    AuthorityKind,
    CaseState,
    EmployerRole,
    EmploymentTie,
    Grade,
)
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CancelSettlement,
    DecideLines,
    DecidePaidLeave,
    ModifyAdmission,
    NameEmployer,
    RegisterDischarge,
    StopBenefit,
    UpdateEmployer,
)
from gateway.flows.release_held import release_all, sweep
from gateway.store import tables
from gateway.store.cases import case_by_no
from gateway.store.clocks import open_cases
from tests.flows.office import AGENCY, DAY, Heard, Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

HOSPITAL, SERIAL = "H001", 7
LINE = bill_line("L1", "I0001", "12.00", "1", DAY)


async def named(office: Office, **given: Any) -> Heard:
    values: dict[str, Any] = {
        "case_no": "C1",
        "tie": EmploymentTie.SECONDMENT,
        "role": EmployerRole.ORIGINAL,
        "employer_no": "E2",
        "employer_name": "虚构原单位",
        "since": date(2026, 1, 1),
        "by": "经办",
        "reason": "借调协议",
        "insured_at_injury": True,
    }
    return await office.say(AGENCY, "case.employer", NameEmployer(**(values | given)))


async def committed(office: Office, *lines: BillLine, visit: str = "V1") -> tuple[str, Heard]:
    stay = await office.billed(HOSPITAL, visit, SERIAL, lines or (LINE,))
    return stay, await office.commit(HOSPITAL, stay, *(lines or (LINE,)))


async def bill_of(office: Office, stay: str) -> dict[str, Any]:
    where = tables.admission.c.admission_id == stay
    [row] = await office.rows(select(tables.admission).where(where))
    return row


def expected(heard: Heard) -> list[tuple[str | None, str | None]]:
    assert heard.outcome is Outcome.REFUSED
    return [(one.field, one.expected) for one in heard.result.findings]


async def test_the_employer_that_lent_the_worker_is_named_and_its_insurance_counts(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL, insured_at_injury=False)
    assert (await named(office)).outcome is Outcome.APPLIED
    _, heard = await committed(office)
    assert (heard.code, heard.result.liable_employer) == ("OK", "E2")
    assert [one.key for one in heard.result.grounds] == ["employer/liable_when_seconded"]


async def test_arrears_of_the_liable_employer_refuse_a_bill_and_their_end_moves_its_case(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    await named(office)
    arrears = UpdateEmployer(employer_no="E2", arrears_since=date(2026, 2, 1))
    await office.say(AGENCY, "employer.update", arrears)
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    assert [(one.since, one.employer_no) for one in case.arrears] == [(date(2026, 2, 1), "E2")]
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (LINE,))
    before = await office.rows(select(tables.work_case.c.version))
    paid = UpdateEmployer(
        employer_no="E2", arrears_since=date(2026, 2, 1), settled_on=date(2026, 2, 20)
    )
    await office.say(AGENCY, "employer.update", paid)
    after = await office.rows(select(tables.work_case.c.version))
    assert after[0]["version"] == before[0]["version"] + 1
    await release_all(office.desk)
    assert (await bill_of(office, stay))["state"] == "CONFIRMED"
    assert (await office.commit(HOSPITAL, stay, LINE)).code == "OK"


@pytest.mark.parametrize(
    ("insured", "state"),
    [(True, "CONFIRMED"), (False, "REFUSED"), (None, "PENDING_CHECK")],
)
async def test_the_cover_of_who_had_taken_over_by_the_injury_is_asked(
    office: Office, insured: bool | None, state: str
) -> None:
    await office.recognised("C1", SERIAL, insured_at_injury=insured is not True)
    told = {"tie": EmploymentTie.SUCCESSION, "role": EmployerRole.SUCCESSOR}
    await named(office, **told, since=date(2026, 3, 1), insured_at_injury=insured)
    assert (await office.register(HOSPITAL, "V1", SERIAL)).result.state == state


async def test_an_employer_that_was_named_in_error_is_taken_back(office: Office) -> None:
    await office.recognised("C1", SERIAL)
    await named(office)
    await named(office, withdrawn=True)
    _, heard = await committed(office)
    assert (heard.result.liable_employer, heard.result.grounds) == ("E1", ())


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"employer_no": "E1"}, ("EmployerNo", "!= E1")),
        ({"role": EmployerRole.SUCCESSOR}, ("Role", "HOST | ORIGINAL")),
        ({"since": date(2026, 3, 2)}, ("Since", "<= 2026-03-01")),
        (
            {
                "tie": EmploymentTie.SUCCESSION,
                "role": EmployerRole.SUCCESSOR,
                "since": date(2026, 3, 3),
            },
            ("Since", "<= 2026-03-02"),
        ),
        ({"roster_received_on": date(2026, 3, 2)}, ("RosterReceivedOn", "<= 2026-03-01")),
    ],
)
async def test_an_employer_that_cannot_be_another_one_of_the_case_is_refused(
    office: Office, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    await office.report("C1", SERIAL)
    assert expected(await named(office, **given)) == [fault]


SEVERAL = {"tie": EmploymentTie.SEVERAL, "role": EmployerRole.AT_INJURY}
BOTH = ("E3 SEVERAL AT_INJURY 2026-02-01", "E2 SEVERAL AT_INJURY 2026-01-01")


async def test_a_second_employer_at_the_injury_is_refused_with_both_told(office: Office) -> None:
    await office.recognised("C1", SERIAL)
    assert (await named(office, **SEVERAL)).outcome is Outcome.APPLIED
    other = {"employer_no": "E3", "since": date(2026, 2, 1), "insured_at_injury": False}
    heard = await named(office, **SEVERAL, **other)
    assert heard.outcome is Outcome.REFUSED
    [found] = heard.result.findings
    assert (found.field, found.got, found.expected) == ("EmployerNo", *BOTH)
    assert (await named(office, **SEVERAL, insured_at_injury=False)).outcome is Outcome.APPLIED
    assert (await named(office, **SEVERAL, withdrawn=True)).outcome is Outcome.APPLIED
    assert (await named(office, **SEVERAL, **other)).outcome is Outcome.APPLIED


async def test_two_successors_of_one_day_are_refused_and_of_two_days_follow_on(
    office: Office,
) -> None:
    took_over = {"tie": EmploymentTie.SUCCESSION, "role": EmployerRole.SUCCESSOR}
    await office.recognised("C1", SERIAL)
    assert (await named(office, **took_over)).outcome is Outcome.APPLIED
    same_day = await named(office, **took_over, employer_no="E3")
    assert expected(same_day) == [("EmployerNo", "E2 SUCCESSION SUCCESSOR 2026-01-01")]
    next_day = await named(office, **took_over, employer_no="E3", since=date(2026, 1, 2))
    assert next_day.outcome is Outcome.APPLIED


async def test_stored_employers_that_contradict_one_another_hold_the_bill(office: Office) -> None:
    """Two dispatchers that a text had let in before it said who is liable."""
    await office.recognised("C1", SERIAL)
    lent = {"tie": EmploymentTie.DISPATCH, "role": EmployerRole.DISPATCHER}
    spoken = office.desk.policy
    values = dict(spoken.parameters)
    del values["employer/liable_when_dispatched"]
    office.desk.policy = replace(spoken, parameters=values)
    for number in ("E2", "E3"):
        assert (await named(office, **lent, employer_no=number)).outcome is Outcome.APPLIED
    office.desk.policy = spoken
    stay, heard = await committed(office)
    assert (heard.code, (await bill_of(office, stay))["hold_reason"]) == ("HELD", "PENDING_CHECK")
    assert (await named(office, **lent, withdrawn=True)).outcome is Outcome.APPLIED
    await release_all(office.desk)
    assert (await bill_of(office, stay))["bill_state"] == BillState.SETTLED


async def leave_of(office: Office, first: date, last: date, **given: Any) -> Heard:
    command = DecidePaidLeave(
        case_no="C1", first=first, last=last, by="经办", notice_no="L1", **given
    )
    return await office.say(AGENCY, "case.leave", command)


async def test_paid_leave_is_kept_and_only_the_committee_extends_it(office: Office) -> None:
    await office.report("C1", SERIAL)
    last, more = date(2027, 2, 28), date(2028, 2, 29)
    too_long = await leave_of(office, date(2026, 3, 1), date(2027, 3, 1))
    assert expected(too_long) == [("Last", "2026-03-01 – 2027-02-28")]
    assert (await leave_of(office, date(2026, 3, 1), last)).outcome is Outcome.APPLIED
    first = last + timedelta(days=1)
    agency = await leave_of(office, first, more, extension=True)
    assert expected(agency) == [("Authority", "ASSESSMENT_COMMITTEE")]
    committee = {"extension": True, "authority": AuthorityKind.ASSESSMENT_COMMITTEE}
    apart = await leave_of(office, first + timedelta(days=1), more, **committee)
    assert [name for name, _ in expected(apart)] == ["First"]
    assert (await leave_of(office, first, more, **committee)).outcome is Outcome.APPLIED
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    assert max(span.last for span in case.paid_leave) == more


async def test_a_worker_whose_benefits_were_taken_at_once_is_refused_at_the_counter(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    office.move_to(date(2026, 3, 4))
    none = await office.decide("C1", CaseState.RECOGNISED, lump_sum_on=DAY)
    assert expected(none) == [("Grade", "ONE_TO_FOUR | FIVE_TO_TEN")]
    stay, _ = await committed(office, visit="V0")
    ended = {"grade": Grade.FIVE_TO_TEN, "relation_ended_on": DAY, "lump_sum_on": DAY}
    await office.decide("C1", CaseState.RECOGNISED, **ended)
    assert (await bill_of(office, stay))["bill_state"] == BillState.SETTLED
    held = await office.register(HOSPITAL, "V2", SERIAL, admitted_at=office.desk.clock.now())
    assert (held.result.state, held.result.note) == ("PENDING_CHECK", "medical_ended")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"diagnosed_on": date(2026, 3, 3)}, ("DiagnosedOn", "2026-03-01 – 2026-03-02")),
        ({"roster_received_on": date(2026, 3, 3)}, ("RosterReceivedOn", "<= 2026-03-02")),
        ({"roster_received_on": date(2026, 3, 2)}, ("RosterReceivedOn", "<= 2026-03-01")),
    ],
)
async def test_a_report_that_contradicts_itself_is_refused(
    office: Office, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert expected(await office.report("C1", SERIAL, **given)) == [fault]


async def test_a_roster_of_years_ago_leaves_cover_open_and_the_bill_waits(office: Office) -> None:
    """It contradicts neither word on the day of the injury, and stands for none of them."""
    old = {"roster_received_on": date(2020, 1, 1)}
    gone = await office.report("C2", 9, insured_at_injury=False, **old)
    assert gone.outcome is Outcome.APPLIED
    await office.report("C1", SERIAL, insured_at_injury=None, **old)
    await office.decide("C1", CaseState.RECOGNISED)
    registered = await office.register(HOSPITAL, "V1", SERIAL)
    told = (registered.result.state, registered.result.note)
    assert told == ("PENDING_CHECK", "insured_at_injury")


async def test_the_clock_of_the_employer_starts_with_the_diagnosis_and_is_extended(
    office: Office,
) -> None:
    await office.report("C1", SERIAL, injured_on=date(2026, 1, 1), diagnosed_on=DAY)
    early = await office.decide("C1", CaseState.APPLIED, application_extended_to=DAY)
    assert expected(early) == [("ApplicationExtendedTo", "> 2026-03-02")]
    longer = date(2026, 5, 1)
    facts = {"application_extended_to": longer, "applied_on": None, "accepted_on": None}
    heard = await office.decide("C1", CaseState.REPORTED, **facts)
    assert heard.outcome is Outcome.APPLIED
    async with office.desk.database.reading() as reader:
        [case] = await open_cases(reader)
    assert (case.event_day, case.extended_to) == (DAY, longer)


# --- leave, hanging bed, other stays -----------------------------------------------------------


async def discharged(office: Office, *leave: DaySpan) -> tuple[str, Heard]:
    """A stay from the first to the eleventh of March with these days on leave."""
    heard = await office.register(HOSPITAL, "V1", SERIAL)
    stay: str = heard.result.admission_id
    await office.upload(HOSPITAL, stay, LINE)
    office.move_to(date(2026, 3, 11))
    command = RegisterDischarge(
        admission_id=stay, discharged_at=office.desk.clock.now(), way="死亡", leave=leave
    )
    return stay, await office.say(HOSPITAL, "discharge.register", command)


async def test_days_on_leave_and_of_a_hanging_bed_have_no_meals_and_death_pays_the_bill(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    stay, _ = await discharged(office, DaySpan(date(2026, 3, 5), date(2026, 3, 6)))
    back = DaySpan(date(2026, 3, 6), date(2026, 3, 6), taken_back=True)
    modified = ModifyAdmission(admission_id=stay, leave=(back,))
    assert (await office.say(HOSPITAL, "admission.modify", modified)).code == "OK"
    hanging = DaySpan(date(2026, 3, 8), date(2026, 3, 9))
    found = DecideLines(admission_id=stay, by="经办", reason="虚构", hanging_bed=(hanging,))
    assert (await office.say(AGENCY, "lines.decide", found)).code == "OK"
    heard = await office.commit(HOSPITAL, stay, LINE)
    assert (heard.code, heard.result.split.fund_fen) == ("OK", 1200)
    assert (heard.result.meal.days, heard.result.meal.amount_fen) == (7, 10500)
    [row] = await office.rows(select(tables.settlement.c.meal_days))
    assert row["meal_days"] == "2026-03-01/2026-03-04 2026-03-06/2026-03-07 2026-03-10/2026-03-10"
    again = await office.say(HOSPITAL, "admission.modify", modified)
    assert again.code == "LINES_FROZEN"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 2, 28), date(2026, 3, 2)),
        (date(2026, 3, 10), date(2026, 3, 12)),
        (date(2026, 3, 5), date(2026, 3, 4)),
    ],
)
async def test_leave_lies_within_the_stay(office: Office, first: date, last: date) -> None:
    await office.recognised("C1", SERIAL)
    stay, heard = await discharged(office, DaySpan(first, last))
    assert expected(heard) == [("Leave", "2026-03-01 – 2026-03-11")]
    hanging = DecideLines(
        admission_id=stay, by="经办", reason="虚构", hanging_bed=(DaySpan(first, last),)
    )
    found = await office.say(AGENCY, "lines.decide", hanging)
    assert [name for name, _ in expected(found)] == ["HangingBed"]


async def test_a_day_paid_for_one_stay_is_not_paid_for_another(office: Office) -> None:
    """Two hospitals claim the first of March: the one that settles first is paid for it."""
    await office.recognised("C1", SERIAL)
    _, first = await committed(office)
    other = await office.billed("H002", "V9", SERIAL, (LINE,))
    second = await office.commit("H002", other, LINE)
    assert [one.result.meal.days for one in (first, second)] == [1, 0]


async def test_a_cancelled_settlement_does_not_come_back_once_its_days_are_paid_elsewhere(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    _, first = await committed(office)
    command = CancelSettlement(
        settlement_id=first.result.settlement_id, reason="虚构", operator="op1"
    )
    cancelled = await office.say(HOSPITAL, "settlement.cancel", command)
    other = await office.billed("H002", "V9", SERIAL, (LINE,))
    assert (await office.commit("H002", other, LINE)).result.meal.days == 1
    back = await office.reverse(HOSPITAL, cancelled.message_id, "settlement.cancel")
    assert back.code == "REVERSE_TOO_LATE"


# --- no case, a revoked decision, a served stop -----------------------------------------------


async def test_a_bill_without_a_case_waits_to_the_last_day_and_is_manual_after_it(
    office: Office,
) -> None:
    stay, held = await committed(office)
    assert held.code == "HELD"
    office.move_to(date(2027, 3, 1))
    await sweep(office.desk)
    assert (await bill_of(office, stay))["bill_state"] == BillState.HELD
    office.move_to(date(2027, 3, 2))
    await sweep(office.desk)
    row = await bill_of(office, stay)
    assert (row["bill_state"], row["code"]) == (BillState.MANUAL, "NO_CASE_FOUND")


async def test_a_revoked_recognition_stops_what_comes_and_takes_nothing_back(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    stay, paid = await committed(office)
    moved = await office.rows(select(tables.transfer))
    await office.decide("C1", CaseState.REVOKED)
    assert (await bill_of(office, stay))["bill_state"] == BillState.SETTLED
    assert await office.rows(select(tables.transfer)) == moved
    later, held = await committed(office, visit="V2")
    assert (paid.code, held.code) == ("OK", "HELD")
    await office.decide("C1", CaseState.ACCEPTED)
    await office.decide("C1", CaseState.NOT_RECOGNISED)
    await release_all(office.desk)
    assert (await bill_of(office, later))["state"] == "REFUSED"
    for state in (CaseState.REVOKED, CaseState.ACCEPTED, CaseState.RECOGNISED):
        await office.decide("C1", state)
    await release_all(office.desk)
    assert (await bill_of(office, later))["state"] == "CONFIRMED"
    assert (await office.commit(HOSPITAL, later, LINE)).code == "OK"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"served_on": date(2026, 3, 3)}, ("ServedOn", "<= 2026-03-02")),
        ({"valid_to": date(2026, 2, 28)}, ("ValidTo", ">= 2026-03-01")),
        ({}, ("ValidFrom", ">= 2026-03-02")),
        ({"ground": "拒不接受劳动能力鉴定"}, ("ValidFrom", ">= 2026-03-02")),
        ({"ground": REFUSED_DISCHARGE}, ("ValidFrom", ">= 2026-03-02")),
    ],
)
async def test_a_stop_is_served_before_it_begins_and_does_not_end_before_it_begins(
    office: Office, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    await office.recognised("C1", SERIAL)
    assert expected(await stopped(office, **given)) == [fault]


@pytest.mark.parametrize(
    "given",
    [{"valid_from": DAY}, {"ground": CONDITION_LOST}],
    ids=["自送达当日起", "丧失条件自丧失之日起"],
)
async def test_a_lost_condition_alone_may_stop_benefits_before_its_decision_was_served(
    office: Office, given: dict[str, Any]
) -> None:
    await office.recognised("C1", SERIAL)
    assert (await stopped(office, **given)).outcome is Outcome.APPLIED


async def stopped(office: Office, **given: Any) -> Heard:
    values: dict[str, Any] = {
        "case_no": "C1",
        "valid_from": date(2026, 3, 1),
        "ground": "拒绝治疗",
        "notice_no": "N1",
        "served_on": DAY,
    }
    return await office.say(AGENCY, "benefit.stop", StopBenefit(**(values | given)))


async def test_each_stay_of_a_person_with_several_cases_follows_its_own(office: Office) -> None:
    await office.recognised("C1", SERIAL)
    await office.report("C2", SERIAL)
    heard = await office.register(HOSPITAL, "V1", SERIAL)
    assert heard.code == "CASE_AMBIGUOUS"
    for visit, case_no, code in (("V1", "C1", "OK"), ("V2", "C2", "HELD")):
        stay = await office.billed(HOSPITAL, visit, SERIAL, (LINE,), case_no=case_no)
        assert (await office.commit(HOSPITAL, stay, LINE)).code == code

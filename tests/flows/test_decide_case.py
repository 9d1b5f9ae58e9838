"""What case.decide says of the application is kept until a later message says otherwise."""

from datetime import date

import pytest

from gateway.domain.case import Applicant, CaseState
from gateway.domain.clocks import OpenCase
from gateway.domain.codes import Outcome
from gateway.domain.split import Split
from gateway.rules.clocks import of_cases
from gateway.store.calendar import Calendar
from gateway.store.cases import case_by_no
from gateway.store.clocks import open_cases
from tests.flows.office import Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

DAY = date(2026, 3, 2)
LINE = bill_line("L1", "I0001", "12.00", "2", DAY)


async def test_who_applied_is_kept_and_a_message_that_leaves_it_out_changes_nothing(
    office: Office,
) -> None:
    await office.report("C1", 1)
    assert await applicant(office) is None
    await office.decide("C1", CaseState.APPLIED, applied_by=Applicant.UNION)
    await office.decide("C1", CaseState.ACCEPTED)
    assert await applicant(office) is Applicant.UNION
    await office.decide("C1", CaseState.RECOGNISED, applied_by=Applicant.WORKER)
    assert await applicant(office) is Applicant.WORKER


@pytest.mark.parametrize(
    ("accepted_on", "split"),
    [
        (date(2026, 3, 31), Split(fund_fen=2400)),
        (date(2026, 4, 1), Split(employer_fen=2400)),
    ],
    ids=["while the employer had time", "after it"],
)
async def test_the_application_of_a_worker_alone_is_late_once_the_employer_had_its_time(
    office: Office, accepted_on: date, split: Split
) -> None:
    """What arose before the acceptance is the employer's then (第十七条第四款)."""
    await office.report("C1", 1)
    office.move_to(accepted_on)
    told = {"applied_by": Applicant.WORKER, "applied_on": DAY, "accepted_on": accepted_on}
    await office.decide("C1", CaseState.RECOGNISED, **told)
    stay = await office.billed("H001", "V1", 1, (LINE,))
    heard = await office.commit("H001", stay, LINE)
    assert heard.result.split == split


async def applicant(office: Office) -> Applicant | None:
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    return case.applied_by


async def test_补正期限只随补正状态告知_期满之后三日内决定不予受理(office: Office) -> None:
    await office.report("C1", 101)
    await office.decide("C1", CaseState.APPLIED)
    early = await office.decide("C1", CaseState.ACCEPTED, supplement_by=date(2026, 3, 20))
    assert (early.outcome, early.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    told = await office.decide("C1", CaseState.SUPPLEMENTING, supplement_by=date(2026, 3, 20))
    assert told.outcome is Outcome.APPLIED
    async with office.desk.database.reading() as reader:
        (case,) = await open_cases(reader)
    assert (case.state, case.supplement_by) == (CaseState.SUPPLEMENTING, date(2026, 3, 20))
    (clock,) = of_cases(office.desk.policy, Calendar(), [case])
    assert (clock.clock.name, clock.due) == ("REFUSE_ACCEPTANCE", date(2026, 3, 23))


S = CaseState
LATER = date(2026, 3, 6)
UNTOLD = {"applied_on": None, "accepted_on": None}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((S.ACCEPTED, S.SUSPENDED, S.ACCEPTED), id="resumed"),
        pytest.param((S.RECOGNISED, S.REVOKED, S.ACCEPTED), id="decided anew"),
        pytest.param((S.NOT_RECOGNISED, S.REVOKED, S.ACCEPTED), id="refusal revoked"),
        pytest.param((S.APPLIED, S.ACCEPTED), id="accepted"),
        pytest.param((S.ACCEPTED, S.RECOGNISED), id="recognised"),
    ],
)
@pytest.mark.parametrize("name", ["applied_on", "accepted_on"])
async def test_no_later_step_moves_the_day_of_the_application_or_its_acceptance(
    office: Office, steps: tuple[CaseState, ...], name: str
) -> None:
    """There was one application, accepted once (第十七条第四款)."""
    office.move_to(LATER)
    await office.report("C1", 1)
    for state in steps[:-1]:
        assert (await office.decide("C1", state)).outcome is Outcome.APPLIED
    heard = await office.decide("C1", steps[-1], **UNTOLD | {name: LATER})
    field = "AppliedOn" if name == "applied_on" else "AcceptedOn"
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    found = [(one.field, one.got, one.expected) for one in heard.result.findings]
    assert (field, "2026-03-06", "2026-03-02") in found
    for told in (UNTOLD, {}):
        assert (await office.decide("C1", steps[-1], **told)).outcome is Outcome.APPLIED
    assert await days(office) == (DAY, DAY)


async def test_the_state_that_a_case_has_sent_again_corrects_its_days(office: Office) -> None:
    office.move_to(LATER)
    await office.report("C1", 1)
    await office.decide("C1", S.ACCEPTED)
    corrected = await office.decide("C1", S.ACCEPTED, accepted_on=LATER)
    assert corrected.outcome is Outcome.APPLIED
    assert await days(office) == (DAY, LATER)
    await office.decide("C1", S.RECOGNISED, **UNTOLD)
    await office.decide("C1", S.RECOGNISED, applied_on=date(2026, 3, 1), accepted_on=DAY)
    assert await days(office) == (date(2026, 3, 1), DAY)


async def test_a_resumed_case_is_late_until_the_day_of_its_one_acceptance(office: Office) -> None:
    """The days between the suspension and its end are not the employer's."""
    applied, accepted, resumed = date(2026, 4, 20), date(2026, 4, 21), date(2026, 6, 1)
    line = bill_line("L1", "I0001", "12.00", "2", date(2026, 5, 4))
    await office.report("C1", 1)
    office.move_to(resumed)
    told = {"applied_by": Applicant.EMPLOYER, "applied_on": applied, "accepted_on": accepted}
    await office.decide("C1", S.ACCEPTED, **told)
    await office.decide("C1", S.SUSPENDED, **UNTOLD)
    again = await office.decide("C1", S.ACCEPTED, **UNTOLD | {"accepted_on": resumed})
    assert again.outcome is Outcome.REFUSED
    await office.decide("C1", S.ACCEPTED, **UNTOLD)
    await office.decide("C1", S.RECOGNISED, **UNTOLD)
    stay = await office.billed("H001", "V1", 1, (line,))
    heard = await office.commit("H001", stay, line)
    assert heard.result.split == Split(fund_fen=2400)


# --- what runs ------------------------------------------------------------------------------


async def the_open(office: Office) -> OpenCase:
    async with office.desk.database.reading() as reader:
        (case,) = await open_cases(reader)
    return case


async def told_of(office: Office, *steps: tuple[CaseState, date]) -> OpenCase:
    """The case after these steps, each decided on its day; all told on one later day."""
    office.move_to(date(2026, 3, 20))
    await office.report("C1", 1)
    await office.decide("C1", S.ACCEPTED, decided_on=DAY)
    for state, day in steps:
        heard = await office.decide("C1", state, decided_on=day, **UNTOLD)
        assert heard.outcome is Outcome.APPLIED
    return await the_open(office)


async def test_days_of_suspension_are_those_decided_not_those_on_which_it_was_told(
    office: Office,
) -> None:
    """受理……期间中止的，恢复后不计入（第二十条第三款）: told late, they are the same days."""
    suspended, resumed = (S.SUSPENDED, date(2026, 3, 5)), (S.ACCEPTED, date(2026, 3, 19))
    case = await told_of(office, suspended, resumed)
    assert case.suspended_days == 14
    found = {one.clock.name: one.due for one in of_cases(office.desk.policy, Calendar(), [case])}
    assert found["CLEAR_RECOGNITION"] == date(2026, 3, 31)


async def test_what_is_told_again_in_a_suspension_does_not_begin_it_anew(office: Office) -> None:
    suspended, again = (S.SUSPENDED, date(2026, 3, 5)), (S.SUSPENDED, date(2026, 3, 18))
    case = await told_of(office, suspended, again, (S.ACCEPTED, date(2026, 3, 19)))
    assert case.suspended_days == 14


async def test_a_suspension_that_ends_before_it_began_has_no_days(office: Office) -> None:
    suspended, resumed = (S.SUSPENDED, date(2026, 3, 19)), (S.ACCEPTED, date(2026, 3, 5))
    assert (await told_of(office, suspended, resumed)).suspended_days == 0


REVOKED_ON = date(2026, 3, 16)
ANEW = (
    (S.SUSPENDED, date(2026, 3, 5)),
    (S.ACCEPTED, date(2026, 3, 9)),
    (S.RECOGNISED, date(2026, 3, 10)),
    (S.REVOKED, REVOKED_ON),
    (S.ACCEPTED, date(2026, 3, 17)),
)


async def test_the_clock_of_a_case_accepted_anew_does_not_run_from_its_first_acceptance(
    office: Office,
) -> None:
    case = await told_of(office, *ANEW)
    assert (case.accepted_on, case.revoked_on, case.suspended_days) == (DAY, REVOKED_ON, 0)
    clocks = of_cases(office.desk.policy, Calendar(), [case])
    decisions = {one.clock.name: (one.due, one.untold) for one in clocks}
    assert decisions["RECOGNITION"] == decisions["CLEAR_RECOGNITION"] == (None, True)


async def test_a_new_acceptance_day_of_a_case_accepted_anew_starts_its_clock(
    office: Office,
) -> None:
    await told_of(office, *ANEW)
    day = date(2026, 3, 17)
    await office.decide("C1", S.ACCEPTED, **UNTOLD | {"accepted_on": day})
    clocks = of_cases(office.desk.policy, Calendar(), [await the_open(office)])
    assert {one.clock.name: one.due for one in clocks}["CLEAR_RECOGNITION"] == date(2026, 4, 1)


async def days(office: Office) -> tuple[date | None, date | None]:
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    return case.applied_on, case.accepted_on

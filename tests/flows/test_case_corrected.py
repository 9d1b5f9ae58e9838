"""What a case report told in error is corrected by case.decide, and everything that rested on it
is looked at again."""

from dataclasses import fields
from datetime import date
from typing import Any, Final

import pytest
from sqlalchemy import select

from gateway.clock import at_business
from gateway.domain.admission import Diagnosis
from gateway.domain.case import CaseFacts, CaseState, EmployerRole, EmploymentTie, ThirdParty
from gateway.domain.codes import Outcome
from gateway.domain.commands import ReportCase, UpdateEmployer
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.cases import case_by_no, case_detail
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office
from tests.flows.test_employers import named
from tests.flows.test_readjudication import approved, proposals, the_open_one

INJURED = date(2026, 3, 1)
MISTYPED = date(2026, 1, 20)
LATER = date(2026, 3, 6)
UNTOLD: Final[dict[str, Any]] = {"applied_on": None, "accepted_on": None}

CORRECTED: Final[dict[str, Any]] = {
    "injured_on": date(2026, 2, 27),
    "insured_at_injury": False,
    "third_party": ThirdParty.SUSPECTED,
    "traffic_accident": True,
    "disputed": True,
    "diagnosed_on": DAY,
    "roster_received_on": date(2026, 2, 20),
    "underpaid": True,
    "reported_at": at_business(date(2026, 3, 1), 20),
    "employer_no": "E9",
    "diagnoses": (Diagnosis("S52.500x001", "桡骨远端骨折", True),),
}
"""What the rules read of a report and a later decision corrects."""
BESIDE: Final = {"employer_no": {"employer_name": "虚构真单位"}}
"""What has to be told with it."""
READ_AS: Final = {"diagnoses": ("diagnosis_codes", frozenset({"S52.500x001"}))}
"""What the rules read of it, where that has another name."""
NOT_READ: Final = {"employer_name", "injured_parts", "reported_by", "channel"}
"""What no rule asks for."""
NAMES: Final = {"case_no", "person"}
"""What says whose case it is: another's is another case."""


async def the_case(office: Office) -> CaseFacts:
    async with office.desk.database.reading() as reader:
        case = await case_by_no(reader, "C1")
    assert case is not None
    return case


async def corrected(office: Office, **given: Any) -> Heard:
    """The state that the case has, sent again with what was told in error."""
    state = (await the_case(office)).state
    heard = await office.decide("C1", state, **UNTOLD | given)
    await release_all(office.desk)
    return heard


def test_every_field_of_a_report_is_corrected_or_read_by_no_rule_or_names_the_case() -> None:
    told = {one.name for one in fields(ReportCase)}
    assert told == set(CORRECTED) | NOT_READ | NAMES


@pytest.mark.parametrize("name", CORRECTED)
async def test_what_the_rules_read_of_a_report_is_corrected_by_a_decision(
    office: Office, name: str
) -> None:
    await office.report("C1", 1)
    before, told = await the_case(office), {name: CORRECTED[name]}
    word, value = READ_AS.get(name, (name, CORRECTED[name]))
    assert getattr(before, word) != value
    assert (await corrected(office, **told, **BESIDE.get(name, {}))).outcome is Outcome.APPLIED
    after = await the_case(office)
    assert getattr(after, word) == value
    assert after.version > before.version


async def test_a_decision_that_leaves_them_out_changes_nothing_of_the_report(
    office: Office,
) -> None:
    await office.report("C1", 1, traffic_accident=True)
    await office.decide("C1", CaseState.RECOGNISED)
    case = await the_case(office)
    assert (case.injured_on, case.traffic_accident) == (INJURED, True)


# --- the day of the injury --------------------------------------------------------------------


async def test_a_late_application_by_a_mistyped_injury_day_is_given_back_to_the_employer(
    office: Office,
) -> None:
    """Of thirty days since the injury (第十七条第一款) forty-four had passed by the wrong day."""
    office.move_to(LATER)
    await office.report("C1", 1, injured_on=MISTYPED)
    days = {"applied_on": date(2026, 3, 5), "accepted_on": date(2026, 3, 5)}
    await office.decide("C1", CaseState.RECOGNISED, **days)
    stay = await office.billed("H001", "V1", 1)
    one = (await office.commit("H001", stay, *LINES)).result
    assert (one.split.fund_fen, one.split.employer_fen) == (0, 2400)
    assert "LATE_APPLICATION" in {reason for line in one.lines for reason in line.reasons}
    assert (await corrected(office, injured_on=INJURED)).outcome is Outcome.APPLIED
    delta = await approved(office)
    assert (delta["fund_fen"], delta["employer_fen"]) == (2400, -2400)


async def test_a_settled_stay_that_began_before_the_corrected_day_waits_for_a_person(
    office: Office,
) -> None:
    office.move_to(LATER)
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await corrected(office, injured_on=DAY, applied_on=DAY, accepted_on=DAY)
    assert (await the_open_one(office))["untold"] == "HELD PENDING_CHECK admitted before the injury"


async def test_a_stay_before_the_mistyped_day_waits_and_is_confirmed_after_the_correction(
    office: Office,
) -> None:
    await office.recognised("C1", 1, injured_on=DAY)
    heard = await office.register("H001", "V1", 1)
    assert heard.result.note == "admitted before the injury"
    await corrected(office, injured_on=INJURED)
    [row] = await office.rows(select(tables.admission))
    assert row["state"] == "CONFIRMED"


async def test_a_stay_that_the_mistyped_day_kept_from_its_case_is_found_by_it(
    office: Office,
) -> None:
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    earlier = at_business(date(2026, 2, 27), 9)
    await office.register("H001", "V2", 1, admitted_at=earlier)
    await office.recognised("C1", 1, injured_on=DAY)
    await release_all(office.desk)
    assert await linked(office) == {("", "HELD")}
    await corrected(office, injured_on=INJURED)
    assert await linked(office) == {("", "HELD"), ("C1", "CONFIRMED")}
    [row] = await office.rows(select(tables.admission).where(tables.admission.c.case_no == "C1"))
    assert row["admission_id"] == stay


async def linked(office: Office) -> set[tuple[str, str]]:
    rows = await office.rows(select(tables.admission))
    return {(row["case_no"], row["state"]) for row in rows}


@pytest.mark.parametrize(
    ("known", "told", "faults"),
    [
        pytest.param(
            {}, {"injured_on": date(2026, 3, 7)}, {("InjuredOn", "<= 2026-03-06")}, id="ahead"
        ),
        pytest.param(
            {}, {"injured_on": date(2026, 3, 3)}, {("AppliedOn", ">= 2026-03-03")}, id="applied for"
        ),
        pytest.param(
            {"diagnosed_on": DAY},
            {"injured_on": date(2026, 3, 3)},
            {("DiagnosedOn", "2026-03-03 – 2026-03-06")},
            id="after the diagnosis of the disease",
        ),
        pytest.param(
            {"roster_received_on": date(2026, 2, 28)},
            {"injured_on": date(2026, 2, 27)},
            {("RosterReceivedOn", "<= 2026-02-27")},
            id="before the roster that insured the worker",
        ),
    ],
)
async def test_a_corrected_injury_day_that_what_followed_contradicts_is_refused(
    office: Office, known: dict[str, Any], told: dict[str, Any], faults: set[tuple[str, str]]
) -> None:
    office.move_to(LATER)
    await office.recognised("C1", 1, **known)
    heard = await corrected(office, **told)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    assert faults <= {(one.field, one.expected) for one in heard.result.findings}
    assert (await the_case(office)).injured_on == INJURED


async def test_a_corrected_injury_day_after_the_extended_limit_is_refused(office: Office) -> None:
    office.move_to(LATER)
    await office.report("C1", 1)
    told = {"applied_on": LATER, "application_extended_to": date(2026, 3, 5)}
    await office.decide("C1", CaseState.APPLIED, **UNTOLD | told)
    heard = await corrected(office, injured_on=LATER)
    found = {(one.field, one.expected) for one in heard.result.findings}
    assert ("ApplicationExtendedTo", "> 2026-03-06") in found


async def test_an_injury_day_before_the_tie_of_the_employer_at_it_is_refused(
    office: Office,
) -> None:
    """Who was borrowed, dispatched or employed twice at the injury was so by that day; who took
    over may have done it since."""
    await office.recognised("C1", 1)
    await named(office, since=date(2026, 2, 28))
    took_over = {"tie": EmploymentTie.SUCCESSION, "role": EmployerRole.SUCCESSOR}
    await named(office, employer_no="E3", since=DAY, **took_over)
    heard = await corrected(office, injured_on=date(2026, 2, 27))
    found = [(one.field, one.got, one.expected) for one in heard.result.findings]
    assert found == [("InjuredOn", "2026-02-27", ">= 2026-02-28")]
    assert (await corrected(office, injured_on=date(2026, 2, 28))).outcome is Outcome.APPLIED


async def test_of_an_occupational_disease_the_clocks_stay_with_the_diagnosis(
    office: Office,
) -> None:
    await office.recognised("C1", 1, injured_on=MISTYPED, diagnosed_on=INJURED)
    assert (await corrected(office, injured_on=date(2026, 2, 1))).outcome is Outcome.APPLIED
    case = await the_case(office)
    assert (case.injured_on, case.event_day) == (date(2026, 2, 1), INJURED)


# --- the employer, the hour of the report and the diagnoses --------------------------------------


async def test_an_employer_told_in_error_owes_nothing_once_it_is_corrected(office: Office) -> None:
    """The other one's arrears are not those of the employer that the worker had."""
    since = date(2026, 2, 1)
    await office.recognised("C1", 1)
    await office.say(
        AGENCY, "employer.update", UpdateEmployer(employer_no="E1", arrears_since=since)
    )
    assert (await the_case(office)).arrears
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    assert heard.result.bill_state != "SETTLED"
    await corrected(office, employer_no="E9", employer_name="虚构真单位")
    case = await the_case(office)
    assert (case.employer_no, case.arrears) == ("E9", ())
    async with office.desk.database.reading() as reader:
        assert (await case_detail(reader, "C1"))["employer_name"] == "虚构真单位"


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        pytest.param(
            {"employer_no": "E9"}, [("EmployerName", "", "a value")], id="a number without its name"
        ),
        pytest.param(
            {"employer_no": "E2", "employer_name": "虚构原单位"},
            [("EmployerNo", "E2", "!= E2")],
            id="one that was named beside it",
        ),
        pytest.param(
            {"reported_at": at_business(date(2026, 3, 9), 9)},
            [("ReportedAt", "2026-03-09T09:00:00+08:00", "<= 2026-03-02")],
            id="a report ahead",
        ),
    ],
)
async def test_a_correction_that_cannot_be_is_refused(
    office: Office, told: dict[str, Any], faults: list[tuple[str, str, str]]
) -> None:
    await office.recognised("C1", 1)
    await named(office)
    heard = await corrected(office, **told)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    assert [(one.field, one.got, one.expected) for one in heard.result.findings] == faults


async def test_an_hour_of_report_told_in_error_makes_an_emergency_late_until_it_is_corrected(
    office: Office,
) -> None:
    """The agency was told within the hours that the text gives, and the message said later."""
    office.move_to(LATER)
    await office.hospital("H404", agreement_from="")
    await office.recognised("C1", 1, reported_at=at_business(date(2026, 3, 5), 9))
    admitted = at_business(INJURED, 15)
    stay = await office.billed("H404", "V1", 1, emergency=True, admitted_at=admitted)
    heard = await office.commit("H404", stay, *LINES)
    assert heard.result.bill_state == "REFUSED"
    assert heard.result.code == "EMPLOYER_PAYS"
    await corrected(office, reported_at=at_business(INJURED, 18))
    assert (await office.commit("H404", stay, *LINES)).result.bill_state == "SETTLED"


# --- the traffic accident ---------------------------------------------------------------------


async def test_a_traffic_accident_told_in_error_refuses_a_stay_that_its_correction_lets_through(
    office: Office,
) -> None:
    await office.recognised("C1", 1, traffic_accident=True)
    assert (await office.register("H001", "V1", 1)).code == "THIRD_PARTY"
    await corrected(office, traffic_accident=False)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    assert heard.result.bill_state == "SETTLED"


async def test_a_traffic_accident_told_after_the_settlement_waits_for_a_person(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await corrected(office, traffic_accident=True)
    assert (await the_open_one(office))["untold"] == "MANUAL THIRD_PARTY"
    await corrected(office, traffic_accident=False)
    assert await proposals(office, state="BY_HAND") == []

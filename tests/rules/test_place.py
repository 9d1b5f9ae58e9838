"""Whose catalogues a bill is computed by, and what a filing or an edition elsewhere changes."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.case import Approval, ApprovalKind, AuthorityKind, TreatmentKind
from gateway.policy.load import load
from gateway.rules.approvals import Asked, missing
from gateway.rules.dates import months_later
from gateway.rules.place import catalogue_region, catalogue_regions
from gateway.rules.what_if import proposed_bill
from tests.rules.facts import (
    ADMITTED,
    DISCHARGED,
    EDITIONS,
    a_bill,
    a_case,
    a_hospital,
    a_stay,
    example_policy,
)


@pytest.mark.parametrize(
    ("treatment", "region", "expected"),
    [
        (TreatmentKind.INPATIENT, "999900", "999900"),
        (TreatmentKind.INPATIENT, "990100", "999900"),
        (TreatmentKind.INPATIENT, "330800", "330800"),
        (TreatmentKind.REHABILITATION, "330800", "330800"),
        (TreatmentKind.RELAPSE, "330800", "330800"),
        (TreatmentKind.DEVICE, "330800", "999900"),
    ],
)
def test_care_in_another_province_goes_by_its_catalogue_and_devices_by_ours(
    treatment: TreatmentKind, region: str, expected: str
):
    stay, hospital = a_stay(treatment=treatment), a_hospital(region=region)
    assert catalogue_region(stay, hospital, example_policy()) == expected


@pytest.mark.parametrize(
    ("region", "capabilities", "expected"),
    [
        ("999900", {"MEDICAL"}, ("999900",)),
        ("990100", {"MEDICAL", "DEVICE"}, ("999900",)),
        ("330800", {"MEDICAL"}, ("330800",)),
        ("330800", {"MEDICAL", "DEVICE"}, ("330800", "999900")),
    ],
    ids=["本市", "本省", "外省", "外省，兼配辅助器具"],
)
def test_a_hospitals_codes_are_those_of_the_catalogues_that_its_bills_may_go_by(
    region: str, capabilities: set[str], expected: tuple[str, ...]
):
    hospital = a_hospital(region=region, capabilities=frozenset(capabilities))
    assert catalogue_regions(hospital, example_policy()) == expected


def test_a_proposed_catalogue_leaves_a_bill_by_another_regions_catalogue_alone():
    theirs = tuple(replace(edition, region="330800") for edition in EDITIONS)
    since = date(2026, 1, 1)
    elsewhere = a_bill(editions=theirs)
    assert proposed_bill(elsewhere, EDITIONS, since) == elsewhere
    assert proposed_bill(a_bill(), EDITIONS, since) != a_bill()


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 3, 1), 0, date(2026, 3, 1)),
        (date(2026, 3, 1), 6, date(2026, 9, 1)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_a_shorter_month(
    first: date, months: int, last: date
):
    assert months_later(first, months) == last


# --- Quzhou 衢州 as its texts say ----------------------------------------------------------------


def lacking_in_quzhou(approval: Approval, county: str = "330106") -> str:
    """What a stay in a designated hospital of Hangzhou lacks by this approval."""
    hospital = a_hospital(region="330100", county=county)
    asked = Asked(a_stay(), a_case(approvals=(approval,)), hospital, load("330800"))
    return missing(asked, {approval.kind}, "approval", ADMITTED, DISCHARGED)


def an_approval(kind: ApprovalKind, by: AuthorityKind, area: str = "") -> Approval:
    """Decided by this authority for the days of the stay, in no hospital by name."""
    return Approval("S1", kind, frozenset(), ADMITTED, DISCHARGED, by, "衢州（虚构）", area)


def test_a_remote_residence_of_quzhou_covers_every_designated_hospital_of_its_county():
    filed = an_approval(ApprovalKind.REMOTE_RESIDENCE, AuthorityKind.AGENCY, area="330106")
    assert lacking_in_quzhou(filed) == ""
    other = lacking_in_quzhou(filed, county="330105")
    assert other == "approval on 2026-03-01 by AGENCY; S1 is for another place"


@pytest.mark.parametrize(
    "kind", [ApprovalKind.RELAPSE, ApprovalKind.REHABILITATION, ApprovalKind.DEVICE]
)
def test_in_quzhou_the_assessment_committee_confirms_and_the_agency_does_not(kind: ApprovalKind):
    committee, agency = AuthorityKind.ASSESSMENT_COMMITTEE, AuthorityKind.AGENCY
    assert lacking_in_quzhou(an_approval(kind, committee)) == ""
    expected = "approval on 2026-03-01 by ASSESSMENT_COMMITTEE; S1 decided by AGENCY"
    assert lacking_in_quzhou(an_approval(kind, agency)) == expected

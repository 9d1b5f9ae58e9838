"""Whether a stay may be registered and its bill settled: the decision tables."""

from typing import Any

import pytest

from gateway.domain.admission import HoldReason
from gateway.domain.case import CaseState
from gateway.policy.keys import KEYS
from gateway.policy.model import PolicyGap
from gateway.rules.approvals import AUTHORITY, VALIDITY
from gateway.rules.entitlement import Confirm, Hold, Refuse, may_register, may_settle
from tests.rules.facts import a_bill, a_case, example_policy, policy_with
from tests.rules.tables import bill_of, policy_of, rows, verdict_of


@pytest.mark.parametrize("row", rows("discharge.toml"))
def test_a_bill_is_let_through_at_discharge_as_the_table_says(row: dict[str, Any]):
    bill = bill_of(row)
    verdict = may_settle(bill.stay, bill.case, bill.hospital, policy_of(row))
    assert verdict == verdict_of(row["verdict"])


@pytest.mark.parametrize("row", rows("approvals.toml"))
def test_an_approval_counts_by_who_decided_for_how_long_and_where(row: dict[str, Any]):
    bill = bill_of(row)
    verdict = may_settle(bill.stay, bill.case, bill.hospital, policy_of(row))
    assert verdict == verdict_of(row["verdict"])


@pytest.mark.parametrize("row", rows("registration.toml"))
def test_a_stay_is_registered_as_the_table_says(row: dict[str, Any]):
    bill = bill_of(row)
    verdict = may_register(bill.stay, bill.case, bill.hospital, policy_of(row))
    assert verdict == verdict_of(row["verdict"])


def test_every_state_of_a_case_has_a_row_of_its_own_at_discharge():
    told = {row.values[0].get("case", {}).get("state") for row in rows("discharge.toml")}
    assert set(CaseState) - told == {CaseState.RECOGNISED}


def test_a_stay_still_open_is_judged_by_its_day_of_admission():
    row = {"stay": {"discharged_on": "none"}, "hospital": {"suspended_from": None}}
    bill = bill_of(row)
    assert may_settle(bill.stay, bill.case, bill.hospital, example_policy()) == Confirm()


def test_who_decides_and_for_how_long_is_asked_by_keys_that_a_region_can_fill():
    assert {*AUTHORITY.values(), *VALIDITY.values()} <= set(KEYS)


def test_a_decision_says_no_more_than_it_was_told():
    assert Hold(HoldReason.ARREARS) == Hold(HoldReason.ARREARS, key="", day=None, note="")
    assert Refuse("MEDICAL_ENDED") == Refuse("MEDICAL_ENDED", note="")


def test_a_registration_asks_only_for_the_texts_that_matter():
    bill = a_bill(case=a_case(traffic_accident=True))
    silent = policy_with(silent=["traffic_accident/policy"])
    with pytest.raises(PolicyGap) as gap:
        may_register(bill.stay, bill.case, bill.hospital, silent)
    assert (gap.value.key, gap.value.day) == ("traffic_accident/policy", bill.stay.admitted_on)
    ordinary = a_bill()
    verdict = may_register(ordinary.stay, ordinary.case, ordinary.hospital, silent)
    assert verdict == Confirm()


def test_a_refusal_moves_nothing_unless_it_says_by_which_reason():
    assert (Refuse("THIRD_PARTY").reason, Refuse("THIRD_PARTY").source) == ("", None)

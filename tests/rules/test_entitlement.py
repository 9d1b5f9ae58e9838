"""Whether a stay may be registered and its bill settled: the decision tables."""

from datetime import date
from typing import Any

import pytest

from gateway.domain.admission import HoldReason
from gateway.domain.case import Arrears, CaseState, Grade
from gateway.policy.keys import KEYS
from gateway.policy.model import PolicyGap
from gateway.rules.approvals import AUTHORITY, VALIDITY
from gateway.rules.entitlement import Confirm, Hold, Refuse, may_register, may_settle
from tests.rules.facts import a_bill, a_case, example_policy, policy_with
from tests.rules.tables import bill_of, policy_of, rows, verdict_of

OWED = Arrears(date(2026, 2, 1), None)


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
    assert (Refuse("THIRD_PARTY").reason, Refuse("THIRD_PARTY").sources) == ("", ())


@pytest.mark.parametrize(
    ("case", "keys"),
    [
        pytest.param({"insured_at_injury": False}, ["law/uninsured"], id="未参保"),
        pytest.param(
            {"insured_at_injury": None, "roster_received_on": date(2026, 3, 1)},
            ["cover/from_day_after_roster", "law/uninsured"],
            id="名册当日收到",
        ),
        pytest.param(
            {"insured_at_injury": False, "roster_received_on": date(2020, 1, 1)},
            ["law/uninsured"],
            id="名册不说明受伤时不在保",
        ),
        pytest.param(
            {"arrears": (Arrears(date(2026, 2, 1), None),)}, ["arrears/policy"], id="欠费"
        ),
        pytest.param(
            {"grade": Grade.NONE, "relation_ended_on": date(2026, 2, 1)},
            ["medical_end/ungraded_relation_ended"],
            id="待遇已终止",
        ),
        pytest.param(
            {
                "grade": Grade.FIVE_TO_TEN,
                "retired_on": date(2026, 1, 1),
                "relation_ended_on": date(2026, 1, 1),
                "lump_sum_on": date(2026, 1, 1),
            },
            ["medical_end/graded_relation_ended"],
            id="退休不终止而领取一次性待遇终止",
        ),
    ],
)
def test_a_refusal_cites_the_texts_that_decided_it(case: dict[str, Any], keys: list[str]):
    bill = a_bill(case=a_case(**case))
    verdict = may_settle(bill.stay, bill.case, bill.hospital, example_policy())
    assert isinstance(verdict, Refuse)
    assert [one.key for one in verdict.sources] == keys


@pytest.mark.parametrize(
    ("case", "policy", "keys"),
    [
        pytest.param(
            {"insured_at_injury": None, "roster_received_on": date(2026, 3, 1)},
            {},
            ["cover/from_day_after_roster", "law/uninsured"],
            id="名册当日收到",
        ),
        pytest.param(
            {"arrears": (Arrears(date(2026, 3, 10), None),)},
            {"arrears/policy": "NEVER"},
            ["arrears/policy"],
            id="受伤当月欠费",
        ),
    ],
)
def test_a_registration_is_refused_by_the_texts_that_decided(
    case: dict[str, Any], policy: dict[str, Any], keys: list[str]
):
    bill = a_bill(case=a_case(**case))
    verdict = may_register(bill.stay, bill.case, bill.hospital, policy_with(policy))
    assert isinstance(verdict, Refuse)
    assert [one.key for one in verdict.sources] == keys

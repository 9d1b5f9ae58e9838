"""By which article the fund pays 支付依据: by the treatment of the stay, of a device by its own;
and which approval the treatment was paid on."""

from datetime import date
from typing import Any, Final

import pytest

from gateway.domain.bill import BillVerdict, Citation
from gateway.domain.case import REFUSED_DISCHARGE, TreatmentKind
from gateway.domain.split import Payer
from gateway.policy import anchors
from gateway.rules.settle import settle
from tests.rules.tables import bill_of, policy_of

ARTICLES: Final = {
    "INPATIENT": "《工伤保险条例》第三十条第三款",
    "REHABILITATION": "《工伤保险条例》第三十条第六款",
    "RELAPSE": "《工伤保险条例》第三十八条",
    "DEVICE": "《工伤保险条例》第三十二条",
}
DEVICE: Final = {"kind": "DEVICE", "approval_no": "D1", "device_codes": ["PART-HAND"]}
CAPABLE: Final = {"capabilities": ["MEDICAL", "REHABILITATION", "DEVICE"]}
FROM_THE_5TH: Final = {"valid_from": date(2026, 3, 5)}


def a_row(treatment: str, *lines: dict[str, Any], **told: Any) -> dict[str, Any]:
    """A stay for the treatment, approved as it has to be."""
    approvals = [{"kind": treatment, "approval_no": "T1"}] if treatment != "INPATIENT" else []
    case = {"approvals": [*approvals, DEVICE], **told.pop("case", {})}
    priced = [{"price": "10.00", **line} for line in lines]
    stay = {"treatment": treatment, **told.pop("stay", {})}
    return {"lines": priced, "stay": stay, "case": case, "hospital": CAPABLE, **told}


def settled(row: dict[str, Any]) -> BillVerdict:
    verdict = settle(bill_of(row), policy_of(row))
    assert isinstance(verdict, BillVerdict), verdict
    return verdict


def cited(row: dict[str, Any]) -> tuple[Citation, ...]:
    """What the only line of the row cites."""
    (line,) = settled(row).lines
    return line.citations


def approved(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The approvals among the grounds."""
    grounds = settled(row).grounds
    return [(one.key, one.value) for one in grounds if one.key.startswith("approval/")]


def test_every_treatment_has_its_article():
    assert set(ARTICLES) == set(TreatmentKind)
    found = {kind.value: one.law for kind, one in anchors.FUND_PAYS_FOR.items()}
    assert found == ARTICLES


@pytest.mark.parametrize("treatment", ARTICLES)
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"code": "OPERATION"}, {}),
        ({"code": "NURSING", "qty": "2"}, {}),
        ({"code": "UNKNOWN"}, {}),
        ({"code": "CHILDREN"}, {"stay": {"born_on": date(1980, 5, 1)}}),
        ({"code": "TABLET", "violation": "NO_ORDER"}, {}),
        ({"code": "TABLET"}, {"stops": [FROM_THE_5TH]}),
        ({"code": "TABLET"}, {"stops": [FROM_THE_5TH | {"ground": REFUSED_DISCHARGE}]}),
    ],
    ids=["paid", "beyond a quantity", "not listed", "remark", "violation", "stopped", "refused"],
)
def test_a_line_cites_first_the_article_by_which_the_fund_pays_such_a_stay(
    treatment: str, line: dict[str, Any], told: dict[str, Any]
):
    stops = {"stops": told["stops"]} if "stops" in told else {}
    case = {"approvals": [{"kind": treatment}]} if treatment != "INPATIENT" else {}
    row = a_row(treatment, line, stay=told.get("stay", {}), case=stops | case)
    assert cited(row)[0].law == ARTICLES[treatment]


@pytest.mark.parametrize("treatment", ["INPATIENT", "RELAPSE"])
@pytest.mark.parametrize("day", [8, 9], ids=["beyond the days", "after the stable day"])
def test_a_day_after_an_emergency_cites_it_too(treatment: str, day: int):
    stay = {"emergency": True, "stable_on": date(2026, 3, day - 1)}
    line = {"code": "TABLET", "day": date(2026, 3, day)}
    row = a_row(treatment, line, stay=stay, hospital={"agreement_from": "none"})
    assert cited(row)[0].law == ARTICLES[treatment]


@pytest.mark.parametrize("treatment", ARTICLES)
@pytest.mark.parametrize(
    "line",
    [{}, {"violation": "NO_ORDER"}, {"qty": "2", "limit_met": True}, {"limit_met": False}],
    ids=["paid", "violation", "a pair", "before its life ended"],
)
def test_a_device_cites_the_article_of_devices_on_any_stay(treatment: str, line: dict[str, Any]):
    approvals = {"approvals": [DEVICE, {"kind": treatment}]} if treatment != "INPATIENT" else {}
    row = a_row(treatment, {"code": "PART-HAND", **line}, case=approvals)
    laws = [one.law for one in cited(row)]
    assert laws[0] == ARTICLES["DEVICE"]
    assert not {ARTICLES["INPATIENT"], ARTICLES["REHABILITATION"], ARTICLES["RELAPSE"]} & set(laws)


def test_the_catalogue_rests_on_its_own_article_whatever_the_stay_is_for():
    found = {one.key: one.law for one in cited(a_row("REHABILITATION", {"code": "OPERATION"}))}
    assert found["law/rehabilitation"] == ARTICLES["REHABILITATION"]
    assert found["catalogue/item/OPERATION"] == ARTICLES["INPATIENT"]


def test_what_treats_no_injury_cites_neither():
    row = a_row("REHABILITATION", {"code": "OPERATION", "relation": "unrelated"})
    assert cited(row) == (anchors.OTHER_DISEASES,)


def test_bills_on_one_ground_but_for_the_treatment_are_not_mixed():
    line = {"code": "OPERATION"}
    found = [cited(a_row(kind, line))[0].law for kind in (*ARTICLES, *ARTICLES)]
    assert found == [*ARTICLES.values(), *ARTICLES.values()]


# --- the approval that the treatment is paid on ---


@pytest.mark.parametrize("treatment", ["REHABILITATION", "RELAPSE"])
def test_the_grounds_name_the_approval_of_the_treatment_who_decided_it_and_its_days(treatment: str):
    (ground,) = settled(a_row(treatment, {"code": "OPERATION"})).grounds
    assert (ground.key, ground.value) == (f"approval/{treatment}", "T1")
    assert ground.since == "2026-03-01"
    decided = "示例市（虚构）（ASSESSMENT_COMMITTEE），准予至 2026-03-15 / good until 2026-03-15"
    assert ground.law == decided


def test_an_ordinary_stay_needs_no_approval_and_names_none():
    spare = {"approvals": [{"kind": "REHABILITATION"}, DEVICE]}
    assert approved(a_row("INPATIENT", {"code": "OPERATION"}, case=spare)) == []


REHABILITATION: Final = {"kind": "REHABILITATION"}
TO_THE_8TH: Final = REHABILITATION | {"approval_no": "T1", "valid_to": date(2026, 3, 8)}
FROM_THE_9TH: Final = REHABILITATION | {"approval_no": "T2", "valid_from": date(2026, 3, 9)}


def test_every_approval_that_a_paid_day_needs_is_named_and_no_other():
    spare = REHABILITATION | {"approval_no": "T3"}
    row = a_row("REHABILITATION", case={"approvals": [TO_THE_8TH, FROM_THE_9TH, spare]})
    named = [("approval/REHABILITATION", "T1"), ("approval/REHABILITATION", "T2")]
    assert approved(row) == named


@pytest.mark.parametrize(("stopped", "named"), [(9, ["T1"]), (1, [])])
def test_an_approval_of_days_that_the_fund_does_not_pay_is_not_named(
    stopped: int, named: list[str]
):
    stop = {"valid_from": date(2026, 3, stopped)}
    case = {"approvals": [TO_THE_8TH, FROM_THE_9TH], "stops": [stop]}
    row = a_row("REHABILITATION", {"code": "OPERATION", "day": date(2026, 3, 9)}, case=case)
    assert [number for _, number in approved(row)] == named


def test_a_device_paid_on_an_ordinary_stay_names_what_confirmed_it():
    wheelchair = DEVICE | {"approval_no": "D2", "device_codes": ["WHEELCHAIR"]}
    case = {"approvals": [wheelchair, DEVICE]}
    line = {"code": "PART-HAND", "price": "100.00"}
    assert approved(a_row("INPATIENT", line, case=case)) == [("approval/DEVICE", "D1")]
    both = a_row("INPATIENT", line, {"code": "WHEELCHAIR"}, case=case)
    assert approved(both) == [("approval/DEVICE", "D1"), ("approval/DEVICE", "D2")]


def test_a_device_that_the_fund_does_not_pay_names_no_approval():
    before = [{"code": "PART-HAND", "supplied_on": date(2026, 1, 5)}]
    row = a_row("INPATIENT", {"code": "PART-HAND"}, devices=before)
    (line,) = settled(row).lines
    assert line.split.borne_by(Payer.FUND) == 0
    assert approved(row) == []


def test_a_device_that_was_given_back_names_no_approval():
    line, refund = {"code": "PART-HAND"}, {"code": "PART-HAND", "qty": "-1", "refund_of": "L1"}
    assert approved(a_row("INPATIENT", line, refund)) == []


def test_a_stay_for_a_device_names_what_confirmed_the_device_and_not_what_confirmed_another():
    other = DEVICE | {"approval_no": "D2", "device_codes": ["WHEELCHAIR"]}
    row = a_row("DEVICE", {"code": "PART-HAND"}, case={"approvals": [other, DEVICE]})
    assert approved(row) == [("approval/DEVICE", "D1")]


def test_a_fitting_without_a_device_on_its_line_names_the_approval_of_the_stay():
    row = a_row("DEVICE", {"code": "OPERATION"}, case={"approvals": [DEVICE]})
    assert approved(row) == [("approval/DEVICE", "D1")]


# --- newly arising costs ---

JOINED: Final = {
    "insured_at_injury": False,
    "joined": [{"joined_on": date(2026, 3, 2), "settled_on": date(2026, 3, 5)}],
}


def newly(day: int, **case: Any) -> list[tuple[str, str, str]]:
    """What a line of the day cites of costs that newly arise."""
    row = a_row("INPATIENT", {"code": "OPERATION", "day": date(2026, 3, day)}, case=JOINED | case)
    found = [one for one in cited(row) if one.key == anchors.NEWLY_ARISING.key]
    assert all(one.our_reading and one.law == anchors.NEWLY_ARISING.law for one in found)
    return [(one.key, one.value, one.since) for one in found]


@pytest.mark.parametrize("day", [6, 9])
def test_a_line_that_the_fund_pays_because_cover_began_cites_it_since_its_first_day(day: int):
    assert newly(day) == [("law/newly_arising", "fund", "2026-03-06")]


def test_a_line_before_cover_cites_it_as_the_employers():
    assert newly(5) == [("law/newly_arising", "employer", "2011-01-01")]


def test_an_injury_that_was_insured_has_no_costs_that_newly_arise():
    assert newly(6, insured_at_injury=True) == []


@pytest.mark.parametrize(
    "more",
    [
        {"applied_on": date(2026, 4, 20), "accepted_on": date(2026, 4, 24)},
        {"arrears": [{"since": date(2026, 3, 1), "settled_on": date(2026, 3, 12)}]},
    ],
    ids=["late", "in arrears"],
)
def test_what_is_the_employers_by_another_text_cites_that_text_alone(more: dict[str, Any]):
    row = a_row("INPATIENT", {"code": "OPERATION", "day": date(2026, 3, 9)}, case=JOINED | more)
    (line,) = settled(row).lines
    assert line.split.borne_by(Payer.FUND) == 0
    assert newly(9, **more) == []


def test_what_was_approved_for_rescue_cites_it_and_what_the_list_shuts_out_does_not():
    line = {"code": "UNKNOWN", "day": date(2026, 3, 9)}
    rescue = {"approvals": [{"kind": "EMERGENCY_ITEM", "line_ids": ["L1"]}]}
    rescued, out = (a_row("INPATIENT", line, case=JOINED | more) for more in (rescue, {}))
    assert anchors.NEWLY_ARISING.key in [one.key for one in cited(rescued)]
    assert anchors.NEWLY_ARISING.key not in [one.key for one in cited(out)]

"""A whole bill: who bears each line, the meal allowance, and what makes a bill wait."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.admission import HoldReason
from gateway.domain.bill import BillVerdict, Citation, LineVerdict
from gateway.domain.case import REFUSED_DISCHARGE, Applicant, BenefitStop
from gateway.domain.catalogue import Kind
from gateway.domain.money import fen
from gateway.domain.split import Payer, Split, total
from gateway.policy.load import load
from gateway.policy.model import PolicyGap
from gateway.rules.calculate import calculate, cases_of
from gateway.rules.dates import dates_of
from gateway.rules.entitlement import Hold
from gateway.rules.late import late_window
from gateway.rules.settle import Bill, device_codes, line_terms, netted_terms, settle
from tests.rules.facts import EDITIONS, a_bill, a_case, a_line, a_stay, example_policy, policy_with
from tests.rules.tables import bill_of, policy_of, rows, split_of, verdict_of

ROWS = [*rows("bill.toml"), *rows("place.toml")]
SETTLED = [row for row in ROWS if "verdict" not in row.values[0]]
WAITING = [row for row in ROWS if "verdict" in row.values[0]]


def settled(bill: Bill, policy: Any = None) -> BillVerdict:
    verdict = settle(bill, policy or example_policy())
    assert isinstance(verdict, BillVerdict), verdict
    return verdict


def one(verdict: BillVerdict) -> LineVerdict:
    (line,) = verdict.lines
    return line


@pytest.mark.parametrize("row", SETTLED)
def test_each_line_of_a_bill_is_borne_as_the_table_says(row: dict[str, Any]):
    verdict = settled(bill_of(row), policy_of(row))
    decided = {line.line_id: (line.split, sorted(line.reasons)) for line in verdict.lines}
    told = {
        f"L{no}": (split_of(line), sorted(line.get("reasons", [])))
        for no, line in enumerate(row["lines"], start=1)
    }
    assert decided == told
    assert verdict.split == total([line.split for line in verdict.lines])
    assert verdict.total_fen == sum(line.amount_fen for line in verdict.lines)
    if "meal" in row:
        meal = (verdict.meal.days, verdict.meal.amount_fen)
        assert meal == (row["meal"]["days"], fen(row["meal"]["amount"]))


@pytest.mark.parametrize("row", WAITING)
def test_a_bill_that_cannot_be_computed_says_why(row: dict[str, Any]):
    assert settle(bill_of(row), policy_of(row)) == verdict_of(row["verdict"])


@pytest.mark.parametrize("row", SETTLED)
def test_a_settled_bill_told_as_calculation_cases_gives_the_stored_split(row: dict[str, Any]):
    bill, policy = bill_of(row), policy_of(row)
    cases = cases_of("S1", row["name"], netted_terms(bill, policy))
    splits = [calculate(case).split for case in cases]
    assert total(splits) == settled(bill, policy).split


def test_a_verdict_names_its_rules_its_policy_and_its_editions():
    verdict = settled(a_bill(a_line()))
    assert re.fullmatch("[0-9]{4}[.][0-9]{2}", verdict.rules_version)
    assert verdict.policy_digest == example_policy().digest
    assert "drug-2026-01-01" in verdict.edition_digests


def test_a_line_inside_the_catalogue_cites_the_article_the_row_and_the_ratio():
    citations = one(settled(a_bill(a_line(code="OPERATION")))).citations
    assert [(cited.key, cited.value) for cited in citations] == [
        ("law/fund_pays", "fund"),
        ("catalogue/item/OPERATION", "item-2025-01"),
        ("line/ratio_item", "1.00"),
    ]
    assert citations[0].law == "《工伤保险条例》第三十条第三款"
    assert citations[1].since == "2025-01-01"


def test_a_line_above_the_ceiling_cites_the_ceiling_and_who_pays_unsigned():
    citations = one(settled(a_bill(a_line(code="BED", price="60.00")))).citations
    cited = {citation.key: citation.value for citation in citations}
    assert cited["catalogue/facility/BED/ceiling"] == "40.00"
    assert cited["line/no_consent_payer"] == "hospital"


def test_a_signed_line_cites_no_text_on_unsigned_excess():
    line = a_line(code="UNKNOWN", consent="employer")
    keys = {citation.key for citation in one(settled(a_bill(line))).citations}
    assert "line/no_consent_payer" not in keys


def test_a_signed_line_still_cites_who_bears_the_rest_of_a_ratio():
    policy = policy_with({"line/ratio_item": 9000})
    line = a_line(code="OPERATION", consent="employer")
    keys = {citation.key for citation in one(settled(a_bill(line), policy)).citations}
    assert "line/ratio_payer" in keys


@pytest.mark.parametrize(("quantity", "cited"), [("1", False), ("2", True)])
def test_a_line_cites_who_bears_what_is_beyond_a_limit_of_quantity(quantity: str, cited: bool):
    line = a_line(code="NURSING", price="28.00", qty=quantity)
    keys = {citation.key for citation in one(settled(a_bill(line))).citations}
    assert ("line/over_quantity_payer" in keys) is cited


def test_a_line_row_that_the_catalogue_excludes_is_cited():
    keys = [cited.key for cited in one(settled(a_bill(a_line(code="AIR-CONDITIONING")))).citations]
    assert "catalogue/facility/AIR-CONDITIONING" in keys


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (a_line(relation="unrelated"), "law/other_diseases"),
        (a_line(violation="NO_ORDER"), "law/fund_pays"),
    ],
)
def test_a_line_decided_without_the_catalogue_cites_the_article(line: Any, key: str):
    assert [cited.key for cited in one(settled(a_bill(line))).citations] == [key]


def test_the_meal_allowance_cites_its_days_rate_and_channel():
    meal = settled(a_bill()).meal
    cited = {citation.key: citation.value for citation in meal.citations}
    assert cited["meal/per_day_fen"] == "15.00"
    assert cited["meal/day_rule"] == "EXCLUDE_DISCHARGE"
    assert cited["meal/channel"] == meal.channel == "HOSPITAL"


def test_a_bill_without_a_case_is_held_and_never_computed():
    bill = replace(a_bill(a_line()), case=None)
    assert not isinstance(settle(bill, example_policy()), BillVerdict)
    with pytest.raises(ValueError, match="never computed"):
        netted_terms(bill, example_policy())


def cited(bill: Bill) -> list[list[tuple[str, str]]]:
    """The keys and values that each line cites."""
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict)
    return [[(one.key, one.value) for one in line.citations] for line in verdict.lines]


def test_a_line_after_a_served_decision_to_stop_cites_it():
    stop = BenefitStop(date(2026, 3, 5), None, "拒绝治疗", "N8")
    (line,) = cited(a_bill(a_line(), case=a_case(stops=(stop,))))
    assert ("notice/benefit_stopped", "N8") in line


def test_a_line_after_a_served_notice_of_discharge_cites_the_notice_and_who_bears_it():
    notice = BenefitStop(date(2026, 3, 5), None, REFUSED_DISCHARGE, "N7")
    (line,) = cited(a_bill(a_line(), case=a_case(stops=(notice,))))
    assert ("notice/refused_discharge", "N7") in line
    assert "line/refused_discharge_payer" in dict(line)


def sources(row: dict[str, Any]) -> dict[str, Citation]:
    """What the last line of a row cites, by key."""
    verdict = settle(bill_of(row), example_policy())
    assert isinstance(verdict, BillVerdict)
    return {one.key: one for one in verdict.lines[-1].citations}


DEVICE = {
    "stay": {"treatment": "DEVICE"},
    "hospital": {"capabilities": ["DEVICE"]},
    "case": {"approvals": [{"kind": "DEVICE", "device_codes": ["PART-HAND"]}]},
}


def test_a_pair_of_devices_cites_how_many_a_person_saw_as_our_reading():
    pair = {"code": "PART-HAND", "price": "100.00", "qty": "2", "limit_met": True}
    number = sources(DEVICE | {"lines": [pair]})["device/number/PART-HAND"]
    assert (number.value, number.our_reading) == ("2", True)


def test_a_device_replaced_too_early_cites_its_life_and_the_day_it_was_supplied():
    line = {"code": "PART-HAND", "price": "100.00", "consent": "individual"}
    before = {"code": "PART-HAND", "supplied_on": date(2026, 1, 5)}
    cited = sources(DEVICE | {"lines": [line], "devices": [before]})
    life = cited["catalogue/material/PART-HAND/life_months"]
    assert (life.value, life.our_reading) == ("12", True)
    assert cited["device/supplied/PART-HAND"].since == "2026-01-05"


@pytest.mark.parametrize(
    ("lines", "stay", "ours"),
    [
        ([{"code": "COURSE", "day": date(2026, 3, day)} for day in (5, 6, 7)], {}, True),
        ([{"code": "CHILDREN"}], {"born_on": date(1980, 5, 1)}, True),
        ([{"code": "WOMEN"}], {"sex": "MALE"}, False),
    ],
    ids=["course", "age", "sex"],
)
def test_a_drug_beyond_its_remark_cites_it_and_says_where_counting_is_our_reading(
    lines: list[dict[str, Any]], stay: dict[str, Any], ours: bool
):
    code = lines[-1]["code"]
    cited = sources({"lines": [{"price": "10.00", **line} for line in lines], "stay": stay})
    assert cited[f"catalogue/drug/{code}/remark"].our_reading is ours
    assert ("person/adult_years" in cited) is (code == "CHILDREN")


@pytest.mark.parametrize(
    "row",
    [
        {"lines": [{"code": "UNKNOWN", "price": "10.00"}]},
        {"lines": [{"code": "WOMEN", "price": "10.00"}], "stay": {"sex": "MALE"}},
        {"lines": [{"code": "BED", "price": "60.00"}]},
        DEVICE
        | {
            "lines": [{"code": "PART-HAND", "price": "100.00"}],
            "devices": [{"code": "PART-HAND", "supplied_on": date(2026, 1, 5)}],
        },
    ],
    ids=["not in the catalogue", "beyond a remark", "above a ceiling", "before a life ended"],
)
def test_an_excess_that_nobody_signed_for_cites_who_bears_it(row: dict[str, Any]):
    assert "line/no_consent_payer" in sources(row)


def test_what_no_window_moves_cites_no_window():
    keys = set(sources({"lines": [{"code": "UNKNOWN", "price": "10.00"}]}))
    assert keys == {"law/fund_pays", "line/no_consent_payer"}


LATE = {"applied_on": date(2026, 4, 20), "accepted_on": date(2026, 4, 24)}
OWED = {
    "injured_on": date(2026, 2, 1),
    "arrears": [{"since": date(2026, 1, 1), "settled_on": date(2026, 3, 6)}],
}
LATE_KEYS = ["law/late_application", "employer/application_days", "late/window_end_event"]


def moved_by(day: date, case: dict[str, Any], policy: Any = None) -> dict[str, Citation]:
    """What a dressing of the day cites beside the catalogue, its ratio and that the fund pays."""
    line = {"code": "DRESSING", "price": "800.00", "day": day}
    row = {"stay": {"discharged_on": date(2026, 5, 3)}, "case": case, "lines": [line]}
    cited = one(settled(bill_of(row), policy)).citations
    usual = ("law/fund_pays", "catalogue/item/DRESSING", "line/ratio_item")
    return {each.key: each for each in cited if each.key not in usual}


def test_a_line_in_the_late_window_cites_what_made_the_application_late_and_what_ended_it():
    found = moved_by(date(2026, 4, 23), LATE)
    assert list(found) == LATE_KEYS
    assert [found[key].value for key in LATE_KEYS[1:]] == ["30", "ACCEPTED"]


def test_a_late_line_in_quzhou_cites_the_article_of_the_province_and_in_weihai_the_weak_source():
    in_quzhou, in_weihai = (
        late_window(load(region), a_case(**LATE), dates_of(a_stay(), a_case(**LATE)))
        for region in ("330800", "371000")
    )
    assert in_quzhou is not None
    assert in_weihai is not None
    (ended,) = [each for each in in_quzhou.sources if each.key == "late/window_end_event"]
    assert (ended.value, ended.since) == ("APPLIED", "2020-09-24")
    assert ended.law == "《浙江省工伤保险条例》第十三条第二款"
    (ended,) = [each for each in in_weihai.sources if each.key == "late/window_end_event"]
    assert ended.value == "ACCEPTED"
    assert "弱依据" in ended.law


def test_that_an_application_of_another_in_time_does_not_help_is_cited_as_our_reading():
    worker = {"applied_by": "WORKER", "applied_on": date(2026, 3, 31)}
    policy = policy_with()
    dated = policy.parameters["late/needs_nobody_applied"]
    found = moved_by(date(2026, 4, 23), LATE | worker, policy)["late/needs_nobody_applied"]
    assert (found.value, found.our_reading) == ("no", dated.values[0].reading)
    too_late = worker | {"applied_on": date(2026, 4, 1)}
    assert list(moved_by(date(2026, 4, 23), LATE | too_late)) == LATE_KEYS


@pytest.mark.parametrize(
    ("counts", "value", "others"), [(True, "yes", LATE_KEYS), (False, "no", [])]
)
def test_the_last_day_of_the_late_window_cites_whether_it_counts(
    counts: bool, value: str, others: list[str]
):
    policy = policy_with({"late/window_end_inclusive": counts})
    found = moved_by(date(2026, 4, 24), LATE, policy)
    assert list(found) == [*others, "late/window_end_inclusive"]
    assert found["late/window_end_inclusive"].value == value
    assert moved_by(date(2026, 4, 25), LATE, policy) == {}


def test_what_rescue_and_the_late_window_move_cites_both():
    rescued = {"approvals": [{"kind": "EMERGENCY_ITEM", "line_ids": ["L1"]}]}
    cited = sources({"case": LATE | rescued, "lines": [{"code": "UNKNOWN", "price": "10.00"}]})
    assert set(LATE_KEYS) < set(cited)
    assert {"approval/EMERGENCY_ITEM", "line/emergency_item_payer"} < set(cited)


def test_a_line_in_arrears_cites_the_text_of_the_region_and_the_article():
    found = moved_by(date(2026, 3, 5), OWED)
    assert list(found) == ["arrears/policy", "law/arrears_paid"]
    assert found["arrears/policy"].law == "《示例市工伤保险医疗费直接结算办法（虚构）》第十五条"
    assert moved_by(date(2026, 3, 6), OWED) == {}


ELSEWHERE = {
    "hospital": {"region": "999901"},
    "policy": {"cross_region/policy": "DIRECT"},
    "lines": [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 9)}],
}
REFERRAL = {"kind": "REFERRAL", "approval_no": "R1"}


def opened(**told: Any) -> list[tuple[str, str]]:
    """The approvals that the grounds of a bill of another region name."""
    row = ELSEWHERE | told
    grounds = settled(bill_of(row), policy_of(row)).grounds
    return [(one.key, one.value) for one in grounds if one.key.startswith("approval/")]


def test_an_extension_to_the_day_of_the_law_itself_moves_nothing_and_is_no_ground():
    late = LATE | {"application_extended_to": date(2026, 3, 31)}
    assert list(moved_by(date(2026, 3, 6), late)) == LATE_KEYS


def test_a_bill_paid_elsewhere_names_the_approval_with_who_decided_it_and_its_days():
    row = ELSEWHERE | {"case": {"approvals": [REFERRAL]}}
    (ground,) = settled(bill_of(row), policy_of(row)).grounds
    assert (ground.key, ground.value, ground.since) == ("approval/REFERRAL", "R1", "2026-03-01")
    assert ground.law == "示例市（虚构）（AGENCY），准予至 2026-03-15 / good until 2026-03-15"


def test_a_bill_names_every_approval_that_its_days_need_and_no_other():
    first = REFERRAL | {"valid_to": date(2026, 3, 7)}
    second = REFERRAL | {"approval_no": "R2", "valid_from": date(2026, 3, 8)}
    spare = REFERRAL | {"approval_no": "R3"}
    named = [("approval/REFERRAL", "R1"), ("approval/REFERRAL", "R2")]
    assert opened(case={"approvals": [first, second, spare]}) == named
    assert opened(case={"approvals": [first, second]}, hospital={}) == []


def test_an_emergency_elsewhere_names_the_approval_that_covers_a_paid_day():
    emergency = {"emergency": True}
    later = REFERRAL | {"valid_from": date(2026, 3, 8)}
    assert opened(stay=emergency, case={"approvals": [later]}) == [("approval/REFERRAL", "R1")]
    assert opened(stay=emergency) == []
    short = emergency | {"discharged_on": date(2026, 3, 7)}
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 7)}]
    # Its meals are those of elsewhere by the approval, although the emergency pays the line.
    assert opened(stay=short, case={"approvals": [REFERRAL]}, lines=lines) == [
        ("approval/REFERRAL", "R1")
    ]
    assert opened(stay=short, case={"approvals": [later]}, lines=lines) == []


def paid_as_emergency(**told: Any) -> dict[str, tuple[str, str]]:
    """The grounds of an emergency of another region: the value of each, and its article."""
    row = ELSEWHERE | {"stay": {"emergency": True}} | told
    grounds = settled(bill_of(row), policy_of(row)).grounds
    return {one.key: (one.value, one.law) for one in grounds}


def test_an_emergency_cites_its_article_and_the_text_that_limits_its_days():
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 7)}]
    found = paid_as_emergency(lines=lines)
    assert list(found) == ["law/emergency", "emergency/inpatient_days"]
    assert found["law/emergency"] == ("fund", "《工伤保险条例》第三十条第二款")
    assert found["emergency/inpatient_days"][0] == "7"
    unlimited = {"emergency/inpatient_days": "no limit", "cross_region/policy": "DIRECT"}
    stable = {"emergency": True, "stable_on": date(2026, 3, 15)}
    found = paid_as_emergency(lines=lines, policy=unlimited, stay=stable)
    assert list(found) == ["law/emergency", "emergency/move_back_when_stable"]
    without = {**unlimited, "emergency/move_back_when_stable": False}
    assert list(paid_as_emergency(lines=lines, policy=without)) == ["law/emergency"]


def test_an_emergency_here_names_no_approval_of_the_days_that_it_pays_itself():
    days = {"valid_from": date(2026, 3, 1), "valid_to": date(2026, 3, 8)}
    told = {"case": {"approvals": [{"kind": "EMERGENCY", **days}]}}
    told["hospital"] = {"agreement_from": "none"}
    short = {"emergency": True, "discharged_on": date(2026, 3, 7)}
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 7)}]
    assert "approval/EMERGENCY" not in paid_as_emergency(lines=lines, stay=short, **told)
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 8)}]
    assert "approval/EMERGENCY" in paid_as_emergency(lines=lines, **told)


def test_a_single_fen_that_is_paid_of_an_emergency_cites_its_article():
    only = date(2026, 3, 1)
    without_meal = {"emergency": True, "discharged_on": only, "leave_days": frozenset({only})}
    lines = [{"code": "TABLET", "price": "0.01", "day": only}]
    assert "law/emergency" in paid_as_emergency(stay=without_meal, lines=lines)
    nothing = [{"code": "TABLET", "price": "0.00", "day": only}]
    assert paid_as_emergency(stay=without_meal, lines=nothing) == {}


def test_an_emergency_found_stable_cites_the_text_by_which_it_moves_back():
    stable = {"emergency": True, "stable_on": date(2026, 3, 4)}
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 4)}]
    found = paid_as_emergency(stay=stable, lines=lines)
    assert list(found) == ["law/emergency", "emergency/move_back_when_stable"]


def test_an_emergency_of_which_no_day_is_paid_cites_nothing():
    lines = [{"code": "TABLET", "price": "10.00", "day": date(2026, 3, 5)}]
    stopped = {"stops": [{"valid_from": date(2026, 3, 1)}]}
    assert paid_as_emergency(lines=lines, case=stopped) == {}


def test_an_application_of_another_cites_the_text_by_which_it_is_the_employers():
    anybody = {"late/needs_nobody_applied": True}
    on_the_last_day = {"applied_by": "UNION", "applied_on": date(2026, 3, 31)}
    a_day_late = on_the_last_day | {"applied_on": date(2026, 4, 1)}
    by_itself = on_the_last_day | {"applied_by": "EMPLOYER"}

    def grounds(case: dict[str, Any], policy: dict[str, Any]) -> list[tuple[str, str]]:
        row = {"case": case | {"accepted_on": date(2026, 4, 24)}, "policy": policy}
        verdict = settled(bill_of(row), policy_of(row))
        return [(one.key, one.value) for one in verdict.grounds]

    assert grounds(on_the_last_day, anybody) == [("late/needs_nobody_applied", "yes")]
    assert grounds(on_the_last_day, {"late/needs_nobody_applied": False}) == []
    assert grounds(a_day_late, anybody) == grounds(by_itself, anybody) == []


def test_an_application_of_another_that_was_accepted_in_time_is_told_as_our_reading():
    accepted = {"applied_on": date(2026, 3, 5), "accepted_on": date(2026, 3, 31)}
    (told,) = settled(
        a_bill(a_line(), case=a_case(applied_by=Applicant.WORKER, **accepted))
    ).grounds
    assert (told.key, told.value, told.our_reading) == ("law/late_application", "2026-03-31", True)
    for applied_by in (Applicant.EMPLOYER, None):
        case = a_case(applied_by=applied_by, **accepted)
        assert settled(a_bill(a_line(), case=case)).grounds == ()


def test_a_day_before_cover_cites_nothing_of_a_late_application():
    joined = {
        "insured_at_injury": False,
        "joined": [{"joined_on": date(2026, 3, 3), "settled_on": date(2026, 3, 5)}],
    }
    assert list(moved_by(date(2026, 3, 5), LATE | joined)) == ["law/newly_arising"]
    assert list(moved_by(date(2026, 3, 6), LATE | joined)) == LATE_KEYS


def test_an_unpublished_standard_is_told_in_both_languages():
    with pytest.raises(PolicyGap) as told:
        netted_terms(a_bill(a_line(code="SECRET")), example_policy())
    assert told.value.zh == "目录未公布唯一的支付标准（SECRET）"
    assert told.value.en == "the list prints no single payment standard (SECRET)"


def test_only_a_line_beyond_the_quantity_cites_its_limit():
    nursing = [a_line(line_id=number, code="NURSING", qty="1") for number in "12"]
    within, beyond = cited(a_bill(*nursing))
    limit = ("catalogue/item/NURSING/qty_per_day", "1")
    assert limit not in within
    assert limit in beyond


def test_a_code_that_a_missing_edition_may_hold_waits_for_the_edition():
    known = tuple(one for one in EDITIONS if one.kind is not Kind.FACILITY)
    found = settle(a_bill(a_line(code="UNKNOWN"), editions=known), example_policy())
    assert isinstance(found, Hold)
    assert (found.reason, found.key) == (HoldReason.POLICY_GAP, "catalogue/facility")


def test_a_line_just_within_its_limit_is_told_without_it():
    within, beyond = line_terms(
        a_bill(
            a_line(line_id="1", code="NURSING", qty="1"),
            a_line(line_id="2", code="NURSING", qty="1"),
        ),
        example_policy(),
    )
    assert (within.terms.quantity_limit, beyond.terms.quantity_limit) == (None, 0)


def test_the_terms_of_every_line_are_told_in_the_order_of_the_verdict_and_of_a_refund_at_the_net():
    bill = a_bill(
        a_line(line_id="L2", code="DRESSING", qty="3", day=date(2026, 3, 6)),
        a_line(line_id="L3", code="DRESSING", qty="-1", day=date(2026, 3, 7), refund_of="L2"),
        a_line(line_id="L1", code="TABLET", qty="2", day=date(2026, 3, 5)),
    )
    told = line_terms(bill, example_policy())
    assert [line.line_id for line in told] == [line.line_id for line in settled(bill).lines]
    assert {line.line_id: line.terms.quantity for line in told} == {
        "L1": 20_000,
        "L2": 30_000,
        "L3": 20_000,
    }


def test_a_bill_across_a_change_of_payer_is_told_as_two_cases():
    policy = example_policy()
    key = "line/no_consent_payer"
    changed = replace(
        policy.parameters[key],
        values=(
            policy.parameters[key].values[0],
            replace(policy.parameters[key].values[0], since=date(2026, 3, 8), amount="employer"),
        ),
    )
    policy = replace(policy, parameters={**policy.parameters, key: changed})
    bill = a_bill(
        a_line(line_id="L1", code="UNKNOWN", day=date(2026, 3, 7)),
        a_line(line_id="L2", code="UNKNOWN", day=date(2026, 3, 8)),
    )
    assert settled(bill, policy).split == Split(hospital_fen=1000, employer_fen=1000)
    cases = cases_of("S1", "账单", netted_terms(bill, policy))
    assert [case.no_consent_payer for case in cases] == [Payer.HOSPITAL, Payer.EMPLOYER]


def test_the_devices_of_a_bill_are_its_codes_with_a_least_life():
    bill = a_bill(a_line(code="WHEELCHAIR"), a_line(code="PLATE"), a_line(code="UNKNOWN"))
    assert device_codes(bill) == {"WHEELCHAIR"}


def test_the_text_that_names_the_employer_is_cited_where_it_moved_money():
    silent = a_stay(notified_by_employer=False)
    verdict = settled(a_bill(a_line(code="UNKNOWN"), a_line(line_id="L2"), stay=silent))
    cited = [[source.key for source in line.citations] for line in verdict.lines]
    assert ["line/not_notified_payer" in keys for keys in cited] == [True, False]
    assert "line/no_consent_payer" not in cited[0]

"""Every clock ends on the day its article says, on working days where it says so."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gateway.clock import BUSINESS_ZONE
from gateway.domain.admission import AdmissionState
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.clocks import OpenApplication, OpenCase, OpenCut, OpenMonth, OpenStay
from gateway.domain.cut import CutState
from gateway.policy.keys import KEYS
from gateway.policy.load import load
from gateway.rules.clocks import (
    CLOCKS,
    NoSuchDay,
    Owner,
    deadline,
    of_applications,
    of_cases,
    of_cuts,
    of_months,
    of_stays,
)
from gateway.store.calendar import Calendar
from tests.rules.facts import a_hospital, example_policy, policy_with
from tests.rules.tables import rows

DAYS = Calendar()
EXAMPLE, QUZHOU, WEIHAI = example_policy(), load("330800"), load("371000")


def due(name: str, since: str, policy=EXAMPLE) -> str | None:
    found = deadline(policy, DAYS, name, date.fromisoformat(since))
    return None if found.due is None else found.due.isoformat()


@pytest.mark.parametrize(
    ("name", "since", "ends"),
    [
        pytest.param("QUICK_REPORT", "2026-03-01", "2026-03-02", id="二十四小时电话快报"),
        pytest.param("WRITTEN_REPORT", "2026-03-01", "2026-03-06", id="五个工作日书面备案"),
        pytest.param("EMPLOYER_APPLICATION", "2026-03-01", "2026-03-31", id="E12_三十日至三月底"),
        pytest.param("WORKER_APPLICATION", "2026-03-01", "2027-03-01", id="职工一年"),
        pytest.param("WORKER_APPLICATION", "2028-02-29", "2029-02-28", id="闰日起一年"),
        pytest.param("ACCEPTANCE", "2026-03-02", "2026-03-09", id="地方工作日先于全国自然日"),
        pytest.param("RECOGNITION", "2026-04-24", "2026-06-23", id="受理后六十日"),
        pytest.param("CLEAR_RECOGNITION", "2026-04-24", "2026-05-09", id="事实清楚十五日"),
        pytest.param("REGISTRATION", "2026-03-01", "2026-03-04", id="入院三日内登记"),
        pytest.param("ADMISSION_CHECK", "2026-03-02", "2026-03-16", id="十个工作日核查"),
        pytest.param("REFUSE_ACCEPTANCE", "2026-03-02", "2026-03-05", id="补正期满三日内不予受理"),
        pytest.param("EMERGENCY_REPORT", "2026-03-02", "2026-03-03", id="急救二十四小时内报告"),
        pytest.param("INSPECTION_OPINION", "2026-03-02", "2026-03-16", id="十个工作日送达稽核意见"),
        pytest.param("URGENT_REFERRAL_PAPERS", "2026-03-02", "2026-03-05", id="三个工作日补办转诊"),
        pytest.param("MANUAL_CLAIM", "2026-03-02", "2026-03-30", id="收到手工申请二十个工作日"),
        pytest.param("MONTHLY_FILING", "2026-03-15", "2026-04-10", id="次月十日前申报"),
        pytest.param("MONTHLY_FILING", "2026-12-31", "2027-01-10", id="十二月的到次年一月"),
        pytest.param("HOSPITAL_PAYMENT", "2026-03-15", "2026-04-30", id="次月底前拨付"),
        pytest.param("HOSPITAL_PAYMENT", "2026-01-31", "2026-02-28", id="一月的到二月底"),
        pytest.param("CUT_ANSWER", "2026-03-02", "2026-03-09", id="扣减通知送达七日内陈述申辩"),
        pytest.param("CUT_DECISION", "2026-03-09", "2026-03-24", id="答复期满十五日内复核"),
        pytest.param("REFERRAL_DECISION", "2026-03-06", "2026-03-09", id="周五申请转诊_周一决定"),
        pytest.param("RELAPSE_DECISION", "2026-03-02", "2026-04-14", id="三十个工作日_清明不计"),
    ],
)
def test_a_clock_ends_on(name: str, since: str, ends: str):
    assert due(name, since) == ends


@pytest.mark.parametrize("row", rows("clock.toml"))
def test_a_clock_of_the_table_ends_on_its_day(row: dict[str, Any]):
    assert due(row["clock"], row["since"].isoformat()) == row["ends"].isoformat()


def test_every_clock_of_the_table_has_a_length_an_article_and_an_owner_in_the_example_region():
    for name in CLOCKS:
        found = deadline(EXAMPLE, DAYS, name, date(2026, 3, 2))
        assert found.due is not None
        assert found.source is not None
        assert "第" in found.source.law
        assert found.clock.owner in Owner


def test_the_clocks_of_a_stay_start_at_admission_and_those_of_a_month_at_settlement():
    starts = {name: clock.starts for name, clock in CLOCKS.items()}
    assert starts["REGISTRATION"] == starts["NONE_FOUND"] == ("入院", "admission")
    assert starts["MONTHLY_FILING"] == starts["HOSPITAL_PAYMENT"] == ("结算", "settlement")


def test_an_owner_is_told_by_the_word_that_a_policy_says():
    assert [owner.value for owner in Owner] == [owner.name for owner in Owner]
    said = {word for key in KEYS if key.startswith("authority/") for word in KEYS[key].words}
    assert said == {Owner.AGENCY, Owner.ASSESSMENT_COMMITTEE}


@pytest.mark.parametrize(
    ("region", "ends"), [(EXAMPLE, "2026-03-09"), (QUZHOU, "2026-03-09"), (WEIHAI, "2026-03-17")]
)
def test_受理期限_衢州五个工作日_没有地方规定的十五日(region, ends):
    assert due("ACCEPTANCE", "2026-03-02", region) == ends


def test_a_deadline_beyond_the_last_published_year_has_no_day_and_is_not_guessed():
    last = DAYS.last
    found = deadline(EXAMPLE, DAYS, "ADMISSION_CHECK", last - timedelta(days=3))
    assert (found.due, found.gap, found.left(last)) == (None, "", None)
    assert deadline(EXAMPLE, DAYS, "RECOGNITION", last).due == last + timedelta(days=60)


def test_where_no_text_gives_the_length_the_gap_names_the_key():
    found = deadline(WEIHAI, DAYS, "MONTHLY_FILING", date(2026, 3, 2))
    assert (found.due, found.source) == (None, None)
    assert "filing/day" in found.gap
    with pytest.raises(KeyError):
        deadline(EXAMPLE, DAYS, "NO_SUCH", date(2026, 3, 2))


@pytest.mark.parametrize(
    "name", ["QUICK_REPORT", "WORKER_APPLICATION", "MONTHLY_FILING", "HOSPITAL_PAYMENT"]
)
def test_a_clock_that_would_end_after_the_last_day_there_is_has_no_such_day(name: str):
    with pytest.raises(NoSuchDay):
        deadline(EXAMPLE, DAYS, name, date.max)


def test_the_start_of_the_demand_clock_is_our_reading():
    found = deadline(EXAMPLE, DAYS, "ADVANCE_DEMAND", date(2026, 5, 11))
    assert found.source is not None
    assert found.source.our_reading


def test_a_filing_day_that_a_short_month_lacks_is_its_last_day():
    policy = policy_with({"filing/day": 31})
    assert due("MONTHLY_FILING", "2026-01-15", policy) == "2026-02-28"


# --- what runs -------------------------------------------------------------------------------


def a_case(state: CaseState, **changes) -> OpenCase:
    facts = {
        "case_no": "C1",
        "state": state,
        "event_day": date(2026, 3, 1),
        "applied_on": date(2026, 3, 10),
        "accepted_on": date(2026, 3, 16),
        "suspended_days": 0,
    }
    return OpenCase(**facts | changes)


def running(case: OpenCase) -> dict[str, str | None]:
    return {
        one.clock.name: one.due.isoformat() if one.due else None
        for one in of_cases(EXAMPLE, DAYS, [case])
    }


def test_each_state_of_a_case_has_its_clocks():
    assert running(a_case(CaseState.REPORTED)) == {
        "EMPLOYER_APPLICATION": "2026-03-31",
        "WORKER_APPLICATION": "2027-03-01",
    }
    assert running(a_case(CaseState.APPLIED)) == {"ACCEPTANCE": "2026-03-17"}
    assert running(a_case(CaseState.ACCEPTED)) == {
        "RECOGNITION": "2026-05-15",
        "CLEAR_RECOGNITION": "2026-03-31",
    }
    assert running(a_case(CaseState.SUPPLEMENTING, supplement_by=date(2026, 3, 20))) == {
        "REFUSE_ACCEPTANCE": "2026-03-23"
    }
    assert running(a_case(CaseState.RECOGNISED)) == {}


@pytest.mark.parametrize(
    ("case", "names"),
    [
        pytest.param(a_case(CaseState.APPLIED, applied_on=None), ["ACCEPTANCE"], id="申请日未报送"),
        *(
            pytest.param(
                a_case(state, accepted_on=None), ["RECOGNITION", "CLEAR_RECOGNITION"], id=what
            )
            for state, what in (
                (CaseState.ACCEPTED, "受理日未报送"),
                (CaseState.SUSPENDED, "中止而受理日未报送"),
            )
        ),
    ],
)
def test_a_clock_whose_first_day_nobody_told_is_shown_without_an_end(case, names):
    found = list(of_cases(EXAMPLE, DAYS, [case]))
    assert [one.clock.name for one in found] == names
    assert {(one.since, one.due, one.untold) for one in found} == {(case.event_day, None, True)}


@pytest.mark.parametrize(
    ("accepted_on", "told"),
    [
        pytest.param("2026-03-16", {"2026-05-15", "2026-03-31"}, id="撤销当日受理的_自该日起算"),
        pytest.param("2026-03-15", {None}, id="受理在撤销以前_是原来的受理_没有告知"),
    ],
)
def test_after_a_revocation_the_first_acceptance_starts_no_clock(accepted_on, told):
    day = date.fromisoformat(accepted_on)
    case = a_case(CaseState.ACCEPTED, accepted_on=day, revoked_on=date(2026, 3, 16))
    found = list(of_cases(EXAMPLE, DAYS, [case]))
    assert {one.due and one.due.isoformat() for one in found} == told
    assert {(one.untold, one.anew) for one in found} == {(None in told, None in told)}


def test_an_acceptance_never_told_is_not_said_to_be_of_a_case_accepted_anew():
    case = a_case(CaseState.ACCEPTED, accepted_on=None, revoked_on=date(2026, 3, 16))
    assert {(one.untold, one.anew) for one in of_cases(EXAMPLE, DAYS, [case])} == {(True, False)}


def test_补正期限没有告知的_不猜到期日_只说缺什么():
    (found,) = of_cases(
        EXAMPLE, DAYS, [a_case(CaseState.SUPPLEMENTING, decided_on=date(2026, 3, 12))]
    )
    assert (found.clock.name, found.clock.owner) == ("REFUSE_ACCEPTANCE", Owner.DEPARTMENT)
    assert (found.since, found.due, found.untold) == (date(2026, 3, 12), None, True)
    (silent,) = of_cases(WEIHAI, DAYS, [a_case(CaseState.SUPPLEMENTING)])
    assert (silent.due, silent.untold) == (None, False)
    assert "recognition/refuse_after_supplement_days" in silent.gap


@pytest.mark.parametrize(
    ("reported_on", "told"),
    [(date(2026, 3, 2), []), (date(2026, 3, 3), [("QUICK_REPORT", date(2026, 3, 2))])],
    ids=["事故次日报告，没有超过二十四小时", "第三日才报告，逾期一天"],
)
def test_a_report_of_the_accident_after_a_day_is_told_as_done_late(
    reported_on: date, told: list[tuple[str, date]]
):
    case = a_case(CaseState.RECOGNISED, reported_on=reported_on)
    found = list(of_cases(EXAMPLE, DAYS, [case]))
    assert [(one.clock.name, one.due) for one in found] == told
    assert all(one.done_on == reported_on for one in found)


@pytest.mark.parametrize(
    ("extended_to", "due"),
    [(date(2026, 3, 30), "2026-03-31"), (date(2026, 4, 1), "2026-04-01")],
)
def test_an_extension_lengthens_the_employers_time_alone_and_never_shortens_it(
    extended_to: date, due: str
):
    assert running(a_case(CaseState.REPORTED, extended_to=extended_to)) == {
        "EMPLOYER_APPLICATION": due,
        "WORKER_APPLICATION": "2027-03-01",
    }


def test_a_recognition_whose_length_no_text_gives_stays_a_gap():
    silent = policy_with(silent=["recognition/decide_days"])
    found, clear = of_cases(silent, DAYS, [a_case(CaseState.ACCEPTED, suspended_days=5)])
    assert (found.due, "recognition/decide_days" in found.gap) == (None, True)
    assert clear.due == date(2026, 4, 5)


def test_while_suspended_there_is_no_deadline_and_afterwards_those_days_do_not_count():
    (stands, _) = of_cases(EXAMPLE, DAYS, [a_case(CaseState.SUSPENDED)])
    assert (stands.due, stands.suspended) == (None, True)
    again = running(a_case(CaseState.ACCEPTED, suspended_days=20))
    assert again["RECOGNITION"] == "2026-06-04"


def a_stay(state: AdmissionState, **changes) -> OpenStay:
    facts = {
        "admission_id": "A1",
        "hospital": "H1",
        "state": state,
        "case_no": "C1",
        "admitted_on": date(2026, 3, 1),
        "registered_on": date(2026, 3, 2),
        "late": False,
    }
    return OpenStay(**facts | changes)


def test_a_registration_to_be_checked_and_one_without_a_case_run():
    stays = [
        a_stay(AdmissionState.PENDING_CHECK),
        a_stay(AdmissionState.HELD, case_no="", admission_id="A2"),
        a_stay(AdmissionState.HELD),
        a_stay(AdmissionState.CONFIRMED),
    ]
    found = [(one.clock.name, one.subject) for one in of_stays(EXAMPLE, DAYS, stays)]
    assert found == [("ADMISSION_CHECK", "A1 H1"), ("NONE_FOUND", "A2 H1")]


AT_NOON = datetime(2026, 3, 1, 12, tzinfo=BUSINESS_ZONE)
OUTSIDE = a_hospital(agreement_from=None)
DAY = timedelta(days=1)


def an_emergency(told_after: timedelta, **changes) -> OpenStay:
    facts = {
        "emergency": True,
        "institution": OUTSIDE,
        "admitted_at": AT_NOON,
        "registered_at": AT_NOON + told_after,
    }
    return a_stay(AdmissionState.CONFIRMED, **facts | changes)


def test_非协议机构急诊_报告时限届满以后才报告的_列为逾期():
    late = DAY + timedelta(minutes=1)
    (found,) = of_stays(EXAMPLE, DAYS, [an_emergency(late)])
    assert (found.clock.name, found.clock.owner) == ("EMERGENCY_REPORT", Owner.EMPLOYER)
    assert (found.due, found.done_on) == (date(2026, 3, 2), date(2026, 3, 2))
    assert found.source is not None
    assert found.source.key == "emergency/report_hours"


def test_入院三十小时以前的伤情报告_不是这次急诊的报告_以登记为准():
    stay = an_emergency(2 * DAY, reported_at=AT_NOON - timedelta(hours=30))
    (found,) = of_stays(EXAMPLE, DAYS, [stay])
    assert (found.clock.name, found.done_on) == ("EMERGENCY_REPORT", date(2026, 3, 3))


@pytest.mark.parametrize(
    ("stay", "policy"),
    [
        pytest.param(an_emergency(DAY), EXAMPLE, id="时限最后一刻报告"),
        pytest.param(
            an_emergency(3 * DAY, reported_at=AT_NOON - DAY),
            EXAMPLE,
            id="入院前二十四小时内单位已报告",
        ),
        pytest.param(an_emergency(3 * DAY, institution=a_hospital()), EXAMPLE, id="协议医院"),
        pytest.param(an_emergency(3 * DAY, institution=None), EXAMPLE, id="没有登记的机构"),
        pytest.param(an_emergency(3 * DAY, emergency=False), EXAMPLE, id="不是急诊"),
        pytest.param(an_emergency(3 * DAY, registered_at=None), EXAMPLE, id="报告时刻不明"),
        pytest.param(an_emergency(3 * DAY, admitted_at=None), EXAMPLE, id="入院时刻不明"),
        pytest.param(
            an_emergency(3 * DAY),
            policy_with(silent=["emergency/report_hours"]),
            id="当地没有规定",
        ),
        pytest.param(
            an_emergency(3 * DAY),
            policy_with({"emergency/report_hours": "no limit"}),
            id="当地规定不限",
        ),
    ],
)
def test_an_emergency_that_was_told_in_time_or_needs_no_report_has_no_clock(stay, policy):
    assert list(of_stays(policy, DAYS, [stay])) == []


def test_登记期限到三月四日_三月五日登记逾期一天():
    stay = a_stay(AdmissionState.CONFIRMED, late=True, registered_on=date(2026, 3, 5))
    (late,) = of_stays(EXAMPLE, DAYS, [stay])
    assert not late.suspended
    assert (late.clock.name, late.due, late.left(date(2026, 4, 1))) == (
        "REGISTRATION",
        date(2026, 3, 4),
        -1,
    )


def an_application(kind: ApprovalKind, **changes) -> OpenApplication:
    facts = {
        "application_id": "Q1",
        "hospital": "H1",
        "kind": kind,
        "applied_on": date(2026, 3, 2),
        "transferred_on": None,
    }
    return OpenApplication(**facts | changes)


def told_of(application: OpenApplication, policy=EXAMPLE) -> list[tuple[str, Owner, date | None]]:
    found = of_applications(policy, DAYS, [application])
    return [(one.clock.name, one.clock.owner, one.due) for one in found]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        pytest.param(
            ApprovalKind.REFERRAL,
            [("REFERRAL_DECISION", Owner.AGENCY, date(2026, 3, 3))],
            id="周一申请转诊_周二前由经办机构决定",
        ),
        pytest.param(
            ApprovalKind.REHABILITATION,
            [("REHABILITATION_DECISION", Owner.ASSESSMENT_COMMITTEE, date(2026, 3, 5))],
            id="周一申请康复_周四前由劳动能力鉴定委员会决定",
        ),
        pytest.param(
            ApprovalKind.RELAPSE,
            [("RELAPSE_DECISION", Owner.ASSESSMENT_COMMITTEE, date(2026, 4, 14))],
            id="申请旧伤复发_三十个工作日_清明不计",
        ),
        pytest.param(ApprovalKind.REMOTE_RESIDENCE, [], id="异地居住没有规定期限"),
    ],
)
def test_an_application_runs_from_its_day_and_is_owned_by_who_decides(kind, found):
    assert told_of(an_application(kind)) == found


def test_where_no_text_says_who_decides_the_papers_lie_with_the_agency():
    silent = policy_with(silent=["authority/rehabilitation"])
    ((_, owner, _),) = told_of(an_application(ApprovalKind.REHABILITATION), silent)
    assert owner is Owner.AGENCY


@pytest.mark.parametrize(
    ("transferred_on", "late"),
    [(date(2026, 2, 26), []), (date(2026, 2, 25), [date(2026, 2, 28)])],
    ids=["周四转出_周一补办_正好三个工作日", "周三转出_补班周六到期_周一补办已逾期"],
)
def test_papers_of_an_urgent_referral_are_told_only_when_late(transferred_on, late):
    application = an_application(ApprovalKind.REFERRAL, transferred_on=transferred_on)
    found = [one for one in of_applications(EXAMPLE, DAYS, [application]) if one.done_on]
    assert [one.due for one in found] == late


def test_a_month_of_settlements_is_to_be_filed_and_paid():
    month = OpenMonth("H1", "2026-03", date(2026, 3, 15), 4)
    found = {one.clock.name: one.due for one in of_months(EXAMPLE, DAYS, [month])}
    assert found == {
        "MONTHLY_FILING": date(2026, 4, 10),
        "HOSPITAL_PAYMENT": date(2026, 4, 30),
    }


RAISED, SERVED, HEARD = date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 6)


def of_cut(state: CutState, noticed_on: date | None, heard_on: date | None, policy=EXAMPLE):
    cut = OpenCut("K1", "H1", state, RAISED, noticed_on, heard_on)
    (found,) = of_cuts(policy, DAYS, [cut])
    return found


def test_the_hospital_owns_the_days_to_answer_and_the_agency_those_to_decide():
    noticed = of_cut(CutState.NOTICED, SERVED, None)
    assert (noticed.clock.owner, noticed.due) == (Owner.HOSPITAL, date(2026, 3, 11))
    answered = of_cut(CutState.ANSWERED, SERVED, HEARD)
    assert (answered.clock.owner, answered.due) == (Owner.AGENCY, date(2026, 3, 21))


def test_a_cut_without_days_to_answer_shows_the_gap_and_no_day():
    silent = policy_with(silent=["appeal/answer_days"])
    found = of_cut(CutState.PROPOSED, None, None, silent)
    assert (found.due, found.since) == (None, RAISED)
    assert "appeal/answer_days" in found.gap


def test_only_clocks_whose_papers_reach_nobody_here_are_told_without_one():
    assert sorted(clock.name for clock in CLOCKS.values() if not clock.paper) == [
        "ADVANCE_ANSWER",
        "ADVANCE_DEMAND",
        "ADVANCE_REFUSAL",
        "ADVANCE_REPAYMENT",
        "INSPECTION_OPINION",
        "MANUAL_CLAIM",
        "WRITTEN_REPORT",
    ]

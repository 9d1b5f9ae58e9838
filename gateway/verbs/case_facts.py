"""案情与住院事实 The facts of a case and of its stay that can decide a bill, in words.

Only what was told, or is out of the ordinary. No name, no identity number and no free text: the
ground of a stop, for one, may tell more of a person than its notice number does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from adapters.shape import vocabulary as words
from adapters.shape.kinds import Kind
from gateway.domain.admission import PaidAtDischargeBy, Stay
from gateway.domain.case import (
    CONDITION_LOST,
    REFUSED_DISCHARGE,
    Approval,
    Arrears,
    BenefitStop,
    CaseFacts,
    Joined,
    OtherEmployer,
    PaidLeave,
    ThirdParty,
)
from gateway.domain.money import yuan
from gateway.domain.payments import PriorPayment
from gateway.store.frozen import Facts
from gateway.store.rows import spans_text

Told = Iterable[str]
_YES: Final = "是 yes"
_WHETHER: Final[Mapping[bool | None, str]] = {True: _YES, False: "否 no", None: "不明 unknown"}
_STOPS: Final[Mapping[str, str]] = {
    REFUSED_DISCHARGE: "拒不出院通知 notice of discharge that was refused",
    CONDITION_LOST: "丧失享受条件 a condition of benefits was lost",
}
_UNPAID: Final = "未缴清 not paid"
_COVERED: Final = "新发生的费用自此日起（本网关的理解） costs newly arise from（our reading）"


def _word(kind: Kind, value: str) -> str:
    return f"{value} {' '.join(kind.words[value])}"


def _one_word(kind: Kind, value: str | None) -> Told:
    return () if value is None else (_word(kind, value),)


def _day(day: date | None) -> Told:
    return () if day is None else (str(day),)


def _yes(holds: bool) -> Told:
    return (_YES,) if holds else ()


def _span(first: date, last: date | None) -> str:
    return f"{first} 至 to {last or '未定 open'}"


def _of(employer_no: str) -> str:
    return f"（单位 employer {employer_no}）" if employer_no else ""


def _joining(one: Joined) -> str:
    paid = f"缴清 paid {one.settled_on}" if one.settled_on else _UNPAID
    return f"{one.joined_on}  {paid}{_of(one.employer_no)}"


def _owing(one: Arrears) -> str:
    paid = f"缴清 paid {one.settled_on}" if one.settled_on else _UNPAID
    return f"自 since {one.since}  {paid}{_of(one.employer_no)}"


def _employer(one: OtherEmployer) -> str:
    tie, role = _word(words.EMPLOYMENT_TIE, one.tie), _word(words.EMPLOYER_ROLE, one.role)
    insured = f"受伤时参保 insured at injury {_WHETHER[one.insured_at_injury]}"
    told = [f"{one.employer_no} {tie}", role, f"自 since {one.since}", insured]
    if one.roster_received_on is not None:
        told.append(f"名册收到 roster received {one.roster_received_on}")
    return "  ".join(told)


def _stop(one: BenefitStop) -> str:
    what = _STOPS.get(one.ground, "停止待遇决定 decision to stop benefits")
    return f"{one.notice_no} {what}  {_span(one.valid_from, one.valid_to)}"


def _leave(one: PaidLeave) -> str:
    extended = "  经确认延长 extension confirmed" if one.extension else ""
    return f"{_span(one.first, one.last)}{extended}"


def _approval(one: Approval) -> str:
    decided = f"{one.authority}（{_word(words.AUTHORITY, one.authority_kind)}）"
    days = _span(one.valid_from, one.valid_to)
    told = [f"{one.approval_no} {_word(words.APPROVAL, one.kind)}", days, decided]
    places = " ".join((*sorted(one.hospitals), one.area)).strip()
    devices = " ".join(sorted(one.device_codes))
    told += [f"地点 place {places}"] if places else []
    told += [f"器具 devices {devices}"] if devices else []
    return "  ".join(told)


def _third_party(case: CaseFacts) -> Told:
    if case.third_party is ThirdParty.NONE:
        return ()
    return (_word(words.THIRD_PARTY, case.third_party),)


_OF_CASE: Final[tuple[tuple[str, Callable[[CaseFacts], Told]], ...]] = (
    ("申请人 applied by", lambda case: _one_word(words.APPLICANT, case.applied_by)),
    ("申请时限延长至 time to apply extended to", lambda case: _day(case.application_extended_to)),
    ("职业病诊断 occupational disease diagnosed", lambda case: _day(case.diagnosed_on)),
    ("受伤时参保 insured at injury", lambda case: (_WHETHER[case.insured_at_injury],)),
    ("名册收到 roster received", lambda case: _day(case.roster_received_on)),
    ("参保 joined", lambda case: map(_joining, case.joined)),
    ("欠缴 arrears", lambda case: map(_owing, case.arrears)),
    ("未足额缴费 premiums paid on too low a wage", lambda case: _yes(case.underpaid)),
    ("其他用人单位 other employer", lambda case: map(_employer, case.others)),
    ("第三人 third party", _third_party),
    ("交通事故 traffic accident", lambda case: _yes(case.traffic_accident)),
    ("复议或诉讼 review or suit", lambda case: _yes(case.litigation)),
    ("争议 disputed", lambda case: _yes(case.disputed)),
    ("劳动关系终止 employment ended", lambda case: _day(case.relation_ended_on)),
    ("伤残等级 grade", lambda case: _one_word(words.GRADE, case.grade)),
    ("一次性领取待遇 benefits taken at once", lambda case: _day(case.lump_sum_on)),
    ("退休 retired", lambda case: _day(case.retired_on)),
    ("通知和停止待遇 notices and stops", lambda case: map(_stop, case.stops)),
    ("停工留薪期 paid leave", lambda case: map(_leave, case.paid_leave)),
    ("审批 approval", lambda case: map(_approval, case.approvals)),
)


def _payment(one: PriorPayment) -> str:
    amounts = (
        ("可支付医疗费 eligible", one.eligible_fen),
        ("伙食 meals", one.meal_fen),
        ("其他 other", one.other_fen),
    )
    told = [_word(words.PRIOR_PAYER, one.payer), str(one.paid_on)]
    told += [f"{label} {yuan(fen)}" for label, fen in amounts if fen]
    days: dict[str, Any] = {
        "医保年度 insurance year": one.insurance_year,
        "书面申请冲正 reversal requested": one.reversal_requested_on,
        "已退还 given back": one.given_back_on,
    }
    told += [f"{label} {day}" for label, day in days.items() if day is not None]
    return "  ".join(told)


def _notified(stay: Stay) -> Told:
    said = stay.notified_by_employer
    return () if said is None else (_WHETHER[said],)


def _paid_by(facts: Facts) -> Told:
    if facts.paid_by is PaidAtDischargeBy.NOBODY:
        return ()
    return (_word(words.PAID_BY, facts.paid_by),)


def _days(days: Iterable[date]) -> Told:
    return filter(None, (spans_text(days),))


_OF_STAY: Final[tuple[tuple[str, Callable[[Facts], Told]], ...]] = (
    ("急诊 emergency", lambda facts: _yes(facts.stay.emergency)),
    ("病情稳定 stable", lambda facts: _day(facts.stay.stable_on)),
    (
        "登记经办机构已核 registration checked by the agency",
        lambda facts: _yes(facts.stay.confirmed_by_agency),
    ),
    (
        "单位书面告知医院 hospital told in writing by the employer",
        lambda facts: _notified(facts.stay),
    ),
    ("请假 on leave", lambda facts: _days(facts.stay.leave_days)),
    ("挂床 hanging bed", lambda facts: _days(facts.stay.hanging_days)),
    ("先前支付 paid before", lambda facts: map(_payment, facts.stay.payments)),
    ("挂账期间垫付 paid while held", _paid_by),
)


def facts_told(facts: Facts, covered_from: date | None) -> Iterator[str]:
    """One line for each fact of the case and the stay; `covered_from` is the first day whose
    costs are newly arising, None where no such day decided."""
    if facts.case is not None:
        yield from _lines(_OF_CASE, facts.case)
    if covered_from is not None:
        yield f"{_COVERED}：{covered_from}"
    yield from _lines(_OF_STAY, facts)


def _lines(table: Iterable[tuple[str, Callable[[Any], Told]]], of: object) -> Iterator[str]:
    for label, told in table:
        yield from (f"{label}：{one}" for one in told(of))

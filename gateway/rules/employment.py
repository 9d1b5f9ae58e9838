"""Whose insurance counts: the liable employer, its cover, and what its premiums change.

用人单位分立、合并、转让的，承继单位应当承担原用人单位的工伤保险责任……职工被借调期间受到工伤事故伤害的，
由原用人单位承担工伤保险责任。（工伤保险条例 第四十三条） Dispatch and several employers are for a
regional text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, TypeVar

from gateway.domain.admission import Stay
from gateway.domain.bill import Citation
from gateway.domain.case import Arrears, CaseFacts, EmploymentTie, Joined, OtherEmployer
from gateway.policy import anchors
from gateway.policy.model import Policy, Value
from gateway.rules.cited import citation
from gateway.rules.dates import Dates, dates_of, picked

_Owed = TypeVar("_Owed", Arrears, Joined)
_LIABLE: Final[Mapping[EmploymentTie, str]] = {
    EmploymentTie.SECONDMENT: "employer/liable_when_seconded",
    EmploymentTie.DISPATCH: "employer/liable_when_dispatched",
    EmploymentTie.SEVERAL: "employer/liable_of_several",
    EmploymentTie.SUCCESSION: "employer/liable_after_succession",
}
_ROSTER: Final = "cover/from_day_after_roster"
_UNDERPAID: Final = "underpaid/policy"
_DAY: Final = timedelta(days=1)
_NOT_BY_WAGE: Final = (
    "（医疗费、伙食补助费不按缴费工资计发，差额为零 / "
    "medical fees and meals do not follow the wage: no difference）"
)


class EmployersDisagree(Exception):
    """Statements of which each makes another employer answer, in words: a person says which of
    them is right."""


def as_liable(case: CaseFacts, policy: Policy, stay: Stay) -> CaseFacts:
    """The case with the insurance, arrears and number of the employer that is liable.

    Raises PolicyGap where the texts do not say who is, or from which day cover holds, and
    EmployersDisagree.
    """
    found = _answering(case, policy)
    insured = _insured(found, policy, dates_of(stay, case))
    if insured is found.insured_at_injury:
        return found
    return replace(found, insured_at_injury=insured)


def _answering(case: CaseFacts, policy: Policy) -> CaseFacts:
    """The case as that of the liable employer, its cover as it was told."""
    contrary = disagreeing(case, policy)
    if contrary:
        raise EmployersDisagree(f"employers {' | '.join(map(stated, contrary))}")
    known = replace(case, joined=tuple(_curing(case, policy))) if case.joined else case
    arrears, joined, found = _own(known.arrears), _own(known.joined), known
    if (arrears, joined) != (known.arrears, known.joined):
        found = replace(known, arrears=arrears, joined=joined)
    for other in _in_order(known):
        if _is_liable(policy, other, known):
            found = _moved(found, known, other)
    return found


def _curing(case: CaseFacts, policy: Policy) -> Iterator[Joined]:
    """The joinings that cure what this injury met, each counted for the worker from the day that
    a roster let cover begin.

    用人单位参加……并补缴……后，由工伤保险基金……支付新发生的费用。（第六十二条第三款） What was done
    and paid before the injury, or before the take-over by who took over after it, was no cure of
    a cover that was lacking later (our reading: no text names the day).
    """
    for one in case.joined:
        other = _named(case, one.employer_no)
        lacking, covered = _lacking_from(case, other), one.covered_from
        if covered is None or covered <= lacking:
            continue
        begins = _by_roster(case, policy, (other or case).roster_received_on)
        yield one if begins is None else replace(one, joined_on=max(one.joined_on, begins - _DAY))


def _named(case: CaseFacts, number: str) -> OtherEmployer | None:
    return next((one for one in case.others if one.employer_no == number), None)


def _lacking_from(case: CaseFacts, other: OtherEmployer | None) -> date:
    """The first day on which the employer lacked the cover that the injury asks of it."""
    if other is None or other.tie is not EmploymentTie.SUCCESSION:
        return case.event_day
    return max(case.event_day, other.since)


def _by_roster(case: CaseFacts, policy: Policy, received: date | None) -> date | None:
    """The first day that a roster of the day of the event or later lets cover begin on, where a
    text says (自……收到参保职工名册……次日起生效): for newly covered days too (our reading)."""
    value = policy.find(_ROSTER, case.event_day)
    if received is None or received < case.event_day or value is None:
        return None
    return received + _DAY if value.switch else received


def disagreeing(case: CaseFacts, policy: Policy) -> tuple[OtherEmployer, ...]:
    """The statements of which each makes another employer answer, in the same order however they
    came; none where they agree. Raises PolicyGap.

    由其受到伤害时工作的单位承担工伤保险责任（浙江省工伤保险条例 第二十九条第二款）: one employer
    answers at the injury. Of two that took over on one day no text says which does, so that is
    asked too (our reading of 承继单位); of two that did one after the other, the last one does.
    """
    told = _in_order(case)
    at_injury = tuple(one for one in told if one.tie is not EmploymentTie.SUCCESSION)
    if len({one if _is_liable(policy, one, case) else None for one in at_injury}) > 1:
        return at_injury
    took_over = [one for one in told[len(at_injury) :] if _is_liable(policy, one, case)]
    on_day = Counter(one.since for one in took_over)
    return tuple(one for one in took_over if on_day[one.since] > 1)


def stated(other: OtherEmployer) -> str:
    """What was told of another employer, for a person to compare."""
    return f"{other.employer_no} {other.tie} {other.role} {other.since}"


def _own(facts: tuple[_Owed, ...], number: str = "") -> tuple[_Owed, ...]:
    """The facts of one employer; an empty number is the one that the case was reported with."""
    return tuple(one for one in facts if one.employer_no == number)


def _in_order(case: CaseFacts) -> list[OtherEmployer]:
    """Who was liable at the injury first; then those who took over, one after the other."""
    return sorted(
        case.others,
        key=lambda one: (one.tie is EmploymentTie.SUCCESSION, one.since, one.employer_no),
    )


def _is_liable(policy: Policy, other: OtherEmployer, case: CaseFacts) -> bool:
    return _value(policy, other, case).word == other.role


def _value(policy: Policy, other: OtherEmployer, case: CaseFacts) -> Value:
    """By the day of the injury, which chooses every text on employers."""
    return policy.value(_LIABLE[other.tie], case.event_day)


def _moved(found: CaseFacts, case: CaseFacts, other: OtherEmployer) -> CaseFacts:
    """The liability moved to the other employer. Who took over after the injury bears what was
    owed before, and its own arrears from the day it took over; who had taken over by the injury
    was the employer at it."""
    owed, joined = _own(case.arrears, other.employer_no), _own(case.joined, other.employer_no)
    if other.tie is not EmploymentTie.SUCCESSION or other.since <= case.event_day:
        return replace(
            found,
            employer_no=other.employer_no,
            insured_at_injury=other.insured_at_injury,
            roster_received_on=other.roster_received_on,
            arrears=owed,
            joined=joined,
        )
    since = tuple(
        replace(one, since=max(one.since, other.since))
        for one in owed
        if one.settled_on is None or one.settled_on > other.since
    )
    return replace(
        found,
        employer_no=other.employer_no,
        arrears=found.arrears + since,
        joined=found.joined + joined,
    )


def _insured(case: CaseFacts, policy: Policy, dates: Dates) -> bool | None:
    """Insured at the event, as told. What a roster insured that came on the day of the event or
    later the text says (自……收到参保职工名册……次日起生效); that cover under an earlier one
    lasted until the event no text says, so what nobody told stays unknown.
    """
    told, event, received = case.insured_at_injury, case.event_day, case.roster_received_on
    if received is None or received < event or (received > event and told is False):
        return told
    from_day_after = picked(policy, _ROSTER, dates, event).switch
    return received == event and not from_day_after


def roster_source(case: CaseFacts, policy: Policy) -> tuple[Citation, ...]:
    """The text on the first day of cover, where a roster of the liable employer, or of one whose
    joining counts, came on the day of the event or later and a text says."""
    joined = (_named(case, one.employer_no) or case for one in case.joined)
    rosters = {case.roster_received_on, *(one.roster_received_on for one in joined)}
    value = policy.find(_ROSTER, case.event_day)
    if value is None or all(_by_roster(case, policy, one) is None for one in rosters):
        return ()
    return (citation(policy, _ROSTER, value),)


def grounds(told: CaseFacts, policy: Policy, stay: Stay) -> tuple[Citation, ...]:
    """The sources that concern the bill as a whole. Raises PolicyGap."""
    return tuple(_grounds(told, policy, stay, dates_of(stay, told)))


def _grounds(told: CaseFacts, policy: Policy, stay: Stay, dates: Dates) -> Iterator[Citation]:
    for other in _in_order(told):
        yield citation(policy, _LIABLE[other.tie], _value(policy, other, told))
    yield from roster_source(_answering(told, policy), policy)
    if told.underpaid:
        value = picked(policy, _UNDERPAID, dates, told.event_day)
        source = citation(policy, _UNDERPAID, value)
        differs = value.word == "EMPLOYER_DIFFERENCE"
        yield _without_difference(source) if differs else source
    if told.diagnosed_on is not None:
        yield replace(anchors.DIAGNOSIS_DAY, value=told.diagnosed_on.isoformat())
    if told.application_extended_to is not None:
        yield replace(anchors.EXTENDED_LIMIT, value=told.application_extended_to.isoformat())


def _without_difference(source: Citation) -> Citation:
    """用人单位……未足额缴纳工伤保险费……由用人单位……支付差额部分费用: only benefits computed from
    the wage can differ, so the fund pays medical fees and meals in full (our reading)."""
    return replace(source, law=source.law + _NOT_BY_WAGE, our_reading=True)

"""Whose insurance counts: the liable employer, its cover, and what its premiums change.

用人单位分立、合并、转让的，承继单位应当承担原用人单位的工伤保险责任……职工被借调期间受到工伤事故伤害的，
由原用人单位承担工伤保险责任。（工伤保险条例 第四十三条） Dispatch and several employers are for a
regional text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
    arrears, joined, found = _own(case.arrears), _own(case.joined), case
    if (arrears, joined) != (case.arrears, case.joined):
        found = replace(case, arrears=arrears, joined=joined)
    for other in _in_order(case):
        if _is_liable(policy, other, case):
            found = _moved(found, case, other)
    return found


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
    """The liability moved to the other employer. Who took over bears what was owed before, and
    its own arrears from the day it took over."""
    owed, joined = _own(case.arrears, other.employer_no), _own(case.joined, other.employer_no)
    if other.tie is not EmploymentTie.SUCCESSION:
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
    """The text on the first day of cover, where the roster of the liable employer came on the day
    of the event or later and a text says."""
    received, value = case.roster_received_on, policy.find(_ROSTER, case.event_day)
    if received is None or received < case.event_day or value is None:
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

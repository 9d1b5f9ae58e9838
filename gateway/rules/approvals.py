"""Which approvals count 审批: decided by the competent authority, in force, for this place.

辅助器具、停工留薪期延长由劳动能力鉴定委员会确认（工伤保险条例 第三十二条、第三十三条第二款）；
康复和旧伤复发由谁确认，由地方规定。
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.bill import Citation
from gateway.domain.case import PLACE_KINDS, Approval, ApprovalKind, CaseFacts
from gateway.domain.party import Party
from gateway.policy.model import PickedBy, Policy, PolicyGap, Value
from gateway.rules.dates import Dates, dates_of, months_later, picked

AUTHORITY: Final = {
    ApprovalKind.REFERRAL: "authority/referral",
    ApprovalKind.REMOTE_RESIDENCE: "authority/remote_residence",
    ApprovalKind.CROSS_PROVINCE: "authority/cross_province",
    ApprovalKind.REHABILITATION: "authority/rehabilitation",
    ApprovalKind.RELAPSE: "authority/relapse",
    ApprovalKind.DEVICE: "authority/device",
    ApprovalKind.PAID_LEAVE_EXTENSION: "authority/paid_leave_extension",
    ApprovalKind.EMERGENCY: "authority/emergency",
    ApprovalKind.EMERGENCY_ITEM: "authority/emergency_item",
}
"""Who decides which approval."""
VALIDITY: Final = {
    ApprovalKind.REFERRAL: "referral/validity_months",
    ApprovalKind.REMOTE_RESIDENCE: "remote_residence/validity_months",
    ApprovalKind.CROSS_PROVINCE: "cross_province/filing_months",
}
"""How long an approval is good for at most."""
_PLACES: Final = "remote_residence/places"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom, where and by which texts an approval is asked; `device` is the code of the device
    that it has to confirm, empty where none is asked about."""

    stay: Stay
    case: CaseFacts
    hospital: Party
    policy: Policy
    device: str = ""

    def value(self, key: str, day: date) -> Value:
        """What the text says; an approval's own first day is its event. Raises PolicyGap."""
        dates: Dates = {**dates_of(self.stay, self.case), PickedBy.EVENT_DATE: day}
        return picked(self.policy, key, dates, day)


def missing(asked: Asked, kinds: Set[ApprovalKind], what: str, first: date, last: date) -> str:
    """What a span of days lacks, in words: the first day, who decides, and why each approval at
    hand does not count. Empty when every day is covered. Raises PolicyGap."""
    day = first_uncovered(asked, kinds, first, last)
    if day is None:
        return ""
    deciders = {_decider(asked, kind, day) for kind in kinds} - {""}
    by = f" by {' | '.join(sorted(deciders))}" if deciders else ""
    why = [
        f"{approval.approval_no} {fault}"
        for approval in asked.case.approvals
        if approval.kind in kinds and approval.in_force(day)
        if (fault := _fault(asked, approval, day))
    ]
    return "; ".join((f"{what} on {day}{by}", *why))


def first_uncovered(asked: Asked, kinds: Set[ApprovalKind], first: date, last: date) -> date | None:
    """The first day that no counting approval of these kinds covers; None when every day is
    covered. Raises PolicyGap."""
    days = covering(asked, kinds, first, last)
    return next((day for day, approval in days if approval is None), None)


def covering(
    asked: Asked, kinds: Set[ApprovalKind], first: date, last: date
) -> Iterator[tuple[date, Approval | None]]:
    """From which day on which approval of these kinds covers the days, up to the first that none
    does; a prolonged approval follows on the one before it. Raises PolicyGap."""
    day = first
    fitting = [approval for approval in asked.case.approvals if approval.kind in kinds]
    while day <= last:
        found = next((one for one in fitting if counts(asked, one, day)), None)
        yield day, found
        until = last if found is None else _counts_until(asked, found)
        day = min(until, last) + _DAY


def counts(asked: Asked, approval: Approval, day: date) -> bool:
    """Whether the approval allows the day at this hospital. Raises PolicyGap."""
    return approval.in_force(day) and not _fault(asked, approval, day)


def _counts_until(asked: Asked, approval: Approval) -> date:
    """Through which day an approval that counts goes on counting."""
    last = last_day(asked, approval)
    return min(last, asked.hospital.designated_until) if _by_county(asked, approval) else last


def last_day(asked: Asked, approval: Approval) -> date:
    """Its last day, cut by the months that the text allows at most; where no text limits them,
    by none."""
    months = _most_months(asked, approval)
    if months is None:
        return approval.valid_to
    return min(approval.valid_to, months_later(approval.valid_from, months))


def _most_months(asked: Asked, approval: Approval) -> int | None:
    key = VALIDITY.get(approval.kind)
    if key is None:
        return None
    try:
        found = asked.value(key, approval.valid_from)
    except PolicyGap:
        # Only a text can shorten what the competent authority decided.
        return None
    return None if found.unlimited else found.number


def _fault(asked: Asked, approval: Approval, day: date) -> str:
    """Why an approval in force on the day does not count, in words; empty when it does."""
    if asked.device and asked.device not in approval.device_codes:
        return "is for another device"
    if not _of_place(asked, approval):
        return "is for another place"
    if _by_county(asked, approval) and not asked.hospital.designated_on(day):
        return "covers designated institutions only"
    if not competent(asked, approval):
        return f"decided by {approval.authority_kind}"
    last = last_day(asked, approval)
    return f"good until {last} ({VALIDITY[approval.kind]})" if last < day else ""


def cited(asked: Asked, approval: Approval) -> Citation:
    """The approval as a source: its number, its first day, who decided it and its last day."""
    since, until = approval.valid_from.isoformat(), last_day(asked, approval)
    decided = f"{approval.authority}（{approval.authority_kind}）"
    told = f"{decided}，准予至 {until} / good until {until}"
    return Citation(f"approval/{approval.kind}", approval.approval_no, since, told)


def competent(asked: Asked, approval: Approval) -> bool:
    """Whether the authority that the text names decided it. Raises PolicyGap."""
    return (
        asked.value(AUTHORITY[approval.kind], approval.valid_from).word == approval.authority_kind
    )


def _decider(asked: Asked, kind: ApprovalKind, day: date) -> str:
    """Who has to decide, as far as a text says."""
    try:
        return asked.value(AUTHORITY[kind], day).word
    except PolicyGap:
        return ""


def _of_place(asked: Asked, approval: Approval) -> bool:
    """One hospital, a list, or an area; only an approval of a treatment may leave it open."""
    if _named(asked, approval):
        return True
    if approval.area:
        return _in_area(asked, approval)
    return not approval.hospitals and approval.kind not in PLACE_KINDS


def _named(asked: Asked, approval: Approval) -> bool:
    return asked.hospital.party_id in approval.hospitals


def _by_county(asked: Asked, approval: Approval) -> bool:
    """Whether it is only as one of the county's designated institutions that the hospital is
    covered: as long as its agreement is in force."""
    of_county = approval.kind is ApprovalKind.REMOTE_RESIDENCE and bool(approval.area)
    return of_county and not _named(asked, approval)


def _in_area(asked: Asked, approval: Approval) -> bool:
    """A cross-province filing names the city or county of treatment; a remote residence covers
    every designated institution of its county where the text says so."""
    hospital = asked.hospital
    if approval.kind is ApprovalKind.CROSS_PROVINCE:
        return approval.area in (hospital.region, hospital.county)
    if approval.kind is not ApprovalKind.REMOTE_RESIDENCE or approval.area != hospital.county:
        return False
    return asked.value(_PLACES, approval.valid_from).word == "COUNTY"

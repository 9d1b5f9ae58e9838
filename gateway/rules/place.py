"""Where treatment is payable 就医地点: agreement hospitals, emergencies, approved places.

职工治疗工伤应当在签订服务协议的医疗机构就医，情况紧急时可以先到就近的医疗机构急救。
（工伤保险条例 第三十条第二款）
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from gateway.domain.admission import Stay
from gateway.domain.bill import Citation
from gateway.domain.case import PLACE_KINDS, Approval, ApprovalKind, TreatmentKind
from gateway.domain.party import Party
from gateway.policy import anchors
from gateway.policy.model import Capability, Policy, PolicyGap, Value
from gateway.rules.approvals import Asked, cited, counts, covering, last_day
from gateway.rules.cited import citation

_FILED: Final = frozenset({ApprovalKind.CROSS_PROVINCE})
_RESCUED: Final = frozenset({ApprovalKind.EMERGENCY})
_ELSEWHERE: Final = PLACE_KINDS - _FILED
_CAPABILITY: Final = {
    TreatmentKind.REHABILITATION: Capability.REHABILITATION,
    TreatmentKind.DEVICE: Capability.DEVICE,
}
_MOVE_BACK: Final = "emergency/move_back_when_stable"
LATE_REPORT: Final = "emergency/late_report"
_DAY: Final = timedelta(days=1)


class Placed(Protocol):
    """A stay, as far as its place turns on it."""

    @property
    def admitted_on(self) -> date: ...
    @property
    def treatment(self) -> TreatmentKind: ...
    @property
    def emergency(self) -> bool: ...


def agreed_place(stay: Placed, hospital: Party, policy: Policy) -> bool:
    """Whether the agreement allows the admission; none begins while suspended."""
    designated = hospital.designated_on(stay.admitted_on)
    return designated and hospital.region == policy.region and _capable(stay, hospital)


def _capable(stay: Placed, hospital: Party) -> bool:
    return _CAPABILITY.get(stay.treatment, Capability.MEDICAL) in hospital.capabilities


def fits_devices(hospital: Party) -> bool:
    """Whether the agreement covers devices: each kind of institution has its own (第四十七条)."""
    return Capability.DEVICE in hospital.capabilities


def fits_devices_alone(stay: Placed, hospital: Party) -> bool:
    """Whether a stay is for devices where no agreement covers anything else: that pays for no
    drugs, whatever the stay is approved for."""
    devices = stay.treatment is TreatmentKind.DEVICE
    return devices and Capability.MEDICAL not in hospital.capabilities


def crosses_province(hospital: Party, policy: Policy) -> bool:
    """Whether the treatment is in another province than the insurance."""
    return not hospital.in_province_of(policy.region)


def catalogue_region(stay: Stay, hospital: Party, policy: Policy) -> str:
    """Whose catalogues a bill is computed by: across provinces those of the place of treatment
    就医地, but for assistive devices, and everywhere else, those of the insured place 参保地."""
    if stay.treatment is TreatmentKind.DEVICE or not crosses_province(hospital, policy):
        return policy.region
    return hospital.region


def catalogue_regions(hospital: Party, policy: Policy) -> tuple[str, ...]:
    """Whose catalogues the bills of the hospital may be computed by, whatever the stay is for:
    one of another province that also fits devices has bills of both kinds."""
    if not crosses_province(hospital, policy):
        return (policy.region,)
    regions = (hospital.region, policy.region)
    return regions if fits_devices(hospital) else regions[:1]


def online(stay: Stay, hospital: Party) -> bool:
    """Whether a hospital of another province settles directly across provinces."""
    crosses = Capability.CROSS_PROVINCE in hospital.capabilities
    return hospital.designated_on(stay.admitted_on) and crosses and _capable(stay, hospital)


def filed(asked: Asked) -> bool:
    """Whether any cross-province filing was there on the day of admission: one whose months by
    the text were over is none."""
    day = asked.stay.admitted_on
    filings = (one for one in asked.case.approvals if one.kind in _FILED)
    return any(one.in_force(day) and day <= last_day(asked, one) for one in filings)


def place_kinds(asked: Asked) -> frozenset[ApprovalKind]:
    """Which approvals allow a place without agreement. Raises PolicyGap.

    Outside the region treatment goes on certificate and consent (第三十条第四款); inside it,
    an institution without agreement needs an emergency, or what the text adds to it.
    """
    if crosses_province(asked.hospital, asked.policy):
        return _FILED
    if asked.hospital.region != asked.policy.region:
        return _ELSEWHERE
    when = asked.value("non_agreement/payable_when", asked.stay.admitted_on).word
    return _ELSEWHERE if when == "EMERGENCY_OR_REFERRAL" else _RESCUED


def approved_on(asked: Asked, day: date) -> bool:
    """Whether an approval of the place allows the day. Raises PolicyGap."""
    return _approving(asked, day) is not None


def _approving(asked: Asked, day: date) -> Approval | None:
    kinds = place_kinds(asked)
    fitting = (one for one in asked.case.approvals if one.kind in kinds)
    return next((one for one in fitting if counts(asked, one, day)), None)


def opened_by(asked: Asked, paid: Iterable[date]) -> tuple[Citation, ...]:
    """What opens a place without agreement on the paid days: the emergency and how far it goes,
    and the approvals. Raises PolicyGap."""
    if agreed_place(asked.stay, asked.hospital, asked.policy):
        return ()
    if not is_emergency(asked.stay):
        return _named(asked, _all_days(asked))
    limit, days = emergency_days(asked), sorted(set(paid))
    after = [day for day in days if limit is not None and day > limit.last]
    rescue = _rescue(asked, limit) if len(after) < len(days) else ()
    # An approval elsewhere also makes the meals of its days those of treatment elsewhere.
    approved = after if asked.hospital.region == asked.policy.region else days
    return (*rescue, *_named(asked, (_approving(asked, day) for day in approved)))


def _rescue(asked: Asked, limit: "EmergencyDays | None") -> tuple[Citation, ...]:
    """The emergency, and the text that limits its days."""
    if limit is None:
        return (anchors.EMERGENCY,)
    value = asked.value(limit.key, asked.stay.admitted_on)
    return anchors.EMERGENCY, citation(asked.policy, limit.key, value)


def _named(asked: Asked, found: Iterable[Approval | None]) -> tuple[Citation, ...]:
    return tuple(cited(asked, one) for one in dict.fromkeys(found) if one is not None)


def _all_days(asked: Asked) -> list[Approval | None]:
    stay = asked.stay
    spans = covering(asked, place_kinds(asked), stay.admitted_on, stay.last_day)
    return [approval for _day, approval in spans]


@dataclass(frozen=True, slots=True)
class EmergencyDays:
    """The last day that an emergency pays at an institution without agreement; `reason` and
    `key` say why the days after it are not paid unless an approval of the place covers them."""

    asked: Asked
    last: date
    reason: str
    key: str

    def beyond(self, day: date) -> bool:
        """Whether the day is paid no more. Raises PolicyGap."""
        return day > self.last and not approved_on(self.asked, day)


def emergency_days(asked: Asked) -> EmergencyDays | None:
    """The days of an emergency; None where the place needs none or no text limits them. Raises
    PolicyGap where they end only with the day on which the patient was stable, and nobody told it.

    The day of admission is the first; the day on which the patient was found stable is still
    paid, the next one only elsewhere.
    """
    if not rests_on_emergency(asked.stay, asked.hospital, asked.policy):
        return None
    windows = [window for limit in (_counted, _stable) if (window := limit(asked)) is not None]
    if not windows and _moves_back(asked) and not asked.stay.died:
        raise _no_end(asked.stay.last_day)
    return min(windows, key=lambda window: window.last, default=None)


def is_emergency(stay: Placed) -> bool:
    """急救 is treatment: neither rehabilitation nor the fitting of a device is an emergency."""
    return stay.emergency and stay.treatment not in _CAPABILITY


def rests_on_emergency(stay: Placed, hospital: Party, policy: Policy) -> bool:
    """Whether the place is payable only as an emergency."""
    return is_emergency(stay) and not agreed_place(stay, hospital, policy)


def _counted(asked: Asked) -> EmergencyDays | None:
    key, admitted = "emergency/inpatient_days", asked.stay.admitted_on
    limit = _said(lambda: asked.value(key, admitted))
    if limit is None or limit.unlimited:
        return None
    last = admitted + timedelta(days=limit.number) - _DAY
    return EmergencyDays(asked, last, "EMERGENCY_OVER", key)


def _stable(asked: Asked) -> EmergencyDays | None:
    stable_on = asked.stay.stable_on
    if stable_on is None or not _moves_back(asked):
        return None
    return EmergencyDays(asked, stable_on, "NOT_MOVED_BACK", _MOVE_BACK)


def _moves_back(asked: Asked) -> bool:
    """Whether a text asks that a stable patient is moved back."""
    rule = _said(lambda: asked.value(_MOVE_BACK, asked.stay.admitted_on))
    return rule is not None and rule.switch


def _no_end(day: date) -> PolicyGap:
    zh = "没有急诊住院天数的规定，医院又没有出具病情稳定的意见（日期）"
    en = "no text limits the days of the emergency, and no opinion says when the patient was stable"
    return PolicyGap("stay/stable_on", day, zh, en)


def reported_late(asked: Asked) -> bool:
    """Whether nobody told the agency of the emergency in the hours that the text gives: neither
    the hospital by registering the stay nor the employer by its report."""
    if not rests_on_emergency(asked.stay, asked.hospital, asked.policy):
        return False
    limit = _said(lambda: asked.value("emergency/report_hours", asked.stay.admitted_on))
    if limit is None or limit.unlimited:
        return False
    stay, hours = asked.stay, timedelta(hours=limit.number)
    return first_told(stay.admitted_at, stay.registered_at, asked.case.reported_at, hours) > hours


def first_told(
    admitted_at: datetime, registered_at: datetime, reported_at: datetime | None, hours: timedelta
) -> timedelta:
    """How long after the admission the agency was first told of the emergency. By our reading a
    report of the case from more than `hours` before the admission is of something earlier."""
    registered = registered_at - admitted_at
    reported = registered if reported_at is None else reported_at - admitted_at
    return registered if reported < -hours else min(registered, reported)


def employer_pays_late_report(asked: Asked) -> Citation | None:
    """The text that puts an emergency which was reported late on the employer; None where the
    emergency is payable, or an approval names the place: then the agency knew. Raises PolicyGap."""
    if not reported_late(asked):
        return None
    rule = _said(lambda: asked.value(LATE_REPORT, asked.stay.admitted_on))
    if rule is None or rule.word != "EMPLOYER" or approved_on(asked, asked.stay.admitted_on):
        return None
    return citation(asked.policy, LATE_REPORT, rule)


def _said(ask: Callable[[], Value]) -> Value | None:
    """What a text says; None where none does: only a text can take an emergency's days."""
    try:
        return ask()
    except PolicyGap:
        return None

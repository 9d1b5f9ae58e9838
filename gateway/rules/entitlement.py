"""Whether a stay may be registered and whether its bill may be settled: the decision tables.

职工治疗工伤应当在签订服务协议的医疗机构就医，情况紧急时可以先到就近的医疗机构急救。
（工伤保险条例 第三十条第二款）
"""

from dataclasses import dataclass, field
from datetime import date

from gateway.domain.admission import AdmissionRefusal, AdmissionState, HoldReason, Stay
from gateway.domain.bill import Citation, Suspicion
from gateway.domain.case import (
    LIABLE,
    NEGATIVE,
    POSITIVE,
    CaseFacts,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.party import Party
from gateway.domain.payments import PriorPayer
from gateway.policy import anchors
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.approvals import Asked, missing
from gateway.rules.arrears import (
    arrears_rule,
    arrears_source,
    is_over,
    never_pays,
    owed_at_admission,
    owed_in_month,
    owed_in_stay,
)
from gateway.rules.cited import citation
from gateway.rules.dates import dates_of, picked
from gateway.rules.employment import EmployersDisagree, as_liable, roster_source
from gateway.rules.medical_end import End, end_sources, medical_end
from gateway.rules.place import (
    LATE_REPORT,
    agreed_place,
    crosses_province,
    employer_pays_late_report,
    filed,
    is_emergency,
    online,
    place_kinds,
)
from gateway.rules.treated import APPROVAL_FOR

_SCOPE = {
    TreatmentKind.REHABILITATION: "scope/rehabilitation",
    TreatmentKind.DEVICE: "scope/device",
}
_CROSS_PROVINCE = "cross_province/policy"
_LITIGATION = "litigation/policy"
_SUSPENDED = "agreement/suspended_stay_policy"
_BEFORE_INJURY = "admitted before the injury"


@dataclass(frozen=True, slots=True)
class Confirm:
    """Every condition is known good."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait: the reason, and for a policy gap the key and day; `note` names the fact missing,
    `suspicions` what a person has to look at."""

    reason: HoldReason
    key: str = ""
    day: date | None = None
    note: str = ""
    suspicions: tuple[Suspicion, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refused with this code, by these texts; `note` says what is missing where the code cannot.

    Where the fund's share of a bill that was settled would move by it to the employer, `reason`
    says so.
    """

    code: str
    note: str = ""
    reason: str = field(default="", compare=False)
    sources: tuple[Citation, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Manual:
    """Not for direct settlement 手工报销."""

    code: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A condition is unknown: the agency must check the registration."""

    note: str


Admission = Confirm | Hold | Refuse | Pending
Entitlement = Confirm | Hold | Refuse | Manual


def may_register(stay: Stay, case: CaseFacts | None, hospital: Party, policy: Policy) -> Admission:
    """What becomes of a registration: confirmed by itself when every condition is known good.

    Raises PolicyGap when a condition that matters here is in no text.
    """
    if case is None:
        return Hold(HoldReason.CASE_UNDECIDED, note="case")
    if case.state in NEGATIVE:
        return Refuse(AdmissionRefusal.NO_RECOGNITION_RECORD)
    try:
        return _registered(stay, as_liable(case, policy, stay), hospital, policy)
    except EmployersDisagree as question:
        return Pending(str(question))


def _registered(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Admission:
    """What becomes of it once it is known which employer answers."""
    refusal = _refusal(stay, case, hospital, policy)
    if refusal is not None:
        return refusal
    if case.state not in POSITIVE:
        return Hold(HoldReason.CASE_UNDECIDED, note=case.state)
    unknown = _unknown(stay, case, hospital, policy)
    return Pending(unknown) if unknown else Confirm()


def _refusal(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Refuse | None:
    """The first known ground of refusal, if any."""
    uncovered = case.insured_at_injury is False and case.covered_from is None
    if uncovered:
        return Refuse(AdmissionRefusal.NOT_INSURED_OR_ARREARS, sources=_uninsured(case, policy))
    if never_pays(stay, case, policy):
        source = arrears_source(stay, case, policy)
        return Refuse(AdmissionRefusal.NOT_INSURED_OR_ARREARS, sources=(source,))
    if _by_hand_for_others(stay, case, hospital, policy):
        return Refuse(AdmissionRefusal.THIRD_PARTY)
    return _place_refused(stay, case, hospital, policy)


def _word(key: str, stay: Stay, case: CaseFacts, policy: Policy) -> str:
    """What the region's text says, on the date that the key itself names. Raises PolicyGap."""
    return picked(policy, key, dates_of(stay, case), stay.admitted_on).word


def _by_hand_for_others(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> bool:
    """Whether a third party or a traffic accident keeps the stay out of direct settlement; across
    provinces a text of its own must let a third party's in."""
    if case.third_party in LIABLE:
        keys = ("third_party/policy", "cross_province/third_party")
        asked = keys if crosses_province(hospital, policy) else keys[:1]
        if any(_word(key, stay, case, policy) == "MANUAL" for key in asked):
            return True
    if not case.traffic_accident:
        return False
    return _word("traffic_accident/policy", stay, case, policy) == "MANUAL"


def _place_refused(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Refuse | None:
    """An agreement hospital of the region for this kind of stay; or an emergency, or an
    approval that names the place; across provinces only a filing."""
    if agreed_place(stay, hospital, policy) or is_emergency(stay):
        return None
    asked, first = Asked(stay, case, hospital, policy), stay.admitted_on
    note = missing(asked, place_kinds(asked), "approval of the place", first, first)
    if not note:
        return None
    code = AdmissionRefusal.NON_AGREEMENT_OR_OUT_OF_REGION
    if not hospital.in_province_of(policy.region):
        code = AdmissionRefusal.TRANSFER_NOT_FILED
    return Refuse(code, note)


def _unknown(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> str:
    """The first condition that nobody has told us, in words of our own; empty when all known."""
    if stay.confirmed_by_agency:
        return ""
    if _before_injury(stay, case):
        return _BEFORE_INJURY
    if case.insured_at_injury is None:
        return "insured_at_injury"
    if case.third_party is ThirdParty.SUSPECTED:
        return "third_party"
    if case.disputed:
        return "disputed"
    if owed_at_admission(stay, case):
        return "arrears"
    end = medical_end(stay, case, policy)
    if end is not End.GOES_ON:
        return end
    return _missing_approval(stay, case, hospital, policy)


def _missing_approval(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> str:
    """The approval that this kind of treatment needs and a day of the stay lacks, in words."""
    kind = APPROVAL_FOR.get(stay.treatment)
    if kind is None:
        return ""
    asked = Asked(stay, case, hospital, policy)
    return missing(asked, {kind}, f"approval {kind}", stay.admitted_on, stay.last_day)


def may_settle(stay: Stay, case: CaseFacts | None, hospital: Party, policy: Policy) -> Entitlement:
    """The decision at discharge. A policy gap holds the bill with key and day named, and so does
    the question which employer answers: that the agency confirmed the registration is no answer.
    """
    if case is None:
        return Hold(HoldReason.CASE_UNDECIDED, note="case")
    try:
        known = as_liable(case, policy, stay)
        return next(
            (found for check in _CHECKS if (found := check(stay, known, hospital, policy))),
            Confirm(),
        )
    except PolicyGap as gap:
        return Hold(HoldReason.POLICY_GAP, gap.key, gap.day)
    except EmployersDisagree as question:
        return Hold(HoldReason.PENDING_CHECK, note=str(question))


def _case_decided(
    stay: Stay, case: CaseFacts, hospital: Party, policy: Policy
) -> Entitlement | None:
    if case.state in NEGATIVE:
        return Refuse("CASE_NOT_RECOGNISED")
    if case.state not in POSITIVE:
        return Hold(HoldReason.CASE_UNDECIDED, note=case.state)
    return None


def _registration_confirmed(
    stay: Stay, case: CaseFacts, hospital: Party, policy: Policy
) -> Entitlement | None:
    if stay.state is AdmissionState.REFUSED:
        return Refuse(stay.refusal)
    if stay.state in (AdmissionState.CONFIRMED, AdmissionState.CLOSED):
        return None
    return Hold(HoldReason.PENDING_CHECK, note=stay.state)


def _of_this_injury(
    stay: Stay, case: CaseFacts, hospital: Party, policy: Policy
) -> Entitlement | None:
    """Only the treatment of this injury is paid (第三十条第一款); for an occupational disease
    found later than it was treated, the agency says so."""
    if stay.confirmed_by_agency or not _before_injury(stay, case):
        return None
    return Hold(HoldReason.PENDING_CHECK, note=_BEFORE_INJURY)


def _before_injury(stay: Stay, case: CaseFacts) -> bool:
    return stay.admitted_on < case.event_day


def _insured(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """应当参加工伤保险而未参加……由该用人单位支付费用。（第六十二条第二款）"""
    if case.insured_at_injury:
        return None
    if case.insured_at_injury is False:
        # Newly arising costs are the fund's once the employer has joined and paid (第三款).
        if not case.before_cover(stay.last_day):
            return None
        return Refuse("EMPLOYER_PAYS", reason="BEFORE_COVER", sources=_uninsured(case, policy))
    # The agency that confirmed the registration checked the insurance with it.
    checked = stay.confirmed_by_agency
    return None if checked else Hold(HoldReason.PENDING_CHECK, note="insured_at_injury")


def _uninsured(case: CaseFacts, policy: Policy) -> tuple[Citation, ...]:
    """The article, after the text by which a roster that came too late gave no cover."""
    return (*roster_source(case, policy), anchors.UNINSURED)


def _scope(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """What the region settles directly; everything else is a manual claim."""
    key = _SCOPE.get(stay.treatment, "scope/inpatient")
    return Manual("MANUAL") if _word(key, stay, case, policy) == "MANUAL" else None


def _third_party(
    stay: Stay, case: CaseFacts, hospital: Party, policy: Policy
) -> Entitlement | None:
    """Where direct settlement is allowed, what a third party has paid for medical fees is not
    paid twice: how much that was, a person must report (payment.report)."""
    if case.third_party is ThirdParty.SUSPECTED:
        return Hold(HoldReason.THIRD_PARTY, note=case.third_party)
    if _by_hand_for_others(stay, case, hospital, policy):
        return Manual("THIRD_PARTY")
    told = any(one.payer is PriorPayer.THIRD_PARTY for one in stay.payments)
    paid = case.third_party is ThirdParty.CONFIRMED_PAID and not told
    return Hold(HoldReason.THIRD_PARTY, note=case.third_party) if paid else None


def _litigation(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """行政复议和行政诉讼期间不停止支付工伤职工治疗工伤的医疗费用。（第三十一条）"""
    if not case.litigation:
        return None
    held = _word(_LITIGATION, stay, case, policy) == "HOLD"
    return Hold(HoldReason.CASE_UNDECIDED, note="litigation") if held else None


def _arrears(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """Arrears on a day of the stay, or in the month of the injury: as the region's text says."""
    owed = owed_in_stay(stay, case)
    if not owed and not owed_in_month(case):
        return None
    rule = arrears_rule(stay, case, policy).word
    if rule == "NEVER" and not owed_in_month(case):
        return None
    if rule == "HOLD_UNTIL_PAID":
        unpaid = [one.since for one in owed if one.settled_on is None]
        return Hold(HoldReason.ARREARS, note=min(unpaid).isoformat()) if unpaid else None
    # CONTINUE_IN_STAY covers a stay that had begun when the arrears began; of arrears that are
    # paid inside it the days before are the employer's, line by line (rules/arrears.py).
    if rule == "CONTINUE_IN_STAY" and is_over(owed_at_admission(stay, case), stay):
        return None
    source = arrears_source(stay, case, policy)
    return Refuse("EMPLOYER_PAYS", reason="EMPLOYER_IN_ARREARS", sources=(source,))


def _relation(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """Whether ended employment ends medical benefits is for a regional text to say; a fact that
    it needs and nobody told, the agency checks."""
    end = medical_end(stay, case, policy)
    if end is End.ENDED:
        return Refuse("MEDICAL_ENDED", sources=end_sources(stay, case, policy))
    if end is End.GOES_ON or stay.confirmed_by_agency:
        return None
    return Hold(HoldReason.PENDING_CHECK, note=end)


def _agreement(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """None begins in a suspended hospital; one that had begun goes on as the text says, wherever
    the hospital is, where one outside the pooling region is settled at all."""
    refused = Manual("NON_AGREEMENT_OR_OUT_OF_REGION")
    if hospital.suspended_on(stay.admitted_on):
        return refused
    if hospital.region != policy.region:
        by_hand = _elsewhere(stay, case, hospital, policy)
        if by_hand is not None:
            return by_hand
    lapsed = _lapsed_in_stay(stay, hospital)
    return refused if lapsed and _word(_SUSPENDED, stay, case, policy) == "MANUAL" else None


def _elsewhere(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """Outside the pooling region as its text says; across provinces, where a text of its own
    stands before it, only filed and at a hospital that is online."""
    refused, key = Manual("NON_AGREEMENT_OR_OUT_OF_REGION"), "cross_region/policy"
    crossing = crosses_province(hospital, policy)
    if crossing and policy.find(_CROSS_PROVINCE, stay.admitted_on) is not None:
        key = _CROSS_PROVINCE
    if _word(key, stay, case, policy) == "MANUAL" or (crossing and not online(stay, hospital)):
        return refused
    if crossing and not filed(Asked(stay, case, hospital, policy)):
        return Manual(AdmissionRefusal.TRANSFER_NOT_FILED)
    return None


def _reported(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """An emergency without agreement that nobody reported in time is whose the text says."""
    source = employer_pays_late_report(Asked(stay, case, hospital, policy))
    if source is None:
        return None
    return Refuse("EMPLOYER_PAYS", LATE_REPORT, reason="EMERGENCY_REPORTED_LATE", sources=(source,))


def _lapsed_in_stay(stay: Stay, hospital: Party) -> bool:
    """Whether an agreement in force at admission was suspended or over at discharge."""
    if not hospital.agreed_on(stay.admitted_on):
        return False
    return not hospital.designated_on(stay.last_day)


def _approved(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> Entitlement | None:
    """Approvals of the treatment and, away from the agreement hospitals, of the place."""
    lacking = _missing_approval(stay, case, hospital, policy)
    lacking = lacking or _missing_place(stay, case, hospital, policy)
    return Hold(HoldReason.APPROVAL, note=lacking) if lacking else None


def _missing_place(stay: Stay, case: CaseFacts, hospital: Party, policy: Policy) -> str:
    """What allows an institution without agreement: an emergency, whose days are counted line
    by line (rules/place.py), or an approval of the place for every day: that the agency confirmed
    the registration is none."""
    if is_emergency(stay) or agreed_place(stay, hospital, policy):
        return ""
    asked = Asked(stay, case, hospital, policy)
    kinds = place_kinds(asked)
    return missing(asked, kinds, "approval of the place", stay.admitted_on, stay.last_day)


def let_through(
    stay: Stay, case: CaseFacts, hospital: Party, policy: Policy
) -> tuple[Citation, ...]:
    """The texts by which a bill settles although a suit runs, a fact could have ended medical
    benefits or the agreement lapsed in the stay. Raises PolicyGap."""
    asked = {_LITIGATION: case.litigation, _SUSPENDED: _lapsed_in_stay(stay, hospital)}
    dates = dates_of(stay, case)
    found = [
        citation(policy, key, picked(policy, key, dates, stay.admitted_on))
        for key, was_asked in asked.items()
        if was_asked
    ]
    return (*found, *end_sources(stay, case, policy))


_CHECKS = (
    _case_decided,
    _registration_confirmed,
    _of_this_injury,
    _insured,
    _scope,
    _third_party,
    _litigation,
    _arrears,
    _relation,
    _agreement,
    _reported,
    _approved,
)

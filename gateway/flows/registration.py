"""What a registration's check means for its state; shared by registering, checking, releasing."""

from dataclasses import dataclass

from gateway.domain.admission import AdmissionState, Stay
from gateway.domain.case import CaseFacts
from gateway.domain.party import Party
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.entitlement import Confirm, Hold, Pending, Refuse, may_register


@dataclass(frozen=True, slots=True)
class Check:
    """The state a registration takes, the refusal code if any, and what is missing."""

    state: AdmissionState
    refusal: str = ""
    note: str = ""


def check(stay: Stay, case: CaseFacts | None, hospital: Party, policy: Policy) -> Check:
    """The rule's answer as a state; where the texts are silent the agency must check."""
    try:
        verdict = may_register(stay, case, hospital, policy)
    except PolicyGap as gap:
        return Check(AdmissionState.PENDING_CHECK, note=f"{gap.key} {gap.day}")
    match verdict:
        case Confirm():
            return Check(AdmissionState.CONFIRMED)
        case Refuse(code, note):
            return Check(AdmissionState.REFUSED, refusal=code, note=note)
        case Pending(note):
            return Check(AdmissionState.PENDING_CHECK, note=note)
        case Hold(note=note):
            return Check(AdmissionState.HELD, note=note)

"""重新审核 Re-adjudication: what a correction after settlement changes, for a person to approve.

Nothing settled is edited: an approved proposal is posted as a delta settlement 补差结算.
"""

from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """What was corrected 更正事由: case, catalogue, policy, prior payments; or a cut was
    decided."""

    CASE = "CASE"
    CATALOGUE = "CATALOGUE"
    POLICY = "POLICY"
    PAYMENT = "PAYMENT"
    CUT = "CUT"


CORRECTIONS: Final = (Cause.CASE, Cause.CATALOGUE, Cause.POLICY, Cause.PAYMENT)
"""What a person may propose; a cut is posted by its own two persons and proposed by nobody."""

AS_TOLD: Final = frozenset({Cause.CASE, Cause.PAYMENT})
"""What the agency tells by message: the settlement is decided again by itself, on all told so
far, whichever of them was the last."""


def alike(cause: Cause) -> frozenset[Cause]:
    """The causes that are decided on the same facts: one proposal of them stands at a time."""
    return AS_TOLD if cause in AS_TOLD else frozenset({cause})


class Actor(StrEnum):
    """Who has to act 办理人 where the gateway cannot decide a settlement again by itself."""

    AGENCY = "AGENCY"
    OPERATOR = "OPERATOR"


class ProposalState(StrEnum):
    """Where a proposal 重审建议 stands; TOUCHED is said of a settlement before there is one.

    BY_HAND 须人工办理: the correction leaves nothing that the gateway can compute; it waits for a
    person until it is CLOSED.
    """

    TOUCHED = "TOUCHED"
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    STALE = "STALE"
    BY_HAND = "BY_HAND"
    CLOSED = "CLOSED"


DELTA: Final = "DELTA"
"""The kind of a settlement row that holds the difference a correction makes."""

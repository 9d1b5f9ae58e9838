"""重新审核 Re-adjudication: what a correction after settlement changes, for a person to approve.

Nothing settled is edited: an approved proposal is posted as a delta settlement 补差结算.
"""

from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """What was corrected 更正事由: the case, the catalogue or the policy; or a cut was decided."""

    CASE = "CASE"
    CATALOGUE = "CATALOGUE"
    POLICY = "POLICY"
    CUT = "CUT"


CORRECTIONS: Final = (Cause.CASE, Cause.CATALOGUE, Cause.POLICY)
"""What a person may propose; a cut is posted by its own two persons and proposed by nobody."""


class ProposalState(StrEnum):
    """Where a proposal 重审建议 stands; TOUCHED is said of a settlement before there is one."""

    TOUCHED = "TOUCHED"
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    STALE = "STALE"


DELTA: Final = "DELTA"
"""The kind of a settlement row that holds the difference a correction makes."""

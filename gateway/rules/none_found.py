"""How long a registration waits for a case that nobody reported.

The texts give no day; a region may say after how many days from admission the bill goes by hand.
"""

from datetime import date, timedelta
from typing import Final

from gateway.domain.admission import Stay
from gateway.policy.model import Policy
from gateway.rules.entitlement import Manual

_DAYS: Final = "case/none_found_days"


def none_found(stay: Stay, policy: Policy, today: date) -> Manual | None:
    """Manual from the day after the last day of waiting; None before it, and where no text says."""
    days = policy.find(_DAYS, stay.admitted_on)
    if days is None or today <= stay.admitted_on + timedelta(days=days.number):
        return None
    return Manual("NO_CASE_FOUND")

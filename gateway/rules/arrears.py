"""欠缴 What premiums that the employer owes mean for a stay: as the region's text says.

用人单位参加工伤保险并补缴应当缴纳的工伤保险费、滞纳金后，由工伤保险基金和用人单位依照本条例的规定
支付新发生的费用。（工伤保险条例 第六十二条第三款）
"""

from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.bill import Citation
from gateway.domain.case import Arrears, CaseFacts
from gateway.policy import anchors
from gateway.policy.model import Policy, Value
from gateway.rules.cited import citation
from gateway.rules.dates import dates_of, last_of_month, picked

_KEY: Final = "arrears/policy"
_CONTINUE: Final = "CONTINUE_IN_STAY"
_NEVER: Final = "NEVER"
Owed = tuple[Arrears, ...]


def owed_in_month(case: CaseFacts) -> bool:
    """Whether the employer owed premiums from the injury to the end of its month: who owes in the
    month of the accident is refused by the text that never pays, and arrears of a later month are
    not in it. What was paid before the accident was not owed at it (our reading)."""
    first, last = case.event_day, last_of_month(case.event_day)
    return any(owed.touches(first, last) for owed in case.arrears)


def never_pays(stay: Stay, case: CaseFacts, policy: Policy) -> bool:
    """Arrears in the month of the injury in a region whose text then never pays. Raises
    PolicyGap."""
    return owed_in_month(case) and arrears_rule(stay, case, policy).word == _NEVER


def owed_in_stay(stay: Stay, case: CaseFacts) -> Owed:
    """The arrears that a day of the stay lies in."""
    return tuple(one for one in case.arrears if one.touches(stay.admitted_on, stay.last_day))


def owed_at_admission(stay: Stay, case: CaseFacts) -> Owed:
    """The arrears that had begun when the stay began."""
    return tuple(one for one in case.arrears if one.covers(stay.admitted_on))


def arrears_rule(stay: Stay, case: CaseFacts, policy: Policy) -> Value:
    """What the region's text says of arrears. Raises PolicyGap."""
    return picked(policy, _KEY, dates_of(stay, case), stay.admitted_on)


def arrears_source(stay: Stay, case: CaseFacts, policy: Policy) -> Citation:
    """The text itself. Raises PolicyGap."""
    return citation(policy, _KEY, arrears_rule(stay, case, policy))


def employers(stay: Stay, case: CaseFacts, policy: Policy) -> Owed:
    """The arrears whose days in a stay that settles are the employer's: where a text continues
    only stays that had begun before, those that had begun at admission. Raises PolicyGap.

    Costs after everything was paid are newly arising (our reading: 第六十二条第三款 speaks of
    employers that join, and here the employer had joined before).
    """
    owed = owed_at_admission(stay, case)
    return owed if owed and arrears_rule(stay, case, policy).word == _CONTINUE else ()


def sources_of(owed: Owed, stay: Stay, case: CaseFacts, policy: Policy) -> tuple[Citation, ...]:
    """By what the days of such arrears are the employer's and those after them the fund's.
    Raises PolicyGap."""
    return (arrears_source(stay, case, policy), anchors.ARREARS_PAID) if owed else ()


def is_over(owed: Owed, stay: Stay) -> bool:
    """Whether everything was paid on a day of the stay or before it."""
    return all(one.settled_on is not None and one.settled_on <= stay.last_day for one in owed)

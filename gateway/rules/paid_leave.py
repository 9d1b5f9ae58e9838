"""The paid leave 停工留薪期 of a case: how long it lasts and what an extension needs.

停工留薪期一般不超过12个月。伤情严重或者情况特殊，经设区的市级劳动能力鉴定委员会确认，可以适当
延长，但延长不得超过12个月。……停工留薪期满后仍需治疗的，继续享受工伤医疗待遇。
（工伤保险条例 第三十三条第二款）
"""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.case import CaseFacts, PaidLeave, TreatmentKind
from gateway.policy import anchors
from gateway.policy.model import Policy
from gateway.rules.context import Context
from gateway.rules.dates import last_of_month, months_later

_MONTHS: Final = "paid_leave/months"
_EXTENSION: Final = "paid_leave/extension_months"
_ONE_DAY: Final = timedelta(days=1)


@cache
def last_day_of(first: date, months: int) -> date:
    """The last of so many months from the first day on; the month's end where the day after it
    is missing from the month."""
    month = months_later(first, months)
    end = last_of_month(month)
    return end if first.day > end.day else month.replace(day=first.day) - _ONE_DAY


def ended(context: Context, day: date) -> Citation | None:
    """Why the paid leave was over on the day; None while it lasts.

    What the agency told stands. Where it told nothing a stay in hospital counts as leave from
    the injury, or from admission for a relapse (第三十八条), as long as the text usually allows:
    our reading. Raises PolicyGap.
    """
    stay, case = context.stay, context.case
    if case.paid_leave:
        last = max(span.last for span in case.paid_leave)
        told = replace(anchors.PAID_LEAVE, value=last.isoformat(), since=last.isoformat())
        return told if day > last else None
    relapse = stay.treatment is TreatmentKind.RELAPSE
    first = stay.admitted_on if relapse else case.event_day
    months = context.value(_MONTHS, case.event_day)
    if day <= last_day_of(first, months.number):
        return None
    return replace(context.cited(_MONTHS, case.event_day), our_reading=True)


def longest(policy: Policy, case: CaseFacts, span: PaidLeave) -> date:
    """The latest day on which the span may end: an extension adds to the leave before it.

    Raises PolicyGap.
    """
    key = _EXTENSION if span.extension else _MONTHS
    return last_day_of(span.first, policy.value(key, case.event_day).number)


def follows(case: CaseFacts, span: PaidLeave) -> bool:
    """Whether the span begins as it must: an extension on the day after a leave that is known,
    and only one of them; a leave not before the injury."""
    if not span.extension:
        return span.first >= case.event_day
    before = [one for one in case.paid_leave if one.first != span.first and not one.extension]
    return any(one.last + _ONE_DAY == span.first for one in before)

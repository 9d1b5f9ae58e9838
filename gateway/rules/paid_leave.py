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

    What the agency told stands: the day is in a leave, or after one. A relapse has a leave of its
    own (第三十八条), so one that was over before the admission says nothing of it. Where the agency
    told nothing a stay in hospital counts as leave from the injury, or from admission for a
    relapse, as long as the text usually allows: our reading. Raises PolicyGap.
    """
    stay, case = context.stay, context.case
    relapse = stay.treatment is TreatmentKind.RELAPSE
    told = [one for one in case.paid_leave if not relapse or one.last >= stay.admitted_on]
    if any(one.first <= day <= one.last for one in told):
        return None
    last = max((one.last for one in told if one.last < day), default=None)
    if last is not None:
        return replace(anchors.PAID_LEAVE, value=last.isoformat(), since=last.isoformat())
    return _usually_over(context, stay.admitted_on if relapse else case.event_day, day)


def _usually_over(context: Context, first: date, day: date) -> Citation | None:
    """Whether a leave from the first day on is over by the text. Raises PolicyGap."""
    injured = context.case.event_day
    if day <= last_day_of(first, context.value(_MONTHS, injured).number):
        return None
    return replace(context.cited(_MONTHS, injured), our_reading=True)


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

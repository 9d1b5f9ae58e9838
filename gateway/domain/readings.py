"""本网关的理解 Our readings that stand in no text and belong to no single value: each is printed
beside a settlement in which it was used, as those that policy values carry are."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from gateway.domain.bill import LineVerdict, MealVerdict

Told = tuple[str, str]
_CATALOGUE: Final = "catalogue/"
_LATE_MEALS: Final = "meal/cut/late"


def _reading(zh: str, en: str) -> Told:
    return f"本网关的理解：{zh}", f"our reading: {en}"


SERVICE_DAY: Final = _reading(
    "目录和支付标准按费用发生日选用，条文未明确",
    "catalogue and standards are those of the service day; the text does not say so",
)
DISCHARGE_DAY: Final = _reading(
    "结算日的政策值按出院日选用，挂账的账单因此与当日结算的相同",
    "values of the settlement day are those of the discharge day, so that a held bill is "
    "decided like one settled at once",
)
LATE_SHARE: Final = _reading(
    "逾期申请期间只移转本应由基金支付的部分",
    "a late application moves only what the fund would have paid",
)


def used(lines: Iterable[LineVerdict], meal: MealVerdict | None = None) -> tuple[Told, ...]:
    """The readings that the decisions of these lines, and of the meal allowance, rest on."""
    verdicts = list(lines)
    cited = [one.key for verdict in verdicts for one in verdict.citations]
    cited += [] if meal is None else [one.key for one in meal.citations]
    reasons = {reason for verdict in verdicts for reason in verdict.reasons}
    by_day = "OUT_OF_CATALOGUE" in reasons or any(key.startswith(_CATALOGUE) for key in cited)
    late = "LATE_APPLICATION" in reasons or _LATE_MEALS in cited
    found = ((SERVICE_DAY, by_day), (LATE_SHARE, late))
    return tuple(reading for reading, holds in found if holds)


def used_in_bill(
    lines: Iterable[LineVerdict],
    meal: MealVerdict | None,
    settled_on: date | None,
    discharged_on: date | None,
) -> tuple[Told, ...]:
    """Those of a whole bill; that on the settlement day only where it is another day than that of
    the discharge."""
    waited = None not in (settled_on, discharged_on) and settled_on != discharged_on
    return (*used(lines, meal), *((DISCHARGE_DAY,) if waited else ()))

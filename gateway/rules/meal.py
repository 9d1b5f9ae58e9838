"""The meal allowance of a stay 住院伙食补助费.

职工住院治疗工伤的伙食补助费……从工伤保险基金支付，基金支付的具体标准由统筹地区人民政府规定。
（工伤保险条例 第三十条第四款）
"""

from datetime import date, timedelta
from typing import Final

_BEYOND_NIGHTS: Final = {"EXCLUDE_DISCHARGE": 0, "INCLUSIVE_CALENDAR": 1}


def meal_days(admitted: date, discharged: date, day_rule: str) -> int:
    """Days of allowance by the region's day rule, at least 1.

    EXCLUDE_DISCHARGE counts discharge − admission; INCLUSIVE_CALENDAR counts both days.
    KeyError for any other word.
    """
    nights = (discharged - admitted).days
    return max(nights + _BEYOND_NIGHTS[day_rule], 1)


def covered_days(admitted: date, days: int) -> tuple[date, ...]:
    """The days that the allowance is for, from the day of admission on."""
    return tuple(admitted + timedelta(days=n) for n in range(days))

"""By which article the fund pays for a line, a second time, from the papers alone."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.windows import before_cover

Facts = Mapping[str, Any]
FOR_TREATMENT = {
    "INPATIENT": "《工伤保险条例》第三十条第三款",
    "REHABILITATION": "《工伤保险条例》第三十条第六款",
    "RELAPSE": "《工伤保险条例》第三十八条",
    "DEVICE": "《工伤保险条例》第三十二条",
}
"""治疗、康复、复发、辅助器具 each have a paragraph or an article of their own."""
OTHER_ILLNESS = "《工伤保险条例》第三十条第五款"
_LONG_AGO = 1


def article(bill: Facts, line: Facts, treatment: str) -> str:
    """What is to be read of a line first: what treats no injury has its own paragraph, and a
    wheelchair is one wherever it is handed over."""
    if line["relation"] == "unrelated":
        return OTHER_ILLNESS
    return FOR_TREATMENT["DEVICE" if _for_life(bill, line) else treatment]


def _for_life(bill: Facts, line: Facts) -> bool:
    """Whether the list of the day gives it months of use."""
    away = bill["hospital"]["place"] == "PROVINCE" and bill["stay"]["treatment"] != "DEVICE"
    return any(
        "life" in one["rows"].get(line["code"], ())
        for one in bill["catalogue_there" if away else "catalogue"]
        if one["from"] <= line["day"] <= one["to"]
    )


def covered_since(bill: Facts, day: int) -> int | None:
    """The first day of costs that newly arise, where the injury met no cover and the day has it
    (第六十二条第三款)."""
    if not before_cover(bill, _LONG_AGO) or before_cover(bill, day):
        return None
    first = day
    while not before_cover(bill, first - 1):
        first -= 1
    return first

"""A hospital books what was signed: settlements, reversals, and the totals of a day."""

from datetime import date

import pytest

from adapters.sandbox.book import Book, totals
from gateway.domain.admission import BillState
from gateway.domain.bill import MealVerdict
from gateway.domain.results import Settlement
from gateway.domain.split import Split

DAY, NEXT = date(2026, 4, 1), date(2026, 4, 2)
PERSON = "somebody"


def settlement(number: str, split: Split, day: date = DAY, reverses: str = "") -> Settlement:
    meal = None if reverses else MealVerdict(2, 1500, 3000, "HOSPITAL")
    return Settlement(
        admission_id="A1",
        bill_state=BillState.SETTLED,
        settlement_id=number,
        reverses=reverses,
        business_day=day,
        split=split,
        meal=meal,
    )


def test_a_reversal_takes_back_split_and_meal_under_the_number_it_reverses() -> None:
    book, split = Book(), Split(fund_fen=900, hospital_fen=100)
    book.settled(settlement("S1", split), PERSON)
    book.reversed(settlement("S2", split.negated(), reverses="S1"), PERSON)
    assert [(row.settlement_id, row.reversed) for row in book.rows] == [("S1", False), ("S1", True)]
    assert totals(DAY, book.on(DAY)).split == Split()
    assert totals(DAY, book.on(DAY)).meal_fen == 0
    assert not book.live


def test_a_bill_booked_on_another_day_counts_there() -> None:
    book = Book()
    book.settled(settlement("S1", Split(fund_fen=900), NEXT), PERSON, DAY)
    assert (len(book.on(DAY)), len(book.on(NEXT))) == (1, 0)


def test_the_totals_count_and_add_up_the_rows_given() -> None:
    book = Book()
    book.settled(settlement("S1", Split(fund_fen=900)), PERSON)
    book.settled(settlement("S2", Split(individual_fen=50)), PERSON)
    day = totals(DAY, book.on(DAY))
    assert (day.count, day.total_fen, day.meal_fen) == (2, 950, 6000)
    assert day.detail_digest != totals(DAY, book.rows[:1]).detail_digest


def test_a_settlement_without_a_business_day_is_not_booked() -> None:
    undated = Settlement(admission_id="A1", bill_state=BillState.SETTLED, settlement_id="S1")
    with pytest.raises(ValueError, match="business day"):
        Book().settled(undated, PERSON)

"""A value on a day: the day before, the day itself, and the gap where a text is silent."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.policy.model import (
    Capability,
    Dated,
    Directory,
    Institution,
    Law,
    PickedBy,
    Policy,
    PolicyGap,
    Span,
    Unit,
    Value,
)

ARTICLE = Law("example", article="第三条")


def meal(*values: Value) -> Dated:
    return Dated(
        name="meal/per_day_fen",
        unit=Unit.FEN_PER_DAY,
        picked_by=PickedBy.SERVICE_DATE,
        description="伙食补助 / meals",
        confirmed_on=None,
        values=values,
    )


MEAL = meal(
    Value(date(2024, 1, 1), 1200, ARTICLE),
    Value(date(2025, 7, 1), 1500, ARTICLE),
    Value(date(2026, 1, 1), None, ARTICLE, ended=True),
)


def policy(*parameters: Dated, directory: Directory | None = None) -> Policy:
    return Policy("999901", "0" * 64, {one.name: one for one in parameters}, {}, directory)


@pytest.mark.parametrize(
    ("day", "fen"),
    [
        (date(2024, 1, 1), 1200),
        (date(2025, 6, 30), 1200),
        (date(2025, 7, 1), 1500),
        (date(2025, 12, 31), 1500),
    ],
)
def test_a_value_holds_from_its_first_day_to_the_day_before_the_next(day: date, fen: int) -> None:
    assert MEAL.on(day).number == fen


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2023, 12, 31), "has no value before 2024-01-01"),
        (date(2026, 1, 1), "ended on 2026-01-01"),
        (date(2031, 1, 1), "ended on 2026-01-01"),
    ],
)
def test_outside_its_life_a_parameter_is_a_gap_and_never_zero(day: date, says: str) -> None:
    with pytest.raises(PolicyGap) as caught:
        MEAL.on(day)
    assert (caught.value.key, caught.value.day) == ("meal/per_day_fen", day)
    assert says in caught.value.en
    assert "meal/per_day_fen" in caught.value.zh


def test_a_parameter_enacted_again_after_its_end_has_a_value_again() -> None:
    again = meal(*MEAL.values, Value(date(2027, 1, 1), 1600, ARTICLE))
    assert again.on(date(2027, 1, 1)).number == 1600
    with pytest.raises(PolicyGap):
        again.on(date(2026, 12, 31))


def test_the_last_value_holds_for_ever() -> None:
    assert meal(*MEAL.values[:2]).on(date(2099, 1, 1)).number == 1500


def test_a_key_no_text_gives_is_a_gap_that_names_key_and_day() -> None:
    with pytest.raises(PolicyGap) as caught:
        policy().value("arrears/policy", date(2026, 3, 2))
    assert (caught.value.key, caught.value.day) == ("arrears/policy", date(2026, 3, 2))
    assert "须由经办人员确定" in str(caught.value)
    assert "a person must decide" in str(caught.value)


def test_find_answers_none_for_every_kind_of_gap() -> None:
    with_meal = policy(MEAL)
    assert with_meal.find("line/amount_tolerance_fen", date(2025, 1, 1)) is None
    assert with_meal.find("meal/per_day_fen", date(2023, 1, 1)) is None
    found = with_meal.find("meal/per_day_fen", date(2025, 1, 1))
    assert found is not None
    assert found.number == 1200


def test_the_parameter_itself_chooses_which_date_picks_its_value() -> None:
    dates = {
        PickedBy.SERVICE_DATE: date(2025, 6, 30),
        PickedBy.SETTLEMENT_DATE: date(2025, 7, 1),
    }
    assert policy(MEAL).picked("meal/per_day_fen", dates).number == 1200
    with pytest.raises(PolicyGap) as caught:
        policy(MEAL).picked("meal/channel", dates)
    assert caught.value.day == date(2025, 7, 1)
    with pytest.raises(KeyError):
        policy(MEAL).picked("meal/per_day_fen", {PickedBy.INJURY_DATE: date(2025, 1, 1)})


def test_an_amount_is_read_only_as_what_it_is() -> None:
    since = date(2024, 1, 1)
    number, word = Value(since, 5, ARTICLE), Value(since, "MANUAL", ARTICLE)
    switch, unlimited = Value(since, True, ARTICLE), Value(since, None, ARTICLE, unlimited=True)
    assert (number.number, word.word, switch.switch) == (5, "MANUAL", True)
    for wrong in (word, switch, unlimited):
        with pytest.raises(TypeError):
            _ = wrong.number
    for wrong in (number, switch, unlimited):
        with pytest.raises(TypeError):
            _ = wrong.word
    for wrong in (number, word, unlimited):
        with pytest.raises(TypeError):
            _ = wrong.switch


def test_words_are_read_as_a_list_and_nothing_else_is() -> None:
    law = Law("t", article="第一条")
    assert Value(date(2026, 1, 1), ("A01", "A02"), law).words == ("A01", "A02")
    with pytest.raises(TypeError, match="no list of words"):
        _ = Value(date(2026, 1, 1), "A01", law).words


def test_the_place_of_a_law_is_its_article_or_its_clause() -> None:
    assert ARTICLE.place == "第三条"
    assert Law("contract", clause="第九条").place == "第九条"


HOSPITAL = Institution(
    code="A1",
    name="甲医院（虚构）",
    law=Law("contract", clause="第一条"),
    capabilities=(
        (Capability.MEDICAL, Span(date(2024, 1, 1), date(2026, 1, 1))),
        (Capability.REHABILITATION, Span(date(2025, 1, 1))),
    ),
    online=(("999901", Span(date(2024, 6, 1))),),
)
DIRECTORY = Directory("示例市", date(2024, 1, 1), {"999901": "示例经办"}, (HOSPITAL,))


def test_a_capability_ends_on_its_end_day_and_the_others_go_on() -> None:
    assert HOSPITAL.can(Capability.MEDICAL, date(2025, 12, 31))
    assert not HOSPITAL.can(Capability.MEDICAL, date(2026, 1, 1))
    assert not HOSPITAL.can(Capability.REHABILITATION, date(2024, 12, 31))
    assert HOSPITAL.can(Capability.REHABILITATION, date(2026, 1, 1))
    assert not HOSPITAL.can(Capability.DEVICE, date(2025, 6, 1))


def test_a_hospital_is_online_from_its_day_and_only_with_its_agency() -> None:
    assert not HOSPITAL.online_with("999901", date(2024, 5, 31))
    assert HOSPITAL.online_with("999901", date(2024, 6, 1))
    assert not HOSPITAL.online_with("999902", date(2024, 6, 1))


def test_an_institution_is_found_by_code_or_full_name_while_designated() -> None:
    known = policy(directory=DIRECTORY)
    assert known.institution("A1", date(2024, 1, 1)) is HOSPITAL
    assert known.institution("甲医院（虚构）", date(2024, 1, 1)) is HOSPITAL
    assert known.institution("甲医院", date(2024, 1, 1)) is None
    assert known.institution("B2", date(2024, 1, 1)) is None


def test_before_the_directory_nobody_knows_who_was_designated() -> None:
    with pytest.raises(PolicyGap) as caught:
        policy(directory=DIRECTORY).institution("A1", date(2023, 12, 31))
    assert caught.value.key == "directory"
    with pytest.raises(PolicyGap):
        policy().institution("A1", date(2025, 1, 1))


def test_a_listed_doctor_orders_until_the_day_that_the_listing_ends() -> None:
    listing = replace(HOSPITAL, doctors=(("D1", Span(date(2024, 1, 1), date(2025, 3, 1))),))
    days = (date(2023, 12, 31), date(2024, 1, 1), date(2025, 2, 28), date(2025, 3, 1))
    assert [listing.lists("D1", day) for day in days] == [False, True, True, False]
    assert not listing.lists("D2", date(2024, 1, 1))
    assert HOSPITAL.lists("D2", date(2024, 1, 1))

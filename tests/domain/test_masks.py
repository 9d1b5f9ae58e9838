"""遮盖 What a report shows of a person: enough to recognise, never a birth date."""

import pytest

from gateway.domain.masks import mask_card, mask_id, mask_name, mask_phone


def test_an_identity_number_shows_three_characters_before_and_four_after():
    assert mask_id("99990019900101001X") == "999***********001X"


def test_an_identity_number_of_fifteen_digits_shows_no_birth_date_either():
    assert mask_id("999900900101001") == "999********1001"


def test_a_phone_shows_its_prefix_and_its_end():
    assert mask_phone("13800001234") == "138****1234"


def test_a_card_shows_its_end_only():
    assert mask_card("A12345678") == "*****5678"


@pytest.mark.parametrize(("name", "masked"), [("张三", "张*"), ("测试职工", "测***"), ("甲", "*")])
def test_a_name_shows_its_first_character_unless_that_is_all_of_it(name: str, masked: str):
    assert mask_name(name) == masked


@pytest.mark.parametrize("mask", [mask_id, mask_phone, mask_card])
def test_a_value_too_short_to_hide_anything_is_covered_whole(mask):
    assert mask("12345") == "*****"


@pytest.mark.parametrize("mask", [mask_id, mask_phone, mask_card, mask_name])
def test_nothing_stays_nothing(mask):
    assert mask("") == ""

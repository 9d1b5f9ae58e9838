"""A hospital's price list follows from the catalogue and its own level."""

import pytest

from gateway.domain.catalogue import Level
from gateway.domain.money import price
from tests.adapters.sandbox.shelves import rows, shelf


def test_every_row_of_the_catalogue_has_a_title_of_its_own() -> None:
    assert len(shelf()) == len(rows())


def test_what_has_a_ceiling_costs_the_ceiling_of_the_hospitals_level() -> None:
    bed = "普通病房床位费(三人及以上间)"
    assert shelf(Level.TERTIARY).good(bed).price == price("45.00")
    assert shelf(Level.PRIMARY).good(bed).price == price("36.00")


def test_a_negotiated_drug_costs_its_payment_standard() -> None:
    assert shelf().good("普瑞巴林缓释片").price == price("3.15")


def test_other_drugs_cost_a_made_up_amount_that_stays_the_same() -> None:
    first, again = shelf(Level.TERTIARY), shelf(Level.SECONDARY)
    assert first.good("头孢呋辛 注射剂").price == again.good("头孢呋辛 注射剂").price > 0


def test_what_is_not_on_the_list_cannot_be_charged_by_its_title() -> None:
    with pytest.raises(KeyError):
        shelf().good("没有这一项")

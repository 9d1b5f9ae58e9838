"""Generated workers have well-formed numbers that are nobody's."""

from adapters.sandbox.people import worker


def sound(id_no: str) -> bool:
    """ISO 7064 MOD 11-2, computed the other way round than the generator does."""
    value = 0
    for sign in id_no:
        value = (value * 2 + (10 if sign == "X" else int(sign))) % 11
    return value == 1


def test_every_number_has_a_right_check_digit() -> None:
    assert all(sound(worker(serial).id_no) for serial in range(1, 100))


def test_every_number_and_name_is_another_and_stays_the_same() -> None:
    made = [worker(serial) for serial in range(1, 100)]
    assert len({one.id_no for one in made}) == len({one.name for one in made}) == 99
    assert made == [worker(serial) for serial in range(1, 100)]


def test_the_numbers_stand_in_a_region_that_is_nobodys_and_the_names_say_made_up() -> None:
    assert all(worker(serial).id_no.startswith("999900") for serial in (1, 50, 99))
    assert worker(12).name == "虚构一二"

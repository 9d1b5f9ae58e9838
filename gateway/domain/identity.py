"""公民身份号码 What a resident identity number tells of its holder (GB 11643-1999), and whether
two names are one person's.

Eighteen characters: six of the place, eight of the day of birth, three of a serial number
that is odd for men, and a check character.
"""

import re
from datetime import date
from typing import Final
from unicodedata import normalize

from gateway.domain.admission import Sex

_RESIDENT: Final = re.compile(r"[0-9]{6}([0-9]{8})[0-9]{2}([0-9])[0-9X]")


def same_name(one: str, other: str) -> bool:
    """Whether two persons of an agency are one by their names: width, case, blanks, dots and
    characters that nobody sees make no other person."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, normalize("NFKC", name).casefold()))


def born_and_sex(id_no: str) -> tuple[date | None, Sex | None]:
    """Day of birth and sex; a pair of None for a document that does not tell them."""
    told = _RESIDENT.fullmatch(id_no.strip().upper())
    if told is None:
        return None, None
    try:
        born = date.fromisoformat(told[1])
    except ValueError:
        return None, None
    return born, Sex.MALE if int(told[2]) % 2 else Sex.FEMALE

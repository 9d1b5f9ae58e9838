"""遮盖 Personal values as reports and screens show them: enough to recognise, not to rebuild.

An identity number keeps its first three and last four characters, so that no birth date
shows; a value too short to hide anything is covered whole.
"""

from typing import Final

_COVER: Final = "*"
# What a cover leaves readable: enough to tell persons at a counter apart, too little to guess.
_ID_HEAD, _ID_TAIL = 3, 4
_PHONE_HEAD, _PHONE_TAIL = 3, 4
_CARD_TAIL: Final = 4
_ENOUGH: Final = 4


def mask_id(id_no: str) -> str:
    """身份证号: "370***********1234"; an empty value stays empty."""
    return _covered(id_no, _ID_HEAD, _ID_TAIL)


def mask_phone(phone: str) -> str:
    """电话: "138****1234"."""
    return _covered(phone, _PHONE_HEAD, _PHONE_TAIL)


def mask_card(card_no: str) -> str:
    """社会保障卡号: the last four characters only."""
    return _covered(card_no, 0, _CARD_TAIL)


def mask_name(name: str) -> str:
    """姓名: the first character, then covers; a name of one character is covered whole."""
    return _covered(name, 1, 0)


def _covered(value: str, head: int, tail: int) -> str:
    hidden = len(value) - head - tail
    # A few covered characters are soon guessed; a name shows one and may cover one.
    if hidden < min(head + tail, _ENOUGH):
        return _COVER * len(value)
    return value[:head] + _COVER * hidden + value[len(value) - tail :]

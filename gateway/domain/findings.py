"""A finding: one fault of a message or line, complete enough to mend it without a call."""

import re
from dataclasses import dataclass

_SHOWN = 40  # characters of what was sent that fit a line of an error
_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{15}|1[0-9]{10})(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong where: the code, the line and field, what was got and expected.

    `got` is cut to 40 characters with control characters escaped; personal
    fields pass an empty `got`, so that an answer never repeats a person.
    """

    code: str
    field: str = ""
    got: str = ""
    expected: str = ""
    line_id: str = ""


def shown(text: str) -> str:
    """A foreign text made safe to repeat: one line, at most 40 characters, and no identity or
    telephone number that strayed into it."""
    masked = _PERSONAL.sub("***", text)
    cleaned = "".join(char if char.isprintable() else "�" for char in masked[:_SHOWN])
    return cleaned + ("…" if len(masked) > _SHOWN else "")

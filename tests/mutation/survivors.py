"""The page that explains each mutant that no test can kill."""

import re
from typing import Final

from tests.tidy.source import PROJECT

PAGE: Final = PROJECT / "docs" / "mutation-survivors.md"
_ROW: Final = re.compile(r"^\| `([^`]+)` \| (.+) \| (.+) \|$", re.MULTILINE)


def explained() -> dict[str, str]:
    """The explanation of each mutant by its name; twice explained is an error."""
    rows = _ROW.findall(PAGE.read_text("utf-8"))
    found = {name: why for name, _change, why in rows}
    if len(found) != len(rows):
        raise ValueError(f"{PAGE.name} explains a mutant twice")
    return found

"""Settlement and `gateway calculate` decide a line by one and the same function."""

import io
from pathlib import Path

import pytest

from gateway.rules import line
from gateway.verbs import calculate
from tests.flows.office import LINES, Office

CASE = """[{"id": "1", "title": "t", "params": {"no_consent_payer": "hospital"},
  "lines": [{"name": "n", "price": "1.00", "qty": "1"}]}]"""


async def test_a_line_function_that_raises_breaks_both(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    cases = tmp_path / "cases.json"
    cases.write_text(CASE)

    def raises(*_: object) -> None:
        raise RuntimeError("the line function is broken")

    # Its first step, looked up in its own module by whoever calls it from wherever.
    monkeypatch.setattr(line, "_amount", raises)
    with pytest.raises(RuntimeError, match="the line function is broken"):
        await office.commit("H001", stay, *LINES)
    with pytest.raises(RuntimeError, match="the line function is broken"):
        calculate.run(str(cases), False, io.StringIO(), io.StringIO())

"""Whatever the program shows of generated people shows no number, name, card or telephone."""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from gateway import cli
from gateway.domain.case import CaseState
from gateway.domain.codes import CODES
from gateway.domain.commands import HospitalRow, ReconcileDetails
from gateway.domain.identity import born_and_sex
from gateway.domain.masks import mask_id, mask_name
from gateway.domain.split import Split
from gateway.flows.release_held import release_all
from gateway.settings import Settings
from gateway.verbs import replay
from gateway.web.problems import problem
from tests import postgres
from tests.flows.office import DAY, LINES, office_in, prepare
from tests.security.canaries.told import canaries

PEOPLE = canaries(4, seed=11)
NEXT_DAY = date(2026, 3, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment in which everybody was settled, and booked otherwise by the hospital."""
    made = prepare(tmp_path_factory.mktemp("masks"))
    postgres.waited(_told(made))
    return made


async def _told(folder: Path) -> None:
    async with office_in(folder) as office:
        for serial, one in enumerate(PEOPLE):
            await office.report(f"C{serial}", 0, person=one)
            await office.decide(f"C{serial}", CaseState.RECOGNISED)
            stay = await office.billed("H001", f"V{serial}", 0, person=one)
            await office.commit("H001", stay, *LINES)
        await release_all(office.desk)
        office.move_to(NEXT_DAY)
        rows = tuple(
            HospitalRow(
                settlement_id=f"S-ODD{serial}",
                day=DAY,
                id_no=one.id_no,
                reversed=False,
                split=Split(fund_fen=1),
                meal_fen=0,
            )
            for serial, one in enumerate(PEOPLE)
        )
        told = await office.say("H001", "reconcile.details", ReconcileDetails(day=DAY, rows=rows))
        assert told.code == "OK"
        (folder / "metrics").write_bytes(office.gateway.metrics.text())


def verbs(numbers: list[str], out: Path) -> Iterator[list[str]]:
    for number in numbers:
        yield ["explain", number]
        yield ["explain", number, "--as-case"]
        yield ["sheet", number, "--out", str(out / f"{number}.pdf")]
    span = ["--from", "2026-03-01", "--to", "2026-03-31", "--out"]
    yield ["cuts", *span, str(out / "cuts.xlsx")]
    yield ["reconciliation", DAY.isoformat(), "--out", str(out / "day.xlsx")]
    yield ["replay"]
    yield ["clocks"]
    yield ["readjudications", "list"]
    yield ["data-keys", "list"]
    yield ["sheet", PEOPLE[0].id_no, "--out", str(out / "nothing.pdf")]


def shown(path: Path) -> str:
    if path.suffix == ".pdf":
        return "".join(page.extract_text() for page in PdfReader(path).pages)
    with ZipFile(path) as book:
        return "".join(book.read(name).decode(errors="replace") for name in book.namelist())


def clear(text: str) -> list[str]:
    """The values of people that the text shows as they are."""
    values = [value for one in PEOPLE for value in (one.id_no, one.name, one.card_no, one.phone)]
    return [value for value in values if value in "".join(text.split())]


def births_beside(text: str) -> list[str]:
    """Masked numbers that stand with the day of birth they hide."""
    found = []
    for one in PEOPLE:
        born, _ = born_and_sex(one.id_no)
        assert born is not None
        days = (born.isoformat(), f"{born:%Y%m%d}", f"{born:%Y年%m月%d日}")
        if mask_id(one.id_no) in text and any(day in text for day in days):
            found.append(mask_id(one.id_no))
    return found


def test_no_verb_and_no_report_shows_anybody(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(folder / "gateway"))
    monkeypatch.setenv("GATEWAY_ENVIRONMENT", "test")
    numbers = asyncio.run(replay._all(Settings()))
    assert len(numbers) == len(PEOPLE)
    for words in verbs(numbers, tmp_path):
        cli.main(words)
        said = "".join(capsys.readouterr())
        assert (words, clear(said), births_beside(said)) == (words, [], [])
    files = sorted(tmp_path.iterdir())
    assert {path.suffix for path in files} == {".pdf", ".xlsx"}
    assert len(files) > len(PEOPLE)
    for path in files:
        text = shown(path)
        assert (path.name, clear(text), births_beside(text)) == (path.name, [], [])
    sheets = "".join("".join(shown(path).split()) for path in files if path.suffix == ".pdf")
    assert all(mask_id(one.id_no) in sheets for one in PEOPLE)
    assert all(mask_name(one.name) in sheets for one in PEOPLE)


def test_no_metric_and_no_problem_shows_anybody(folder: Path) -> None:
    assert clear((folder / "metrics").read_text()) == []
    for code in CODES:
        assert clear(bytes(problem(code).body).decode()) == []


def test_a_value_in_clear_is_found() -> None:
    one = PEOPLE[0]
    born, _ = born_and_sex(one.id_no)
    assert clear(f"{one.name} {one.id_no[:9]} {one.id_no[9:]}") == [one.id_no, one.name]
    assert births_beside(f"{mask_id(one.id_no)} {born}") == [mask_id(one.id_no)]

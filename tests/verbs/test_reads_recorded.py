"""Whatever verb shows a record of a person is recorded first: who, what, why, when; where that
fails, nobody is shown. Every other verb says why it needs no such row."""

import asyncio
import io
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from gateway import app
from gateway.cli import main
from gateway.clock import at_business
from gateway.domain.commands import ReconcileDetails
from gateway.flows import find_person
from gateway.flows.keep_log import keep
from gateway.policy.load import SHIPPED
from gateway.settings import Settings
from gateway.store.personal import Vault
from gateway.store.tables import (
    admission,
    audit,
    cut,
    metadata,
    readjudication,
    settlement,
    work_case,
)
from gateway.store.unit import StoreFailed
from tests.flows.office import DAY, office_in, prepare
from tests.flows.test_cut_before_or_after import (
    HANGING_BED,
    committed,
    discharged,
    opened,
    upheld,
)
from tests.rules.facts import example_policy
from tests.test_cli import VERBS
from tests.world import person

SPAN = ("--from", "2026-03-01", "--to", "2026-03-31")
WHO = ("--by", "甲", "--reason", "抽查（虚构）")

SHOWING = {
    "sheet": (["{settlement}", "--out", "{out}"], "{settlement}"),
    "reconciliation": (["2026-03-02", "--out", "{out}"], "2026-03-02"),
    "explain": (["{settlement}"], "{settlement}"),
    "replay": (["S404", "--cores", "1"], "S404"),
    "what-if": (["--policy", str(SHIPPED), *SPAN, "--out", "{out}"], "2026-03-01–2026-03-31"),
    "cuts": ([*SPAN, "--hospital", "H001", "--out", "{out}"], "2026-03-01–2026-03-31 H001"),
    "clocks": (["--on", "2026-03-10"], "2026-03-10"),
    "readjudications list": ([], "全部 all"),
    "readjudications show": (["{proposal}"], "{proposal}"),
    "evidence export": (["--out", "{out}"], "现行 present"),
}
"""Each verb that shows records, what it is asked, and what its audit row names."""

QUIET = {
    "check": ([], "names tables and rows that break an invariant, and opens no sealed column"),
    "doctor": ([], "tells of files, keys, certificates and sizes"),
    "data-keys list": ([], "counts rows"),
    "migrate": ([], "changes columns of tables"),
    "policy check": ([], "opens no store"),
    "policy show": (["meal/per_day_fen", "--on", "2026-03-02"], "opens no store"),
    "policy diff": (["999900", "999900"], "values of the law"),
    "evidence verify": ([], "compares what it opens with the log, and names rows that differ"),
}
"""Each verb that is run on the store and shows nobody, and why."""

_ACT = "an act of the operator, with an audit row of its own"
ASIDE = {
    "serve": "shows nothing",
    "demo": "plays made-up persons in a store of its own",
    "clock set": "moves the clock of a demo",
    "calculate": "reads a file that is in hand, and opens no store",
    "verify": "reads a message that is in hand, and opens no store",
    "evidence check": "reads an export that is in hand, and opens no store",
    **dict.fromkeys(("agency add", "agency enrol", "carrier add", "carrier enrol"), _ACT),
    **dict.fromkeys(("carrier mandate", "carrier unmandate", "key", "catalog import"), _ACT),
    **dict.fromkeys(("hospital add", "hospital enrol", "hospital suspend"), _ACT),
    **dict.fromkeys(("hospital resume", "evidence propose", "evidence approve"), _ACT),
    **dict.fromkeys(("data-keys renew", "data-keys retire", "readjudicate"), _ACT),
    **dict.fromkeys(("readjudications approve", "readjudications reject"), _ACT),
    **dict.fromkeys(("readjudications close", "purge ask", "purge confirm"), _ACT),
    "person find": "recorded with whom was asked for; tells an internal id alone",
}
"""Each verb that is not run here, and why it shows no record unrecorded."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A deployment with one settled bill, cut afterwards, and what is numbered in it."""

    folder: Path
    settlement: str
    proposal: str
    numbers: frozenset[str]

    def words(self, verb: str, asked: list[str], out: Path) -> list[str]:
        named = {"settlement": self.settlement, "proposal": self.proposal, "out": str(out)}
        return [*verb.split(), *(one.format(**named) for one in asked)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return asyncio.run(_made(prepare(tmp_path_factory.mktemp("reads"))))


async def _made(folder: Path) -> Kept:
    async with office_in(folder) as office:
        await opened(office, HANGING_BED, folder)
        stay = await discharged(office, HANGING_BED, 1)
        await committed(office, HANGING_BED, stay)
        done = await upheld(office, HANGING_BED, stay)
        asked = ReconcileDetails(day=DAY, rows=())
        assert (await office.say("H001", "reconcile.details", asked)).code == "OK"
        await keep(office.desk.log)
        proposal = (await office.rows(select(readjudication.c.proposal_id)))[0]["proposal_id"]
        columns = (settlement.c.settlement_id, admission.c.admission_id, cut.c.cut_no)
        found = [await office.rows(select(column)) for column in (*columns, work_case.c.case_no)]
        numbers = {value for rows in found for row in rows for value in row.values()}
    return Kept(folder, done.settlement_id, proposal, frozenset({*numbers, proposal}))


@pytest.fixture(autouse=True)
def _deployed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(kept.folder / "gateway"))
    monkeypatch.setenv("GATEWAY_ENVIRONMENT", "test")
    monkeypatch.setenv("GATEWAY_BUSINESS_START", at_business(DAY, 20).isoformat())


def reads(kept: Kept) -> Counter[tuple[str, str, str]]:
    """What was read, of whom, and by whom and why, as the audit tells it."""

    async def found() -> list[dict[str, Any]]:
        async with office_in(kept.folder) as office:
            return await office.kept(audit, select(audit).where(audit.c.action == "record.read"))

    rows = asyncio.run(found())
    return Counter((row["code"], row["subject"], row["reason"].decode()) for row in rows)


def test_every_verb_is_recorded_or_says_why_not() -> None:
    listed = [*SHOWING, *QUIET, *ASIDE]
    assert sorted(listed) == sorted(" ".join(words) for words in VERBS)


@pytest.mark.parametrize("verb", SHOWING)
def test_who_reads_what_and_why_is_kept_in_one_row(
    verb: str, kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, subject = SHOWING[verb]
    before, out = reads(kept), tmp_path / "shown"
    main([*kept.words(verb, asked, out), *WHO])
    assert capsys.readouterr().out or out.exists()
    named = subject.format(settlement=kept.settlement, proposal=kept.proposal)
    assert reads(kept) - before == Counter([(verb, named, "甲: 抽查（虚构）")])


@pytest.mark.parametrize("verb", SHOWING)
def test_where_the_reading_cannot_be_kept_nobody_is_shown(
    verb: str,
    kept: Kept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def failing(*_: object) -> None:
        raise StoreFailed("disk")

    monkeypatch.setattr(find_person, "record_read", failing)
    out = tmp_path / "shown"
    code = main([*kept.words(verb, SHOWING[verb][0], out), *WHO])
    said = capsys.readouterr()
    assert (code, said.out, out.exists()) == (1, "", False)
    assert said.err == "读取未能登记，请稍候 / the reading could not be recorded: try again soon\n"


MORE = ("evidence verify", "person find")


def rows_of(kept: Kept) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of every table, as it is kept."""
    with sqlite3.connect(kept.folder / "gateway" / "gateway.db") as connection:
        tables = [name for name in metadata.tables if name != "commit_probe"]
        found = {name: set(connection.execute(f"SELECT * FROM {name}")) for name in tables}  # noqa: S608
    connection.close()
    return found


def files_of(kept: Kept) -> set[Path]:
    return {path for path in kept.folder.rglob("*") if path.suffix not in (".db-wal", ".db-shm")}


def changed_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program comes with files that no process of this store has worked by yet."""
    other = replace(example_policy(), digest="0" * 64)
    monkeypatch.setattr(app, "_shipped", lambda _: other)


@pytest.mark.parametrize("verb", [*SHOWING, "person find"])
def test_a_reading_under_a_new_policy_leaves_its_row_and_puts_nothing_in_force(
    verb: str, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_policy(monkeypatch)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{person(1).id_no}\n{person(1).name}\n"))
    before, files = rows_of(kept), files_of(kept)
    main([*kept.words(verb, SHOWING.get(verb, ([], ""))[0], tmp_path / "shown"), *WHO])
    after = rows_of(kept)
    touched = {name for name in after if after[name] != before[name]}
    assert {name: len(after[name] ^ before[name]) for name in touched} == {"audit": 1, "leaf": 1}
    assert files_of(kept) == files


@pytest.mark.parametrize("verb", [*SHOWING, "check", "data-keys list", "migrate", *MORE])
def test_a_store_of_another_region_is_refused_and_nothing_is_written(
    verb: str,
    kept: Kept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GATEWAY_REGION", "371000")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n"))
    before, files = rows_of(kept), files_of(kept)
    asked = SHOWING.get(verb, ([], ""))[0]
    who = () if verb in QUIET else WHO
    code = main([*kept.words(verb, asked, tmp_path / "shown"), *who])
    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert said.err == (
        "此库属于统筹地区 999900，而 GATEWAY_REGION 是 371000：请改正其一 / this store is of "
        "pooling region 999900, and GATEWAY_REGION is 371000: correct the one or the other\n"
    )
    assert (rows_of(kept), files_of(kept)) == (before, files)


@pytest.mark.parametrize(
    "words", ["serve", "hospital resume H001", "purge ask P --by A --reason B"]
)
def test_an_act_and_the_server_do_not_open_a_store_of_another_region(
    words: str, kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_REGION", "371000")
    before, files = rows_of(kept), files_of(kept)
    assert main(words.split()) == 1
    assert "此库属于统筹地区 999900" in capsys.readouterr().err
    assert (rows_of(kept), files_of(kept)) == (before, files)


def test_doctor_names_the_region_that_the_store_is_of(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_REGION", "371000")
    assert main(["doctor"]) == 1
    assert "故障 FAIL  database\n    此库属于统筹地区 999900" in capsys.readouterr().out


@pytest.mark.parametrize("verb", QUIET)
def test_a_verb_without_a_row_names_no_settlement_stay_case_or_cut(
    verb: str, kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, reason = QUIET[verb]
    main(kept.words(verb, asked, tmp_path / "shown"))
    told = "".join(capsys.readouterr())
    assert (told != "", [one for one in kept.numbers if one in told]) == (True, []), reason


@pytest.mark.parametrize("verb", sorted(QUIET.keys() - {"evidence verify"}))
def test_a_verb_without_a_row_opens_no_sealed_column(
    verb: str, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_of = list[str]()

    def noting(_: Vault, table: Table, row: Any) -> Any:
        opened_of.append(table.name)
        return row

    monkeypatch.setattr(Vault, "open", noting)
    main(kept.words(verb, QUIET[verb][0], tmp_path / "shown"))
    assert opened_of == []


def test_a_replay_in_which_all_is_the_same_shows_counts_and_leaves_no_row(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    before = reads(kept)
    assert main(["replay", "--cores", "1"]) == 0
    assert "重算 2 笔，2 笔相同" in capsys.readouterr().out
    assert reads(kept) == before


def test_an_identity_number_asked_for_as_a_settlement_is_not_kept_in_clear(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", person(1).id_no, *WHO]) == 1
    assert capsys.readouterr().out == ""
    assert ("explain", "***", "甲: 抽查（虚构）") in reads(kept)


def copied(kept: Kept, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of the data, as on an auditor's machine."""
    shutil.copytree(kept.folder / "gateway", folder)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(folder))
    return Settings()


def test_on_a_copy_of_the_data_the_row_is_left_in_the_copy(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = reads(kept)
    copied(kept, tmp_path / "gateway", monkeypatch)
    assert main(["explain", kept.settlement]) == 0
    assert capsys.readouterr().out
    assert reads(kept) == before
    alone = replace(kept, folder=tmp_path)
    assert [code for code, *_ in reads(alone) - before] == ["explain"]


def test_a_copy_that_takes_no_row_shows_nobody_and_is_still_replayed(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = copied(kept, tmp_path / "gateway", monkeypatch)
    (settings.data_dir / "lock").unlink()
    (settings.data_dir / "lock").mkdir()
    assert main(["explain", kept.settlement]) == 2
    assert capsys.readouterr().out == ""
    assert main(["replay", "--cores", "1"]) == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE log_head", "gateway doctor"),
        ("UPDATE alembic_version SET version_num = '9999'", "gateway migrate"),
    ],
)
def test_a_store_that_does_not_open_is_said_in_words(
    kept: Kept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    statement: str,
    said: str,
) -> None:
    settings = copied(kept, tmp_path / "gateway", monkeypatch)
    with sqlite3.connect(settings.database_path) as connection:
        connection.execute(statement)
    connection.close()
    assert main(["explain", kept.settlement]) == 1
    told = capsys.readouterr()
    assert (told.out, said in told.err) == ("", True)

"""Documents say what is: every path, link, command, code and picture they name exists."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.hospital_xml import HospitalXml
from gateway import cli
from gateway.domain.codes import CODES
from gateway.domain.commands import HospitalRow
from gateway.domain.money import fen
from gateway.domain.split import Split
from gateway.flows.dispatch import COMMANDS
from gateway.rules.reconcile import detail_digest
from gateway.seal.profile import envelope
from gateway.settings import Settings
from gateway.verbs import one_bill, render_docs
from tests.seal.makers import hospital
from tests.seal.test_interop import needs_xmlsec1, pem, xmlsec1

ROOT = Path(__file__).parents[1]
BESIDE = ("README.md", "README.zh-CN.md", "CHANGELOG.md")
FOLDERS = ("docs", "gateway", "certs", "docker", "schemas", "adapters")
INSIDE = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.md")
)
PAGES = (*BESIDE, *INSIDE)
GUIDES = [f"docs/{name}-guide.md" for name in ("hospital", "agency", "operator", "auditor")]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
IN_TICKS = re.compile(r"`((?:gateway|adapters|docs|tests|schemas|certs|docker)/[\w./-]+)`")
COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?gateway ([a-z][^`#|>\n]*)", re.MULTILINE)
UPPER = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
NAMED = re.compile(r"`([\w/]+\.py)` `(\w+)` \|$", re.MULTILINE)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: headings as GitHub writes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in LINK.findall(text(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES)
def test_every_path_a_page_names_is_there(page: str) -> None:
    missing = [path for path in IN_TICKS.findall(text(page)) if not (ROOT / path).exists()]
    assert missing == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page.suffix != ".md" or page in reached:
            continue
        reached.add(page)
        targets = (target.partition("#")[0] for target in LINK.findall(page.read_text("utf-8")))
        ahead += [(page.parent / each).resolve() for each in targets if "://" not in each]
    named = {page.relative_to(ROOT).as_posix() for page in reached}
    assert set(PAGES) - named - {"certs/trust/README.md"} == set()


def options(words: list[str]) -> list[str]:
    return [word.split("=")[0] for word in words if word.startswith("--")]


def verbs(words: list[str]) -> list[str]:
    """The words that choose a verb: lower case, before the first operand or option."""
    chosen = []
    for word in words:
        if not re.fullmatch(r"[a-z]+", word):
            break
        chosen.append(word)
    return chosen


def commands() -> Iterator[tuple[str, str]]:
    for page in (*GUIDES, "README.md", "docs/catalogue-files.md", "certs/README.md"):
        for line in COMMAND.findall(text(page)):
            yield page, line.strip()


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_every_command_a_guide_shows_is_understood(
    page: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split()
    with pytest.raises(SystemExit) as ended:
        cli.main([*verbs(words), "--help"])
    help_text = capsys.readouterr().out
    assert ended.value.code == 0
    assert help_text.startswith(f"usage: gateway {words[0]}")
    assert [verb for verb in verbs(words) if verb not in help_text] == []
    assert [option for option in options(words) if option not in help_text] == []


@pytest.mark.parametrize("page", [*GUIDES, "docs/operations.md"])
def test_every_code_a_guide_names_is_one_we_have(page: str) -> None:
    source = "".join(path.read_text() for path in (ROOT / "gateway").rglob("*.py"))
    ours = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", source)) | set(CODES)
    settings = {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}
    assert set(UPPER.findall(text(page))) - ours - settings == set()


def test_the_hospital_guide_names_every_command_of_a_stay_and_the_agency_guide_its_own() -> None:
    hospital_codec = HospitalXml()
    own = {name for name in COMMANDS if not hospital_codec.knows(name)}
    assert [name for name in sorted(own) if f"`{name}`" not in text("docs/agency-guide.md")] == []
    steps = ("admission.register", "fees.upload", "settlement.commit", "transaction.reverse")
    assert [name for name in steps if f"`{name}`" not in text("docs/hospital-guide.md")] == []


def test_readme_answers_where_is_with_files_that_exist() -> None:
    table = text("README.md").split("## Where is …?")[1].split("##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    for row in rows:
        assert LINK.search(row), row


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_readme_opens_with_the_two_commands(page: str) -> None:
    first_screen = text(page).split("![")[0]
    assert "$ make demo" in first_screen
    assert "$ make test" in first_screen
    assert len(first_screen.splitlines()) < 60


@pytest.mark.parametrize("name", sorted(render_docs.files()))
def test_a_rendered_file_is_what_the_code_says(name: str) -> None:
    said = render_docs.files()[name]
    assert text(name) == said, "run: python -m gateway.verbs.render_docs"


def test_rendering_writes_every_file(tmp_path: Path) -> None:
    assert render_docs.render(tmp_path) == len(render_docs.files())
    assert (tmp_path / "docs/errors.md").read_text("utf-8") == text("docs/errors.md")


def test_every_code_and_setting_is_rendered() -> None:
    assert [code for code in CODES if f"| `{code}` |" not in text("docs/errors.md")] == []
    for name, field in Settings.model_fields.items():
        assert f"| `GATEWAY_{name.upper()}` |" in text("docs/settings.md")
        assert field.description, f"{name}: say what it is for"


def test_every_box_of_the_picture_names_a_file_and_is_joined_to_another() -> None:
    assert [step.path for step in one_bill.STEPS.values() if not (ROOT / step.path).exists()] == []
    joined = {name for arrow in one_bill.ARROWS for name in arrow}
    assert joined == set(one_bill.STEPS)


def test_no_two_boxes_of_the_picture_stand_in_one_place() -> None:
    places = [(step.column, step.row) for step in one_bill.STEPS.values()]
    assert len(places) == len(set(places))


def test_every_word_of_the_glossary_is_in_the_code_it_names() -> None:
    rows = NAMED.findall(text("gateway/domain/glossary.md"))
    assert len(rows) > 60
    for path, name in rows:
        assert re.search(rf"\b{name}\b", text(path)), f"{path} has no {name}"


def test_a_chinese_word_has_one_english_word() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", text("gateway/domain/glossary.md"), re.M)
    words = [row[0] for row in rows if row[0] not in ("中文", "---")]
    assert len(words) == len(set(words))


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    folder = ROOT / "gateway/decisions"
    pages = sorted(folder.glob("0*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for page in pages:
        assert f"]({page.name})" in (folder / "README.md").read_text("utf-8")
        heads = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences", "Alternatives"], page.name


def test_the_digest_of_the_hospital_guide_is_the_digest_of_its_rows() -> None:
    guide = text("docs/hospital-guide.md")
    lines = re.findall(r"^S0001\|.*$", guide, re.MULTILINE)
    assert len(lines) == 2
    assert f"`{detail_digest(row(line) for line in lines)}`" in guide


def row(line: str) -> HospitalRow:
    settlement_id, day, state, _, *payers, meal = line.split("|")
    return HospitalRow(
        settlement_id=settlement_id,
        day=date.fromisoformat(day),
        id_no="",
        reversed=state == "REVERSED",
        split=Split(*map(fen, payers)),
        meal_fen=fen(meal),
    )


@needs_xmlsec1
def test_the_first_message_of_the_hospital_guide_is_accepted(tmp_path: Path) -> None:
    unsigned = text("docs/first-message.xml")
    for word, instant in (("SENT_AT", "08:00"), ("EXPIRES_AT", "09:00")):
        unsigned = unsigned.replace(word, f"2026-03-02T{instant}:00+08:00")
    (tmp_path / "unsigned.xml").write_text(unsigned)
    by = hospital()
    arguments = ("--id-attr:Id", "urn:gongshang:settlement:v1:Message")
    certificate = pem(tmp_path, by)
    key = f"{tmp_path / 'signer.key'},{certificate}"
    out = tmp_path / "signed.xml"
    xmlsec1("--sign", "--privkey-pem", key, *arguments, "--output", out, tmp_path / "unsigned.xml")
    sealed = envelope(out.read_bytes()).verify(by.key.public_key())
    assert HospitalXml().schema_faults(sealed.root) == ()
    assert sealed.header.command == "person.read"
    assert sealed.header.receiver == Settings().receiver


def test_the_digest_command_of_the_hospital_guide_gives_that_digest(tmp_path: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("the program sha256sum is missing: install coreutils")
    guide = text("docs/hospital-guide.md")
    rows = re.findall(r"^S0001\|.*$", guide, re.MULTILINE)
    (tmp_path / "rows.txt").write_text("".join(f"{line}\n" for line in rows))
    command = "LC_ALL=C sort rows.txt | sha256sum"
    assert command in guide
    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    assert f"`{ran.stdout.decode().split()[0]}`" in guide

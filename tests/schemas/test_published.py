"""The published schemas, examples and wire references are what the shapes say."""

from pathlib import Path

import pytest
from lxml import etree

from adapters.agency_xml import AgencyXml
from adapters.agency_xml.names import DIALECT as AGENCY
from adapters.hospital_xml import HospitalXml
from adapters.hospital_xml.names import DIALECT as HOSPITAL
from adapters.shape.examples import examples
from adapters.shape.fields import records
from adapters.shape.kinds import Kind
from adapters.shape.names import HEADER
from adapters.shape.publish import files, publish

from ..adapters.shape.envelopes import canonical
from ..seal.makers import hospital

PROJECT = Path(__file__).parents[2]
PUBLISHED = files()
CODECS = {"hospital": HospitalXml(), "agency": AgencyXml()}
DIALECTS = [HOSPITAL, AGENCY]
EXAMPLES = [(dialect, each) for dialect in DIALECTS for each in examples(dialect)]


def named(value) -> str:
    return str(getattr(value, "name", value))


def schema(dialect) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(PROJECT / f"schemas/{dialect.name}/v1/message.xsd"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_what_the_shapes_say(name) -> None:
    text = (PROJECT / name).read_bytes().decode()
    assert text == PUBLISHED[name], "run: python -m adapters.shape.publish"


def test_nothing_stale_lies_beside_what_is_published() -> None:
    found = {
        str(path.relative_to(PROJECT)) for path in (PROJECT / "schemas/examples").rglob("*.xml")
    }
    assert found == {name for name in PUBLISHED if name.startswith("schemas/examples/")}


def test_publishing_writes_every_file(tmp_path) -> None:
    assert publish(tmp_path) == len(PUBLISHED)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(PUBLISHED)


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES, ids=named)
def test_the_valid_example_passes_and_the_invalid_one_fails_as_documented(dialect, example) -> None:
    published, codec = schema(dialect), CODECS[dialect.name]
    check = codec.reply_faults if example.name.startswith("reply.") else codec.schema_faults
    if dialect.by_command.get(example.name) and dialect.by_command[example.name].notice:
        check = codec.reply_faults
    valid, invalid = etree.fromstring(example.valid), etree.fromstring(example.invalid)
    assert published.validate(valid)
    assert check(valid) == ()
    assert not published.validate(invalid)
    assert check(invalid) == (example.finding,)
    assert example.finding.field.startswith("Message/Body/")


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
def test_the_schema_takes_a_message_with_its_signature_and_without(dialect) -> None:
    published = schema(dialect)
    for example in examples(dialect):
        content = canonical(example.valid.encode())
        assert published.validate(etree.fromstring(content))
        sealed = etree.fromstring(hospital().signer.seal(content, "m1"))
        assert published.validate(sealed), published.error_log


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
def test_no_schema_repeats_anything_without_bound(dialect) -> None:
    text = PUBLISHED[f"schemas/{dialect.name}/v1/message.xsd"]
    assert "unbounded" not in text
    assert "\\d" not in text
    assert 'base="xs:string"' in text
    assert {part.split('"')[0] for part in text.split('base="')[1:]} == {"xs:string"}


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
def test_every_field_of_the_wire_is_documented_in_both_languages(dialect) -> None:
    page = PUBLISHED[f"docs/wire-{dialect.name}.md"]
    for record in records([HEADER, *dialect.bodies]):
        assert f"# {record.name}" in page or record is HEADER
        for part in record.fields:
            assert any("\u4e00" <= char <= "\u9fff" for char in part.zh), part.wire
            assert part.en.isascii() or "×" in part.en or "版" in part.en, part.wire
            assert f"| `{part.wire}` |" in page
            assert part.zh.replace("|", "\\|") in page


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
def test_every_command_and_value_of_a_code_list_is_documented(dialect) -> None:
    page = PUBLISHED[f"docs/wire-{dialect.name}.md"]
    for exchange in dialect.exchanges:
        assert f"| `{exchange.command}` | [{exchange.request.name}]" in page
    for record in records([HEADER, *dialect.bodies]):
        for part in record.fields:
            if isinstance(part.kind, Kind):
                assert all(
                    f"| `{value}` | {zh}" in page for value, (zh, _) in part.kind.words.items()
                )

"""The collected hostile inputs: each is refused, or carried exactly as data."""

import json
from xml.sax.saxutils import escape

import pytest

from gateway.seal import profile

from ..seal.makers import opened, sealed_bytes
from .attacks import accepted, hostile_files, refused_cheaply

FILES = hostile_files()
needs_files = pytest.mark.skipif(
    not FILES, reason="no hostile inputs: set GATEWAY_SHARED to the folder that holds data/hostile"
)


def naughty() -> list[str]:
    return [
        text
        for path in FILES
        if path.name == "blns.json"
        for text in json.loads(path.read_text("utf-8"))
    ]


@needs_files
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_hostile_file_is_refused(path) -> None:
    assert refused_cheaply(path.read_bytes())


@needs_files
def test_every_bomb_with_a_doctype_dies_before_the_parser(monkeypatch) -> None:
    def parsed(raw: bytes) -> None:
        raise AssertionError("a DOCTYPE reached the parser")

    monkeypatch.setattr(profile, "_parsed", parsed)
    bombs = [raw for raw in (path.read_bytes() for path in FILES) if b"<!DOCTYPE" in raw]
    assert len(bombs) >= 7
    assert {refused_cheaply(bomb) for bomb in bombs} <= {"MARKUP_FORBIDDEN", "MESSAGE_NOT_XML"}


@needs_files
def test_a_naughty_string_put_over_an_amount_breaks_the_seal() -> None:
    raw = sealed_bytes()
    pasted = [raw.replace(b"100.00", text.encode("utf-8", "surrogatepass")) for text in naughty()]
    assert len(pasted) > 400
    assert not any(accepted(message) for message in pasted)


@needs_files
def test_a_signed_naughty_string_is_carried_exactly_or_refused() -> None:
    carried = 0
    for text in naughty():
        if accepted(raw := sealed_bytes(f"<Pay>{escape(text, {chr(13): '&#xD;'})}</Pay>")):
            assert (opened(raw).body.text or "") == text
            carried += 1
    assert carried > 400

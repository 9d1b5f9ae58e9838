"""Cost: the worst messages an enrolled signer can send stay under half a second of CPU.

SignedInfo is genuinely signed in each, so that no early refusal spares anything: gate, parse,
profile, signature and canonical form are all paid for where the shape lets it come that far.
"""

import time
from collections.abc import Callable

import pytest
from lxml import etree

from gateway.seal import gate, names
from gateway.seal.broken import SealBroken
from gateway.seal.profile import envelope

from ..seal.makers import IDENTIFIER, canonical, content, hospital, line, opened, sealed_bytes
from .attacks import CPU_SECONDS, refused_cheaply

ROOM = gate.RECEIVED.size - 8_192


def cost(raw: bytes) -> float:
    key = hospital().key.public_key()
    began = time.process_time()
    try:
        envelope(raw).verify(key)
    except SealBroken:
        return time.process_time() - began
    return time.process_time() - began


def attributes(count: int) -> str:
    return " ".join(f'a{i:02}=""' for i in range(count))


def filled(unit: str) -> str:
    return unit * (ROOM // len(unit.encode()))


def test_190000_wrong_siblings_are_cheap() -> None:
    raw = sealed_bytes("<Up>" + "<A/>" * 190_000 + "</Up>")
    assert cost(raw) < CPU_SECONDS


def test_40000_attributes_on_one_element_never_reach_the_parser() -> None:
    crowded = " ".join(f'a{i}=""' for i in range(40_000))
    assert refused_cheaply(sealed_bytes(f"<A {crowded}></A>")) == "MARKUP_FORBIDDEN"


def test_many_elements_of_32_attributes_are_cheap() -> None:
    count = gate.MAX_QUOTES // 2 // 32 - 1
    raw = sealed_bytes("<Up>" + f"<A {attributes(32)}></A>" * count + "</Up>")
    assert cost(raw) < CPU_SECONDS


def test_a_namespace_bomb_is_refused() -> None:
    declared = " ".join(f'xmlns:n{i}="urn:n{i}"' for i in range(300))
    bomb = f"<Up {declared}>" + "<A></A>" * 20_000 + "</Up>"
    assert refused_cheaply(sealed_bytes(bomb)) == "MARKUP_FORBIDDEN"


def test_the_allowed_namespaces_over_many_children_are_cheap() -> None:
    declared = " ".join(f'xmlns:n{i}="{names.DS}"' for i in range(13))
    assert cost(sealed_bytes(f"<Up {declared}>" + "<A></A>" * 90_000 + "</Up>")) < CPU_SECONDS


def test_elements_nested_ten_thousand_deep_are_refused() -> None:
    raw = sealed_bytes("<a>" * 10_000 + "</a>" * 10_000)
    assert refused_cheaply(raw) in {"MESSAGE_NOT_XML", "PROFILE_VIOLATED"}


@pytest.mark.parametrize(
    "inside",
    [
        filled("<a>" * 100 + "</a>" * 100),
        "<a>" + filled("x") + "</a>",
        "<a>" + filled("&#10;") + "</a>",
        "<a>" + filled("&amp;") + "</a>",
        "<a>" + filled("\r\n") + "</a>",
        '<a b="' + filled("&#9;") + '"></a>',
        '<a b="' + filled(">") + '"></a>',
        "<" + filled("n") + "/>",
        "<Up>" + "<A>x</A>" * 95_000 + "</Up>",
        "<Up>" + "".join(f"<a{i}/>" for i in range(150_000)) + "</Up>",
    ],
    ids=[
        "combs",
        "text",
        "character references",
        "entities",
        "line ends",
        "attribute references",
        "attribute angles",
        "one long name",
        "mixed siblings",
        "distinct names",
    ],
)
def test_two_mebibytes_of_anything_are_cheap(inside: str) -> None:
    assert cost(sealed_bytes(inside)) < CPU_SECONDS


@pytest.mark.parametrize(
    "unit", ["<", "<a", '<"', "<'", '"', "'\"", '<a b="', "<a b='>\"", "xmlns", "xmlns:", "&"]
)
def test_the_gate_is_linear_on_what_is_no_xml_at_all(unit: str) -> None:
    assert refused_cheaply(("<a>" + filled(unit)).encode())


@pytest.mark.parametrize(
    "raw",
    [
        '<a b="' * 49_000,
        "<a b='>\"" * 49_000,
        "<a>" + '<"' * 99_000,
        "<a " + "b='' " * 49_000,
        "<a" + filled(" "),
        "<" + filled("a"),
        "<?xml" + filled(" "),
        '<?xml version="1.0"' + filled(" "),
        "<a xmlns" + filled(" "),
    ],
)
def test_the_gate_is_linear_just_below_its_bounds(raw: str) -> None:
    assert refused_cheaply(raw.encode()) in {"MESSAGE_NOT_XML", "MARKUP_FORBIDDEN"}


def test_many_fields_in_the_header_are_cheap_and_refused() -> None:
    raw = content(head="<Note></Note>" * 99_000)
    assert refused_cheaply(hospital().signer.seal(raw, IDENTIFIER)) == "PROFILE_VIOLATED"


def test_many_children_of_the_root_are_cheap_and_refused() -> None:
    raw = sealed_bytes().replace(b"<Header>", b"<Header/>" * 190_000 + b"<Header>")
    assert refused_cheaply(raw) == "PROFILE_VIOLATED"


def test_many_children_of_the_signature_are_cheap_and_refused() -> None:
    raw = sealed_bytes().replace(b"<ds:SignedInfo>", b"<ds:SignedInfo/>" * 100_000)
    assert refused_cheaply(raw) in {"PROFILE_VIOLATED", "MESSAGE_NOT_XML"}


def ratio(work: Callable[[], object], floor: Callable[[], object]) -> float:
    """What the work costs in units of the floor. They take turns, so that a moment in which
    the machine is fast or slow is one for both."""
    rounds = [(spent(work), spent(floor)) for _ in range(15)]
    least, least_floor = map(min, zip(*rounds, strict=True))
    return least / least_floor


def spent(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    work()
    return time.process_time() - began


def test_opening_a_bill_costs_little_more_than_parsing_and_canonicalising_it() -> None:
    raw = sealed_bytes("<Up>" + "".join(line(i) for i in range(1_000)) + "</Up>")
    assert ratio(lambda: opened(raw), lambda: canonical(etree.fromstring(raw))) < 2.5


def test_signing_costs_less_than_canonicalising_would() -> None:
    bill = content("<Up>" + "".join(line(i) for i in range(1_000)) + "</Up>")
    signer = hospital().signer
    sealing = ratio(
        lambda: signer.seal(bill, IDENTIFIER), lambda: canonical(etree.fromstring(bill))
    )
    assert sealing < 1

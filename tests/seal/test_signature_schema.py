"""The published signature profile says what the code does."""

from pathlib import Path

import pytest
from lxml import etree

from gateway.seal import names

from .makers import content, every, genuine, hospital, opened, resigned, rsa_hospital, twin
from .test_profile import refusal

SCHEMA = etree.XMLSchema(
    etree.parse(Path(__file__).parents[2] / "schemas" / "signature-profile.xsd")
)


def described(raw: bytes) -> bool:
    signature = etree.fromstring(raw).find(names.ds("Signature"))
    return bool(SCHEMA.validate(etree.ElementTree(signature)))


@pytest.mark.parametrize("by", [hospital, rsa_hospital])
def test_what_we_sign_is_described(by) -> None:
    assert described(by().signer.seal(content(), "m-1"))
    assert described(twin(content(), by()))


def names_in_signature() -> list[str]:
    signature = genuine().find(names.ds("Signature"))
    return [etree.QName(element).localname for element in every(signature)]


def spoiled(index: int, how: str) -> bytes:
    root = genuine()
    element = list(every(root.find(names.ds("Signature"))))[index]
    if how == "attribute":
        element.set("Note", "x")
    elif how == "text":
        element.text = "甲" + (element.text or "")
    elif how == "child":
        etree.SubElement(element, names.ds("Object"))
    elif how == "doubled":
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))
    else:
        element.getparent().remove(element)
    return resigned(root) if how in {"attribute", "child", "doubled"} else etree.tostring(root)


@pytest.mark.parametrize("how", ["attribute", "text", "child", "doubled", "removed"])
@pytest.mark.parametrize("index", range(1, 14))
def test_what_the_schema_does_not_describe_is_refused(index: int, how: str) -> None:
    assert len(names_in_signature()) == 14
    raw = spoiled(index, how)
    assert not described(raw)
    assert refusal(raw) in {"PROFILE_VIOLATED", "SIGNATURE_INVALID"}


def test_the_genuine_message_is_both_described_and_accepted() -> None:
    raw = resigned(genuine())
    assert described(raw)
    assert opened(raw)

"""Signature wrapping: genuine content moved aside, forged content put where it was read."""

import copy
import itertools
from collections.abc import Iterator

import pytest
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.exceptions import InvalidSignature

from gateway.seal import names

from ..seal.makers import IDENTIFIER, canonical, every, genuine, hospital, opened
from .attacks import accepted

FORGED_IDS = (IDENTIFIER, "forged", None)
GENUINE_FORMS = ("whole", "bare", "body")
SIGNATURES = ("last", "first", "in header", "in body", "absent")
PLACES = ("before", "after", "first child", "last child", "around")


def forged(identifier: str | None) -> etree._Element:
    """The message with another amount, and with the Id the attacker prefers."""
    root = genuine()
    root.remove(root[2])
    root.find(f".//{names.message('Amount')}").text = "999.00"
    del root.attrib["Id"]
    if identifier is not None:
        root.set("Id", identifier)
    return root


def kept(form: str) -> etree._Element:
    """What the attacker keeps of the genuine message, so that its digest can be found."""
    root = genuine()
    if form == "whole":
        return root
    root.remove(root[2])
    return root if form == "bare" else root[1]


def put_signature(root: etree._Element, where: str) -> None:
    signature = genuine()[2]
    if where == "last":
        root.append(signature)
    elif where == "first":
        root.insert(0, signature)
    elif where != "absent":
        root[0 if where == "in header" else 1].append(signature)


def put(target: etree._Element, element: etree._Element, place: str) -> etree._Element:
    """The document's root after putting `element` relative to `target`."""
    if place == "first child":
        target.insert(0, element)
    elif place == "last child":
        target.append(element)
    elif place == "around":
        if target.getparent() is not None:
            target.getparent().replace(target, element)
        element.append(target)
    elif target.getparent() is not None:
        (target.addprevious if place == "before" else target.addnext)(element)
    return target.getroottree().getroot()


def variants() -> Iterator[bytes]:
    for identifier, form, where in itertools.product(FORGED_IDS, GENUINE_FORMS, SIGNATURES):
        size = len(list(every(forged(identifier))))
        for index, place in itertools.product(range(size), PLACES):
            root = forged(identifier)
            target = list(every(root))[index]
            put_signature(root, where)
            yield etree.tostring(put(target, kept(form), place))


def hidden_in_signature() -> Iterator[bytes]:
    """The genuine message inside the Signature itself, in an Object or in any other element."""
    count = len(list(every(genuine()[2])))
    for identifier, form in itertools.product(FORGED_IDS, GENUINE_FORMS):
        for index, wrapped in itertools.product(range(count), (True, False)):
            root = forged(identifier)
            put_signature(root, "last")
            target = list(every(root[2]))[index]
            if wrapped:
                target = etree.SubElement(target, names.ds("Object"))
            target.append(kept(form))
            yield etree.tostring(root)


def fools_a_search_everywhere(raw: bytes) -> bool:
    """Whether a verifier that looks for any Signature believes it and the forged text is read."""
    try:
        XMLVerifier().verify(
            raw,
            x509_cert=hospital().certificate,
            expect_config=SignatureConfiguration(location=".//"),
        )
    except (InvalidSignature, ValueError, etree.LxmlError):
        return False
    return etree.fromstring(raw).findtext(f".//{names.message('Amount')}") == "999.00"


def test_no_wrapped_message_is_accepted_in_any_position() -> None:
    corpus = {*variants(), *hidden_in_signature()}
    assert len(corpus) >= 500
    assert [raw for raw in corpus if accepted(raw)] == []


def test_the_wrapping_corpus_fools_a_verifier_that_searches_everywhere() -> None:
    assert any(fools_a_search_everywhere(raw) for raw in variants())


def test_the_message_that_the_corpus_forges_is_itself_accepted() -> None:
    raw = etree.tostring(genuine())
    assert accepted(raw)
    assert canonical(opened(raw).root) != canonical(forged(IDENTIFIER))


@pytest.mark.parametrize("count", [2, 3])
def test_a_second_signature_is_refused(count: int) -> None:
    root = genuine()
    for _ in range(count - 1):
        root.append(copy.deepcopy(root[2]))
    assert not accepted(etree.tostring(root))


@pytest.mark.parametrize("index", range(3))
def test_the_parts_of_a_message_keep_their_order(index: int) -> None:
    root = genuine()
    root.append(root[index]) if index < 2 else root.insert(0, root[2])
    assert not accepted(etree.tostring(root))

"""Forged and spoiled messages, one attack a test; each is refused with its code."""

import base64
import copy
import hmac

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from gateway.seal import names, profile
from gateway.seal.profile import envelope

from ..seal.makers import (
    IDENTIFIER,
    canonical,
    content,
    every,
    genuine,
    hospital,
    opened,
    resigned,
    sealed_bytes,
    stranger,
)
from .attacks import accepted, refused_cheaply

TRANSFORMS = (
    "http://www.w3.org/2000/09/xmldsig#base64",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "http://www.w3.org/2002/07/decrypt#XML",
)


def code(root: etree._Element) -> str:
    return refused_cheaply(etree.tostring(root))


def found(root: etree._Element, name: str) -> etree._Element:
    return root.find(f".//{names.ds(name)}")


def test_a_message_without_signature_is_refused() -> None:
    assert refused_cheaply(content()) == "PROFILE_VIOLATED"


@pytest.mark.parametrize(
    "signature",
    [
        b"<Signature></Signature>",
        b'<Signature xmlns="%b"></Signature>' % names.DS.encode(),
        b'<ds:Signature xmlns:ds="%b"/>' % names.DS.encode(),
    ],
)
def test_an_empty_signature_is_refused(signature: bytes) -> None:
    raw = content().replace(b"</Message>", signature + b"</Message>")
    assert refused_cheaply(raw) == "PROFILE_VIOLATED"


def test_a_signature_of_another_namespace_is_refused() -> None:
    raw = sealed_bytes().replace(names.DS.encode(), b"http://www.w3.org/2000/09/xmldsig")
    assert refused_cheaply(raw) == "MARKUP_FORBIDDEN"


@pytest.mark.parametrize("name", ["SignatureValue", "DigestValue", "X509Certificate"])
@pytest.mark.parametrize("text", ["", " ", "=", "AAAA====", "A", "AA-_", "甲", "QQ=="])
def test_an_empty_or_malformed_value_is_refused(name: str, text: str) -> None:
    root = genuine()
    found(root, name).text = text
    assert code(root) in {"PROFILE_VIOLATED", "SIGNATURE_INVALID", "KEY_UNKNOWN"}


def test_base64_with_spare_bits_is_refused() -> None:
    root = genuine()
    digest = found(root, "DigestValue")
    spare = digest.text[:-2] + chr(ord(digest.text[-2]) + 1) + "="
    assert base64.b64decode(spare) == base64.b64decode(digest.text)
    digest.text = spare
    assert code(root) == "PROFILE_VIOLATED"


@pytest.mark.parametrize("name", ["Amount", "DigestValue", "SignatureValue", "MessageId"])
@pytest.mark.parametrize("inserted", ["<!---->", "<!-- x -->", "<?x?>", "<![CDATA[]]>"])
def test_a_comment_inside_a_value_is_refused(name: str, inserted: str) -> None:
    root = genuine()
    element = next(each for each in every(root) if etree.QName(each).localname == name)
    text = element.text
    element.text = text[0] + "MARK" + text[1:]
    raw = etree.tostring(root).replace(b"MARK", inserted.encode())
    assert refused_cheaply(raw) == "MARKUP_FORBIDDEN"


def test_a_doctype_is_refused() -> None:
    raw = b"<!DOCTYPE Message [<!ATTLIST Amount Id ID #IMPLIED>]>" + sealed_bytes()
    assert refused_cheaply(raw) == "MARKUP_FORBIDDEN"


def test_an_entity_bomb_is_refused() -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    raw = f"<!DOCTYPE Message [{entities}]>".encode() + sealed_bytes("<Pay>&e11;</Pay>")
    assert refused_cheaply(raw) == "MARKUP_FORBIDDEN"


def test_the_parser_behind_the_gate_reads_no_file(tmp_path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    raw = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'.encode()
    root = profile._parsed(raw)
    assert b"canary" not in etree.tostring(root)


def test_a_byte_order_mark_is_refused() -> None:
    assert refused_cheaply(b"\xef\xbb\xbf" + sealed_bytes()) == "MESSAGE_NOT_UTF8"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused(encoding: str) -> None:
    raw = sealed_bytes().decode()
    assert refused_cheaply(raw.encode(encoding)) == "MESSAGE_NOT_UTF8"


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(min_value=0, max_value=23),
    name=st.sampled_from(["Id", "ID", "id", "iD", f"{{{names.XML}}}id"]),
    value=st.sampled_from([IDENTIFIER, "other"]),
)
def test_a_second_id_at_any_node_is_refused(index: int, name: str, value: str) -> None:
    root = genuine()
    nodes = list(every(root))
    assert len(nodes) == 25
    nodes[index + 1].set(name, value)
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


def code_of_resigned(root: etree._Element) -> str:
    return refused_cheaply(resigned(root))


@pytest.mark.parametrize("name", ["ID", "id", f"{{{names.XML}}}id"])
def test_a_second_kind_of_id_on_the_root_is_refused(name: str) -> None:
    root = genuine()
    root.set(name, IDENTIFIER)
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


@pytest.mark.parametrize(
    "name", ["SignedInfo", "Reference", "SignatureValue", "KeyInfo", "DigestValue", "Transforms"]
)
def test_an_element_given_twice_in_the_signature_is_refused(name: str) -> None:
    for place in ("addprevious", "addnext"):
        root = genuine()
        element = found(root, name)
        getattr(element, place)(copy.deepcopy(element))
        assert code_of_resigned(root) == "PROFILE_VIOLATED"


@pytest.mark.parametrize("uri", ["", "#", "#other", "#xpointer(/)", "#xpointer(id('m-1'))", "m-1"])
def test_a_reference_to_anything_but_the_root_is_refused(uri: str) -> None:
    root = genuine()
    found(root, "Reference").set("URI", uri)
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


def test_a_reference_without_uri_is_refused() -> None:
    root = genuine()
    del found(root, "Reference").attrib["URI"]
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


def refused_algorithms() -> list[tuple[str, str]]:
    lists = {
        "SignatureMethod": [method.value for method in SignatureMethod],
        "DigestMethod": [method.value for method in DigestAlgorithm],
        "CanonicalizationMethod": [method.value for method in CanonicalizationMethod],
    }
    allowed = {names.RSA_SHA256, names.ECDSA_SHA256, names.SHA256, names.EXCLUSIVE_C14N}
    old = [
        ("SignatureMethod", names.DS + "rsa-sha1"),
        ("SignatureMethod", names.DS + "dsa-sha1"),
        ("SignatureMethod", names.DS + "hmac-sha1"),
        ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#sm2-sm3"),
        ("DigestMethod", names.DS + "sha1"),
        ("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"),
        ("SignatureMethod", ""),
    ]
    known = [(name, uri) for name, uris in lists.items() for uri in uris]
    return [pair for pair in dict.fromkeys(known + old) if pair[1] not in allowed]


@pytest.mark.parametrize(("name", "uri"), refused_algorithms())
def test_an_algorithm_outside_the_list_is_refused(name: str, uri: str) -> None:
    root = genuine()
    found(root, name).set("Algorithm", uri)
    assert code_of_resigned(root) == "ALGORITHM_REFUSED"


def test_a_mac_made_with_the_public_key_is_refused() -> None:
    root = genuine()
    found(root, "SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )
    pem = (
        hospital()
        .key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    value = hmac.digest(pem, canonical(found(root, "SignedInfo")), "sha256")
    found(root, "SignatureValue").text = base64.b64encode(value).decode()
    assert code(root) == "ALGORITHM_REFUSED"


@pytest.mark.parametrize("uri", TRANSFORMS)
@pytest.mark.parametrize("index", [0, 1])
def test_a_transform_outside_the_list_is_refused(index: int, uri: str) -> None:
    root = genuine()
    found(root, "Transforms")[index].set("Algorithm", uri)
    assert code_of_resigned(root) == "ALGORITHM_REFUSED"


@pytest.mark.parametrize("uri", TRANSFORMS)
def test_a_third_transform_is_refused(uri: str) -> None:
    root = genuine()
    etree.SubElement(found(root, "Transforms"), names.ds("Transform"), Algorithm=uri)
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


def test_transforms_in_the_other_order_are_refused() -> None:
    root = genuine()
    transforms = found(root, "Transforms")
    transforms.append(transforms[0])
    assert code_of_resigned(root) == "ALGORITHM_REFUSED"


def test_a_transform_with_a_prefix_list_is_refused() -> None:
    root = genuine()
    listed = etree.SubElement(
        found(root, "Transforms")[1], f"{{{names.EXCLUSIVE_C14N}}}InclusiveNamespaces"
    )
    listed.set("PrefixList", "ds")
    assert code_of_resigned(root) == "MARKUP_FORBIDDEN"


def test_a_transform_that_signs_nothing_is_refused() -> None:
    root = genuine()
    transform = found(root, "Transforms")[0]
    transform.set("Algorithm", TRANSFORMS[1])
    etree.SubElement(transform, names.ds("XPath")).text = "false()"
    assert code_of_resigned(root) == "PROFILE_VIOLATED"


def test_an_object_in_the_signature_is_refused() -> None:
    root = genuine()
    etree.SubElement(root[2], names.ds("Object"))
    assert code(root) == "PROFILE_VIOLATED"


def test_a_message_resigned_by_a_stranger_is_refused() -> None:
    root = genuine()
    found(root, "X509Certificate").text = stranger().der
    assert refused_cheaply(resigned(root, stranger())) == "KEY_UNKNOWN"


def test_a_strangers_certificate_beside_a_genuine_signature_is_refused() -> None:
    root = genuine()
    found(root, "X509Certificate").text = stranger().der
    assert code(root) == "KEY_UNKNOWN"


def test_a_strangers_signature_beside_a_genuine_certificate_is_refused() -> None:
    assert refused_cheaply(resigned(genuine(), stranger())) == "SIGNATURE_INVALID"


def test_a_certificate_is_no_trust_whoever_issued_it() -> None:
    raw = stranger().signer.seal(content(), IDENTIFIER)
    opened(raw, stranger())
    assert refused_cheaply(raw) == "KEY_UNKNOWN"


@pytest.mark.parametrize("space", [" ", "\n", "\t", "&#13;", "&#10;", "x", "　"])
def test_anything_added_after_the_signature_is_refused(space: str) -> None:
    raw = sealed_bytes().replace(b"</ds:Signature>", b"</ds:Signature>" + space.encode())
    assert refused_cheaply(raw) in {"SIGNATURE_INVALID", "PROFILE_VIOLATED"}


@pytest.mark.parametrize("trailing", [b"\n", b" \r\n\t"])
def test_white_space_after_the_root_is_outside_what_was_signed(trailing: bytes) -> None:
    assert accepted(sealed_bytes() + trailing)
    assert refused_cheaply(sealed_bytes() + trailing + b"<a/>") == "MESSAGE_NOT_XML"


@pytest.mark.parametrize(
    "declared",
    [
        b'xmlns:x="relative"',
        b'xmlns:x="./a"',
        b'xmlns:x="urn:other"',
        b'xmlns:ds="urn:gongshang:settlement:v1"',
        b'xmlns=""',
    ],
)
def test_a_foreign_or_relative_namespace_is_refused(declared: bytes) -> None:
    raw = sealed_bytes("<Pay></Pay>").replace(b"<Pay>", b"<Pay " + declared + b">")
    assert refused_cheaply(raw) == "MARKUP_FORBIDDEN"


def test_an_xml_base_is_refused() -> None:
    assert (
        refused_cheaply(sealed_bytes('<Pay xml:base="http://a.example/"></Pay>'))
        == "PROFILE_VIOLATED"
    )


# A flipped sign of the serial number: cryptography only warns today.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_one_flipped_bit_anywhere_is_refused_by_seal_or_registry() -> None:
    raw = sealed_bytes()
    registered = envelope(raw).claimed_fingerprint
    believed = []
    for index in range(0, len(raw), 3):
        flipped = bytearray(raw)
        flipped[index] ^= 1 << (index % 7)
        if accepted(bytes(flipped)):
            believed.append(envelope(bytes(flipped)).claimed_fingerprint)
    # What survives is a bit of the hint beside its key, and no registry knows that fingerprint.
    assert registered not in believed

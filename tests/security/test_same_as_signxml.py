"""Whatever our verifier accepts, signxml accepts, and reads the same content from it."""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier

from gateway.seal import names
from gateway.seal.broken import SealBroken

from ..seal.makers import IDENTIFIER, canonical, content, hospital, opened, twin
from ..seal.test_interop import signed_by_signxml

CONFIG = SignatureConfiguration(location="./", verification_time=datetime(2026, 3, 2, tzinfo=UTC))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿"),
    max_size=20,
)
NAMES = st.from_regex(r"\A[A-Z][a-z]{0,6}\Z")


def canonical_text(text: str) -> str:
    return escape(text, {"\r": "&#xD;"})


LEAVES = st.builds(lambda name, text: f"<{name}>{canonical_text(text)}</{name}>", NAMES, TEXTS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, parts, space: f"<{name}>{space.join(parts)}</{name}>",
        NAMES,
        st.lists(inner, max_size=4),
        st.sampled_from(["", "\n  ", "\t"]),
    ),
    max_leaves=8,
)
SIGNERS = st.sampled_from(
    [
        lambda raw: hospital().signer.seal(raw, IDENTIFIER),
        lambda raw: twin(raw, hospital()),
        lambda raw: signed_by_signxml(raw, hospital()),
    ]
)
# Each writes the same document another way; none may matter to the seal.
SPELLINGS = {
    "as signed": lambda raw: raw,
    "declared": lambda raw: b'<?xml version="1.0" encoding="UTF-8"?>\n' + raw,
    "single quotes": lambda raw: raw.replace(b'Id="m-1"', b"Id='m-1'"),
    "space in tags": lambda raw: raw.replace(b"</Header>", b"</Header\n>"),
    "ASCII only": lambda raw: etree.tostring(etree.fromstring(raw)),
    "canonical": lambda raw: canonical(etree.fromstring(raw)),
    "a reference for a letter": lambda raw: raw.replace(b"<Sender>H", b"<Sender>&#72;"),
    "wrapped base64": lambda raw: raw.replace(b"</ds:X509Certificate>", b"\n</ds:X509Certificate>"),
    "a space at the end": lambda raw: raw + b"\n",
}
EDITS = st.sampled_from(
    [b"", b" ", b"\n", b"<", b">", b'"', b"a", b"0", b"&#32;", b"/", b"=", b"x"]
)


def same_as_signxml(raw: bytes) -> bool:
    """False when we refuse; else signxml must accept and hand over the same content."""
    try:
        ours = opened(raw)
    except SealBroken:
        return False
    theirs = XMLVerifier().verify(raw, x509_cert=hospital().certificate, expect_config=CONFIG)
    assert theirs.signed_xml.tag == names.message("Message")
    assert canonical(theirs.signed_xml) == canonical(ours.root)
    assert theirs.signed_data == canonical(ours.root)
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=TREES, sign=SIGNERS, spell=st.sampled_from(sorted(SPELLINGS)))
def test_every_spelling_of_a_signed_message_is_accepted_by_both(body, sign, spell) -> None:
    assert same_as_signxml(SPELLINGS[spell](sign(content(body))))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=TREES,
    sign=SIGNERS,
    at=st.floats(min_value=0, max_value=1),
    cut=st.integers(min_value=0, max_value=3),
    edit=EDITS,
)
def test_an_edited_message_that_we_accept_is_accepted_by_signxml(body, sign, at, cut, edit) -> None:
    raw = sign(content(body))
    place = int(at * len(raw))
    same_as_signxml(raw[:place] + edit + raw[place + cut :])

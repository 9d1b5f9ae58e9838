"""The byte gate: each bound holds at its limit and refuses one step beyond."""

import pytest

from gateway.seal import gate, names
from gateway.seal.broken import SealBroken


def refusal(raw: bytes) -> str:
    with pytest.raises(SealBroken) as refused:
        gate.check(raw)
    return refused.value.code


def test_a_plain_document_passes() -> None:
    gate.check(f'<Message xmlns="{names.MESSAGE}" Id="a"><备注>甲</备注></Message>'.encode())


def test_two_mebibytes_pass_and_one_byte_more_does_not() -> None:
    filled = b"<a>" + b"x" * (gate.RECEIVED.size - 7) + b"</a>"
    gate.check(filled)
    assert refusal(filled + b" ") == "MESSAGE_TOO_LARGE"


def test_two_hundred_thousand_tags_pass_and_one_more_does_not() -> None:
    filled = b"<a>" + b"<b/>" * (gate.RECEIVED.tags - 2) + b"</a>"
    gate.check(filled)
    assert refusal(filled.replace(b"</a>", b"<b/></a>")) == "MESSAGE_TOO_LARGE"


def test_sixteen_namespace_declarations_pass_and_one_more_does_not() -> None:
    declared = b"<a" + f' xmlns="{names.MESSAGE}"'.encode() * gate.MAX_NAMESPACES + b"/>"
    gate.check(declared)
    assert refusal(declared + b"xmlns") == "MARKUP_FORBIDDEN"


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("value", ["", ">", "a=b", "/a >", "'\"", "甲"])
def test_thirty_two_attributes_pass_and_one_more_does_not(quote: str, value: str) -> None:
    value = value.replace(quote, "")

    def crowded(count: int) -> bytes:
        attributes = " ".join(f"a{i}={quote}{value}{quote}" for i in range(count))
        return f"<r><b c='1'>text</b><b\n{attributes} /></r>".encode()

    gate.check(crowded(gate.MAX_ATTRIBUTES))
    assert refusal(crowded(gate.MAX_ATTRIBUTES + 1)) == "MARKUP_FORBIDDEN"


def test_a_hundred_thousand_quotation_marks_pass_and_one_more_does_not() -> None:
    gate.check(b"<a>" + b'"' * gate.MAX_QUOTES + b"</a>")
    assert refusal(b"<a>'" + b'"' * gate.MAX_QUOTES + b"</a>") == "MESSAGE_TOO_LARGE"


def test_many_elements_with_few_attributes_each_pass() -> None:
    gate.check(b"<r>" + b'<b c="1" d="2">"quoted" text</b>' * 1000 + b"</r>")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf<a/>",
        b"<a>\0</a>",
        b"<a>\xff</a>",
        b"<a>\xc0\xaf</a>",
        b"<a>\xed\xa0\x80</a>",
        "<a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-32-be"),
    ],
)
def test_anything_but_plain_utf8_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "MESSAGE_NOT_UTF8"


@pytest.mark.parametrize(
    "declaration",
    [
        '<?xml version="1.0"?>',
        "<?xml version='1.0' encoding='utf-8'?>",
        '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>',
    ],
)
def test_an_xml_declaration_of_utf8_passes(declaration: str) -> None:
    gate.check(f"{declaration}\n<a/>".encode())


@pytest.mark.parametrize(
    "raw",
    [
        b'<?xml version="1.1"?><a/>',
        b'<?xml version="1.0" encoding="UTF-16"?><a/>',
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        b'<?xml version="1.0" encoding="GB18030"?><a/>',
        b'<?xml version="1.0"?><?xml version="1.0"?><a/>',
        b"<a><?php echo ?></a>",
        b"<!DOCTYPE a><a/>",
        b"<a><!-- note --></a>",
        b"<a><![CDATA[x]]></a>",
        b'<a xmlns="relative/uri"/>',
        b'<a xmlns:x="urn:other"/>',
        b'<a xmlns=""/>',
        b'<a xmlns:x="%b"/>' % names.MESSAGE.encode(),
        b'<a xmlns ="urn:other"/>',
    ],
)
def test_markup_that_messages_do_not_need_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "MARKUP_FORBIDDEN"


@pytest.mark.parametrize("raw", [b"", b" <a/>", b'{"json": true}', b"%PDF-1.7", b"\n<a/>"])
def test_what_does_not_begin_with_a_tag_is_not_xml(raw: bytes) -> None:
    assert refusal(raw) == "MESSAGE_NOT_XML"


def test_the_word_xmlns_in_a_text_is_only_a_word() -> None:
    gate.check(b"<a>xmlns is a word; so is xmlns, too</a>")


def test_a_refusal_speaks_two_languages_and_quotes_nothing() -> None:
    with pytest.raises(SealBroken) as refused:
        gate.check(b"<a><!-- 330102199001011234 --></a>")
    assert "注释" in refused.value.zh
    assert "comments" in refused.value.en
    assert "330102" not in str(refused.value)

"""The logs: one line an event, and no personal data in any of them."""

import io
import json
import logging
import sys
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import logs

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
FULL_WIDTH = str.maketrans("0123456789Xx+", "０１２３４５６７８９Ｘｘ＋")
SEPARATORS = ["", " ", "-", "\u3000", "\u00a0", "－", ".", "\u200b", " - ", "\t"]


def line(**event: object) -> str:
    record = logging.makeLogRecord({"name": "t", "levelname": "INFO", **event})
    return logs.JsonLine().format(record)


def read(**event: object) -> dict:
    return json.loads(line(**event))


# --- generated persons --------------------------------------------------------------------------

digits = st.text("0123456789", min_size=3, max_size=3)
regions = st.integers(110000, 820000).map(str)
births = st.integers(0, 40_000).map(lambda days: date(1905, 1, 1) + timedelta(days=days))


def with_check(seventeen: str) -> str:
    weighed = sum(int(d) * w for d, w in zip(seventeen, WEIGHTS, strict=True))
    return seventeen + "10X98765432"[weighed % 11]


eighteen = st.builds(lambda r, b, s: with_check(f"{r}{b:%Y%m%d}{s}"), regions, births, digits)
unchecked = st.builds(lambda r, b, s: f"{r}{b:%Y%m%d}{s}7", regions, births, digits)
fifteen = st.builds(lambda r, b, s: f"{r}{b:%y%m%d}{s}", regions, births, digits)
identities = st.one_of(eighteen, unchecked, fifteen)
phones = st.builds(
    lambda country, second, rest: f"{country}1{second}{rest:09}",
    st.sampled_from(["", "+86", "86", "0086", "+86 "]),
    st.sampled_from("3456789"),
    st.integers(0, 10**9 - 1),
)
cards = st.one_of(
    st.builds(lambda a, n: f"{a}{n:08}", st.sampled_from("ABCDEFGHJK"), st.integers(0, 10**8 - 1)),
    st.integers(0, 10**17 - 1).map(lambda n: f"62{n:017}"),
)


@st.composite
def written(draw: Callable, secrets: st.SearchStrategy[str]) -> tuple[str, str]:
    """A secret, and one of the ways in which people write it."""
    secret = draw(secrets)
    shown = secret.lower() if draw(st.booleans()) else secret
    if draw(st.booleans()):
        shown = shown.translate(FULL_WIDTH)
    return secret, shown


@st.composite
def separated(draw: Callable) -> tuple[str, str]:
    secret, shown = draw(written(st.one_of(identities, phones)))
    return secret, draw(st.sampled_from(SEPARATORS)).join(shown)


def around(secret: str) -> dict[str, Callable[[], dict]]:
    error = ValueError(f"查无此人 {secret}")
    return {
        "message": lambda: {"msg": f"证件号{secret}不符"},
        "arguments": lambda: {"msg": "%s and %r", "args": (secret, [secret])},
        "mapping": lambda: {"msg": "%(a)s", "args": ({"a": secret},)},
        "extra": lambda: {"msg": "x", "seen": secret, "deep": {"a": [("b", {secret: {secret}})]}},
        "bytes": lambda: {"msg": "x", "raw": f"id={secret};".encode()},
        "exception": lambda: {"msg": "x", "exc_info": (ValueError, error, None)},
        "escaped": lambda: {"msg": json.dumps([secret])},
        "bad format": lambda: {"msg": "%d", "args": (secret,)},
    }


def bare(text: str) -> str:
    """Only the digits and letters that count, so that no way of writing hides a secret."""
    half = text.translate({wide: narrow for narrow, wide in FULL_WIDTH.items()})
    return "".join(sign for sign in half.upper() if sign.isascii() and sign.isalnum())


@settings(max_examples=300, deadline=None)
@given(st.one_of(written(st.one_of(identities, phones, cards)), separated()), st.data())
def test_no_generated_person_survives_anywhere_in_a_line(pair, data) -> None:
    secret, shown = pair
    places = around(shown)
    place = data.draw(st.sampled_from(sorted(places)))
    output = bare(line(**places[place]()).replace("\\u200b", ""))
    assert bare(secret).removeprefix("0086").removeprefix("86") not in output


@settings(max_examples=100, deadline=None)
@given(eighteen, st.integers(0, 99), st.integers(0, 99))
def test_an_identity_number_inside_a_longer_number_is_found_by_its_check(secret, a, b) -> None:
    assert secret not in line(msg=f"{a}{secret}{b}")


@given(st.one_of(eighteen, fifteen).filter(str.isdigit))
def test_an_identity_number_given_as_a_number_is_masked(secret) -> None:
    assert secret not in line(msg="%d", args=(int(secret),))
    assert secret not in line(msg="x", number=int(secret))


@pytest.mark.parametrize(
    "kept",
    [
        "ADM-20260302-000123",
        "H0001-20260302080000123",
        "S20260302-000000000017",
        "01JQZ8W6T3M5N7P9R1S3V5X7Z9",
        "20260302080000",
        "1790000000123456",
        "370202000001202603020800000001",
        "2026-03-02 20:05:01.123456",
        "3f2a9c4e-13812-4d71-9a55-0d3c5e7f9b21",
        "110101199003071234".join(["aaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbb"]),
        "127.0.0.1:8443",
        "12345.67",
    ],
)
def test_identifiers_times_and_amounts_survive(kept) -> None:
    assert read(msg=f"seen {kept}")["message"] == f"seen {kept}"


@pytest.mark.parametrize("key", ["id_no", "card_no", "phone", "person_name", "ID_NO"])
def test_a_value_under_a_personal_key_is_masked_whole(key) -> None:
    assert read(msg="x", **{key: "张三"})["extra"] == {key: "***"}
    assert "张三" not in line(msg="x", inside=[{key: ["张三"]}])


# --- the shape of a line -------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=[])))
def test_every_event_is_one_line_of_json_without_control_signs(text) -> None:
    shown = line(msg=text, other={text: [text]})
    json.loads(shown)
    assert all(sign.isprintable() or sign == " " for sign in shown if ord(sign) < 0xA0)
    assert not set(shown) & set("\n\r\x1b\x7f\x85\u2028\u2029\u202e\u2066")
    shown.encode()


def test_a_forged_line_stays_inside_its_own() -> None:
    forged = 'ok\n{"level":"INFO","message":"paid"}\x1b[31m'
    assert read(msg=forged)["message"] == forged


def test_a_trace_names_places_and_causes_but_no_local_variable() -> None:
    def fail(secret_local: str) -> None:
        try:
            raise KeyError("110101199003071233")
        except KeyError as error:
            raise RuntimeError("outer") from error

    try:
        fail("held in a local")
    except RuntimeError:
        shown = line(msg="x", exc_info=sys.exc_info())
    errors = json.loads(shown)["errors"]
    assert [error["type"] for error in errors] == ["RuntimeError", "KeyError"]
    assert errors[0]["trace"][-1].endswith(" fail")
    assert "held in a local" not in shown
    assert "110101199003071233" not in shown


def test_a_value_that_cannot_be_shown_is_named_by_its_type() -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    assert read(msg="x", odd=Mute())["extra"] == {"odd": "<Mute>"}


def test_not_a_number_is_written_as_text() -> None:
    assert read(msg="x", odd=float("nan"))["extra"] == {"odd": "nan"}


def test_a_loop_of_causes_and_a_bottomless_value_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert len(read(msg="x", exc_info=(ValueError, first, None))["errors"]) == 2
    bottomless: list = []
    bottomless.append(bottomless)
    assert read(msg="x", deep=bottomless)["extra"]["deep"]


def test_the_transaction_is_named_in_each_line_of_its_task() -> None:
    token = logs.transaction_id.set("tx-7")
    try:
        assert read(msg="x")["tx"] == "tx-7"
    finally:
        logs.transaction_id.reset(token)
    assert "tx" not in read(msg="x")


def test_a_long_text_is_cut_after_it_was_masked() -> None:
    shown = read(msg="a" * 3_990 + " 110101199003071233")["message"]
    assert shown == "a" * 3_990 + " ***"
    assert len(read(msg="a" * 10_000)["message"]) == 4_001


def test_set_up_sends_every_logger_to_standard_error(monkeypatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.set_up("INFO")
    logging.getLogger("some.package").info("phone %s", "13800001111")
    logging.getLogger("some.package").debug("not shown")
    (event,) = map(json.loads, stderr.getvalue().splitlines())
    assert event["message"] == "phone ***"
    assert event["logger"] == "some.package"


def test_a_line_that_cannot_be_written_is_lost_without_its_content(monkeypatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logs.JsonLine, "format", lambda *_: (_ for _ in ()).throw(OSError("x")))
    logs.set_up()
    logging.getLogger().warning("personal")
    assert "a line was lost" in stderr.getvalue()
    assert "personal" not in stderr.getvalue()

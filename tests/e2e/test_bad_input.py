"""Bad input gets a clear answer, loses nothing, tells nobody's secrets and breaks nothing."""

import copy
import io
import itertools
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.hospital_xml.names import DIALECT
from adapters.sandbox.client import Answer, Client, Unknown
from adapters.shape.examples import sample
from gateway import logs
from gateway.domain.bill import BillLine
from gateway.domain.codes import CODES, Outcome
from gateway.domain.commands import (
    Identity,
    PreviewSettlement,
    PullInbox,
    QueryFees,
    ReadPerson,
    RegisterDischarge,
    UploadFees,
)
from gateway.domain.message import Heading
from gateway.seal import names
from gateway.web.messages import PATH
from tests.world import World, bill_line, id_number, person, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY: Final = date(2026, 3, 2)
LINES: Final = (
    bill_line("L1", "I0001", "12.00", "2", DAY),
    bill_line("L2", "I0001", "12.00", "1", DAY),
)
_TOLD: Final = ("Code", "TextZh", "TextEn", "Who", "Retry")
NUMBERS: Final = itertools.count(1)
CANARY: Final = Identity(
    id_no=id_number(777), name="金丝雀甲乙", card_no="Z99900777", phone="13900000777"
)


class Here:
    """A deployment, a hospital of it, and a stay that is open for lines."""

    def __init__(self, town: World, client: Client, admission_id: str) -> None:
        self.town, self.client, self.admission_id = town, client, admission_id
        self._http = httpx.AsyncClient(verify=client.tls, trust_env=False)

    def content(self, name: str, command: Any, message_id: str = "", **head: Any) -> bytes:
        """The canonical bytes of a command, unsigned; header values may be given anew."""
        now = self.client.now()
        values: dict[str, Any] = {
            "message_id": message_id or f"X-{next(NUMBERS)}",
            "command": name,
            "sender": self.client.party_id,
            "receiver": self.client.receiver,
            "sent_at": now,
            "expires_at": now + timedelta(hours=1),
        }
        return self.client.codec.command_message(Heading(**(values | head)), command)

    async def post(self, content: bytes) -> Answer:
        """Sign the bytes, whatever they say, and believe the answer."""
        message_id = content.partition(b"<MessageId>")[2].partition(b"<")[0].decode()
        return await self.client.post(message_id, self.client.signer.seal(content, "m1"))

    async def http(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any HTTP request over the hospital's connection."""
        return await self._http.request(method, self.client.url + path, **more)

    async def close(self) -> None:
        await self._http.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    folder = tmp_path_factory.mktemp("bad-input")
    async with world(folder, requests_per_second_per_party=100_000) as town:
        client = await town.hospital("H001")
        await town.recognised("C1", 1)
        stay = await town.register(client, "V1", 1)
        here = Here(town, client, stay.result.admission_id)
        yield here
        await here.close()


def explained(answer: Answer) -> None:
    """Each finding says in both languages what is wrong, who must act, and what to do next."""
    root = etree.fromstring(answer.received)
    elements = list(root.iter(names.message("Finding")))
    assert answer.code in CODES
    assert len(elements) == len(answer.result.findings) > 0
    for element, finding in zip(elements, answer.result.findings, strict=True):
        told = {part: element.findtext(names.message(part)) for part in _TOLD}
        entry = CODES[finding.code]
        expected = (entry.code, entry.zh, entry.en, entry.who.value, entry.retry.value)
        assert tuple(told.values()) == expected
        assert [each.text for each in element.iter(names.message("Next"))] == list(entry.next)


# --- a message that is bad as a whole keeps nothing and lists every fault ---------------------


async def test_a_message_that_breaks_the_schema_lists_every_fault(here: Here) -> None:
    content = here.content("person.read", ReadPerson(person=person(1)))
    broken = content.replace(b"<IdNo>", b"<IdNumber>").replace(b"</IdNo>", b"</IdNumber>")
    discharge = RegisterDischarge(
        admission_id=here.admission_id, discharged_at=here.client.now(), way="治愈"
    )
    two = here.content("discharge.register", discharge)
    two = two.replace(here.admission_id.encode(), b"no id \xc2\xa0", 1)
    two = two.replace(b"<DischargedAt>2", b"<DischargedAt>x2")
    for sent, faults in ((broken, {"IdNumber"}), (two, {"AdmissionId", "DischargedAt"})):
        answer = await here.post(sent)
        assert (answer.status, answer.outcome) == (400, Outcome.NOT_PROCESSED)
        assert answer.code == "SCHEMA_INVALID"
        explained(answer)
        found = {one.field.rpartition("/")[2] for one in answer.result.findings}
        assert found == faults


async def test_an_id_is_not_used_up_by_a_message_that_breaks_the_schema(here: Here) -> None:
    upload = UploadFees(admission_id=here.admission_id, lines=LINES[:1])
    content = here.content("fees.upload", upload, "KEPT-1")
    bad = await here.post(content.replace(b"<LineId>", b"<Row>").replace(b"</LineId>", b"</Row>"))
    good = await here.post(content)
    assert (bad.code, good.outcome) == ("SCHEMA_INVALID", Outcome.APPLIED)


@pytest.mark.parametrize(
    ("field", "got"),
    [
        ("ExpectedAmount", "1.2.3"),
        ("ExpectedAmount", "12,200.00"),
        ("ExpectedAmount", "1e2"),
        ("ExpectedAmount", "１２"),
        ("ExpectedCount", "two"),
        ("ExpectedCount", "-1"),
        ("DischargedAt", "2026-02-30T08:00:00+08:00"),
        ("DischargedAt", "2026-03-02 08:00"),
        ("DischargedAt", "2026-03-02T08:00:00"),
        ("DischargedAt", "0001-01-01T00:00:00+23:59"),
        ("DischargedAt", "9999-12-31T23:59:59-12:00"),
    ],
)
async def test_a_value_that_cannot_be_read_is_named(here: Here, field: str, got: str) -> None:
    command = PreviewSettlement(
        admission_id=here.admission_id,
        expected_count=2,
        expected_amount_fen=3600,
        discharged_at=here.client.now(),
    )
    content = here.content("settlement.preview", command).decode()
    head, _, rest = content.partition(f"<{field}>")
    answer = await here.post(f"{head}<{field}>{got}{rest[rest.index('<') :]}".encode())
    assert answer.status in {400, 422}
    assert [one.field.rpartition("/")[2] for one in answer.result.findings] == [field]
    assert answer.result.findings[0].expected
    explained(answer)


# --- a bad line does not take the good ones with it -------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Amount", "25.00", "LINE_AMOUNT_MISMATCH"),
        ("Amount", "abc", "LINE_NUMBER_MALFORMED"),
        ("Quantity", "1.00001", "LINE_NUMBER_MALFORMED"),
        ("Price", "99999999999999", "LINE_NUMBER_MALFORMED"),
        ("OccurredAt", "yesterday", "LINE_FIELD_MALFORMED"),
        ("OccurredAt", "2026-13-01T00:00:00+08:00", "LINE_FIELD_MALFORMED"),
    ],
)
async def test_a_bad_line_is_rejected_and_the_good_one_kept(
    here: Here, field: str, value: str, code: str
) -> None:
    stay = await _stay(here)
    content = here.content("fees.upload", UploadFees(admission_id=stay, lines=LINES)).decode()
    head, _, rest = content.partition(f"<{field}>")
    answer = await here.post(f"{head}<{field}>{value}{rest[rest.index('<') :]}".encode())
    assert (answer.status, answer.outcome) == (200, Outcome.APPLIED)
    told = {one.line_id: one for one in answer.result.answers}
    assert (told["L1"].status, told["L2"].status) == ("rejected", "accepted")
    assert (told["L1"].finding.code, told["L1"].finding.field) == (code, field)
    assert answer.result.kept_count == 1
    assert CODES[code].en in answer.received.decode()


async def test_a_line_id_given_twice_keeps_the_first(here: Here) -> None:
    stay = await _stay(here)
    twice = UploadFees(admission_id=stay, lines=(LINES[0], LINES[0]))
    answer = await here.client.send("fees.upload", twice)
    assert sorted(one.status for one in answer.result.answers) == ["accepted", "rejected"]
    assert answer.result.kept_count == 1


async def test_preview_and_commit_refuse_while_a_rejected_line_is_missing(here: Here) -> None:
    stay = await _stay(here)
    await here.town.upload(here.client, stay, LINES[0])
    await here.town.discharge(here.client, stay)
    for asked in (here.town.preview, here.town.commit):
        answer = await asked(here.client, stay, *LINES)
        assert answer.outcome is Outcome.REFUSED
        explained(answer)


# --- header ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "receiver", ["GATEWAY.999900.production", "GATEWAY.371000.test", "ANOTHER.999900.test"]
)
async def test_a_message_for_another_deployment_or_environment_is_not_ours(
    here: Here, receiver: str
) -> None:
    content = here.content("inbox.pull", PullInbox(limit=1), receiver=receiver)
    answer = await here.post(content)
    assert (answer.status, answer.code) == (400, "WRONG_RECEIVER")
    assert answer.outcome is Outcome.NOT_PROCESSED
    explained(answer)


@pytest.mark.parametrize(
    ("sent_h", "expires_h"),
    [(-3, -1), (1, 2), (0, 25), (0, 0), (0, -1)],
    ids=["expired", "from the future", "longer than a day", "no time at all", "backwards"],
)
@pytest.mark.parametrize("name", ["fees.upload", "fees.query"])
async def test_a_message_outside_its_time_is_refused(
    here: Here, name: str, sent_h: int, expires_h: int
) -> None:
    commands = {
        "fees.upload": UploadFees(admission_id=here.admission_id, lines=LINES),
        "fees.query": QueryFees(admission_id=here.admission_id),
    }
    now = here.client.now()
    content = here.content(
        name,
        commands[name],
        sent_at=now + timedelta(hours=sent_h),
        expires_at=now + timedelta(hours=expires_h),
    )
    answer = await here.post(content)
    assert (answer.status, answer.outcome, answer.code) == (422, Outcome.REFUSED, "EXPIRED")
    explained(answer)


async def test_a_clock_a_few_minutes_ahead_is_borne(here: Here) -> None:
    ahead = here.client.now() + timedelta(minutes=4)
    content = here.content("inbox.pull", PullInbox(limit=1), sent_at=ahead)
    assert (await here.post(content)).outcome is Outcome.ANSWERED


async def test_a_command_nobody_knows_is_said_so(here: Here) -> None:
    content = here.content("inbox.pull", PullInbox(limit=1))
    answer = await here.post(content.replace(b">inbox.pull<", b">inbox.push<"))
    assert (answer.status, answer.code) == (400, "COMMAND_UNKNOWN")
    explained(answer)


async def test_a_body_that_is_not_the_commands_is_named(here: Here) -> None:
    content = here.content("inbox.pull", PullInbox(limit=1))
    answer = await here.post(content.replace(b">inbox.pull<", b">fees.query<"))
    assert answer.code == "SCHEMA_INVALID"
    assert answer.result.findings[0].expected == "QueryFees"


# --- HTTP ---------------------------------------------------------------------------------------


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an unsigned problem, which claims no outcome."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["outcome"] == "UNKNOWN"
    assert all(told[part] for part in ("title", "detail", "who_must_act", "retry"))
    assert " / " in told["title"]
    return answer.status_code, told["code"]


async def test_a_body_above_two_mebibytes_is_not_read(here: Here) -> None:
    large = b"x" * (2 * 1024 * 1024 + 1)
    assert problem(await here.http("POST", PATH, content=large)) == (413, "MESSAGE_TOO_LARGE")


async def test_a_body_that_grows_above_two_mebibytes_is_not_read_on(here: Here) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b"x" * 64 * 1024

    answer = await here.http("POST", PATH, content=chunks())
    assert problem(answer) == (413, "MESSAGE_TOO_LARGE")


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/messages/", "/docs", "/openapi.json", "/%00"]
)
async def test_an_unknown_path_is_a_problem(here: Here, path: str) -> None:
    assert problem(await here.http("POST", path)) == (404, "NO_SUCH_PATH")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_wrong_method_is_a_problem_that_names_the_right_one(
    here: Here, method: str
) -> None:
    answer = await here.http(method, PATH)
    assert problem(answer) == (405, "NO_SUCH_PATH")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b"\xff\xfe", b"<a/>", b"<a>" * 40, b"\0"])
async def test_a_body_that_is_no_message_is_a_problem(here: Here, body: bytes) -> None:
    status, _ = problem(await here.http("POST", PATH, content=body))
    assert status == 400


async def test_a_compressed_body_is_refused(here: Here) -> None:
    answer = await here.http("POST", PATH, content=b"x", headers={"Content-Encoding": "gzip"})
    assert problem(answer) == (400, "PROFILE_VIOLATED")


# --- nobody's secrets ----------------------------------------------------------------------------


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger says, as the gateway writes it, at every level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLine())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def spoiled(content: bytes) -> Iterator[bytes]:
    """The canary's message broken in each place where an answer might quote it."""
    yield content
    yield content.replace(b"</IdNo>", b"9</IdNo>")
    yield content.replace(b"<IdNo>", b"<IdNo>x")
    yield content.replace(b"</Name>", "，".encode() * 80 + b"</Name>", 1)
    yield content.replace(b"<Phone>", b"<Phone>+86 ")
    yield content.replace(b"<CardNo>", b"<CardNo> ")
    yield content.replace(b"<Person>", b"<Person><Unknown></Unknown>")
    yield content.replace(b"<IdNo>", b"<Number>").replace(b"</IdNo>", b"</Number>")
    yield content.replace(b">admission.register<", b">fees.upload<")
    yield content.replace(b"<Treatment>", b"<Treatment>x")


async def test_no_answer_and_no_log_line_repeats_the_person(here: Here) -> None:
    shape = DIALECT.by_command["admission.register"].request
    answers: list[bytes] = []
    with logged() as lines:
        for number in range(10):
            command = replace(sample(shape), person=CANARY, visit_no=f"CANARY-{number}", case_no="")
            content = list(spoiled(here.content("admission.register", command)))[number]
            assert CANARY.name.encode() in content
            answers.append((await here.post(content)).received)
            sealed = here.client.signer.seal(content, "m1")
            answers += [await _problem(here, sealed.replace(b"<Bed>", b"<Bed>1"))]
            answers += [await _problem(here, sealed[:-9]), await _problem(here, content)]
        answers += [(await here.client.send("person.read", ReadPerson(person=CANARY))).received]
    said = [*answers, lines.getvalue().encode()]
    assert len(answers) == 41
    for secret in (CANARY.id_no, CANARY.name, CANARY.phone, CANARY.card_no):
        assert [text for text in said if secret.encode() in text] == [], secret


# --- nothing that comes in breaks the gateway ----------------------------------------------------

_TEXTS: Final = st.one_of(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="￾￿"),
        max_size=80,
    ),
    st.sampled_from(
        ["", "0", "-0", "NaN", "1e99", "999999999999.99", "-1", "true", "2026-02-29", "0001-01-01"]
    ),
    st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "V1", "L1", "C1", "*"]),
)


def values(root: etree._Element) -> list[etree._Element]:
    return [each for each in root.iter() if not len(each)]


def _below(draw: st.DrawFn, root: etree._Element) -> etree._Element:
    """Any element below the root."""
    return draw(st.sampled_from(list(root.iter())[1:]))


def exchange(draw: st.DrawFn, root: etree._Element) -> None:
    """One value replaced."""
    draw(st.sampled_from(values(root))).text = draw(_TEXTS)


def leave_out(draw: st.DrawFn, root: etree._Element) -> None:
    element = _below(draw, root)
    element.getparent().remove(element)


def repeat(draw: st.DrawFn, root: etree._Element) -> None:
    element = _below(draw, root)
    for _ in range(draw(st.integers(1, 3))):
        element.addnext(copy.deepcopy(element))


def rename(draw: st.DrawFn, root: etree._Element) -> None:
    known = sorted({etree.QName(each).localname for each in root.iter()})
    element = _below(draw, root)
    element.tag = names.message(draw(st.sampled_from([*known, "Unknown"])))


def move(draw: st.DrawFn, root: etree._Element) -> None:
    element = _below(draw, root)
    target = draw(st.sampled_from([each for each in root.iter() if each not in element.iter()]))
    target.append(element)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid command of the hospital, spoiled once to four times, still in canonical form."""
    name = draw(st.sampled_from(sorted(e.command for e in DIALECT.exchanges if not e.notice)))
    root = etree.fromstring(_VALID[name])
    for _ in range(draw(st.integers(1, 4))):
        if len(root) < 2:
            break
        draw(st.sampled_from((exchange, exchange, leave_out, repeat, rename, move)))(draw, root)
    return name, etree.tostring(root, method="c14n", exclusive=True)


_VALID: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def valid(here: Here) -> dict[str, bytes]:
    """A valid message of each command, about the stay that is there where it names one."""
    for each in DIALECT.exchanges:
        if not each.notice:
            command = sample(each.request)
            if hasattr(command, "admission_id"):
                command = replace(command, admission_id=here.admission_id)
            _VALID[each.command] = here.content(each.command, command, f"F-{each.command}")
    return _VALID


@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_a_spoiled_message_of_an_enrolled_signer_never_breaks_the_gateway(
    here: Here, valid: dict[str, bytes], data: st.DataObject
) -> None:
    name, content = data.draw(mutated())
    assert content.startswith(b"<Message"), name
    fresh = f"X-{next(NUMBERS)}".encode()
    content = content.replace(f"F-{name}".encode(), fresh)
    answer = await here.http("POST", PATH, content=here.client.signer.seal(content, "m1"))
    assert answer.status_code in {200, 400, 401, 409, 413, 422}, (name, content.decode())
    if answer.headers["content-type"] == "application/problem+json":
        problem(answer)


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.data())
async def test_bytes_spoiled_after_signing_are_never_believed(
    here: Here, valid: dict[str, bytes], data: st.DataObject
) -> None:
    content = valid[data.draw(st.sampled_from(sorted(valid)))]
    raw = bytearray(here.client.signer.seal(content, "m1"))
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != raw[at]))
    raw[at] = byte
    answer = await here.http("POST", PATH, content=bytes(raw))
    status, _ = problem(answer)
    assert status in {400, 401, 403, 413}


def blns() -> list[str]:
    beside = Path(__file__).parents[3] / "shared"
    path = Path(os.environ.get("GATEWAY_SHARED", beside)) / "data/hostile/naughty-strings/blns.json"
    return list(json.loads(path.read_text())) if path.exists() else []


@pytest.mark.skipif(not blns(), reason="no ../shared/data/hostile/naughty-strings (GATEWAY_SHARED)")
async def test_naughty_strings_in_lines_are_each_answered(here: Here) -> None:
    stay = await _stay(here)
    texts = [_written(text) for text in blns()]
    lines = [_line(number, text) for number, text in enumerate(texts) if text][:500]
    for field in ("name", "spec"):
        named = tuple(line._replace(**{field: text}) for line, text in lines)
        answer = await here.client.send("fees.upload", UploadFees(admission_id=stay, lines=named))
        assert answer.status in {200, 400}
        if answer.status == 200:
            told = {one.line_id for one in answer.result.answers}
            assert told == {line.line_id for line, _ in lines}


# --- helpers -------------------------------------------------------------------------------------


async def _stay(here: Here) -> str:
    """A stay of its own for a test."""
    number = next(NUMBERS)
    await here.town.recognised(f"C-{number}", 100 + number)
    stay = await here.town.register(here.client, f"V-{number}", 100 + number)
    return str(stay.result.admission_id)


async def _problem(here: Here, raw: bytes) -> bytes:
    with pytest.raises(Unknown) as unknown:
        await here.client.post("X-1", raw)
    return unknown.value.body


def _line(number: int, text: str) -> tuple[BillLine, str]:
    return bill_line(f"N{number}", "I0001", "12.00", "1", DAY), text


def _written(text: str) -> str:
    """What XML can carry of a text."""
    allowed = (sign for sign in text if sign in "\t\n" or (ord(sign) >= 32 and sign.isprintable()))
    return "".join(allowed)[:200]

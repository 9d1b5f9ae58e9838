"""Hostile messages over real HTTPS: refused cheaply while everybody else is served.

The gateway runs as a process of its own, so that its CPU time is its own, and the probe of
`/livez` shares no loop with it.
"""

import copy
import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.keys import PartyKeys
from gateway.clock import business_day
from gateway.domain.admission import Diagnosis
from gateway.domain.case import TreatmentKind
from gateway.domain.commands import PreviewSettlement, RegisterAdmission, UploadFees
from gateway.domain.results import FeesUploaded
from gateway.seal import names
from gateway.seal.offline import verify_offline
from tests.e2e.deployed import Deployed, Reply, deployed
from tests.world import bill_line, person

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="CPU time of another process is read from /proc"
)

MOST_CPU_S: Final = 0.5
SLOWEST_LIVEZ_S: Final = 0.05
_TRIES: Final = 3
"""What else runs on the machine may delay one attempt; a gateway that blocks delays each."""


def hostile_files() -> list[Path]:
    beside = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("GATEWAY_SHARED", beside)) / "data" / "hostile"
    return sorted(path for path in folder.rglob("*") if path.is_file())


@dataclass
class Pulse:
    """Asks `/livez` over one connection until it is stopped; keeps the slowest answer."""

    port: int
    worst_s: float = 0.0
    asked: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Pulse":
        self._thread = threading.Thread(target=self._beat)
        self._thread.start()
        while not self.asked:
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as ops:
            while not self._stopped.is_set():
                began = time.monotonic()
                ops.request("GET", "/livez")
                assert ops.getresponse().read()
                if self.asked:
                    self.worst_s = max(self.worst_s, time.monotonic() - began)
                self.asked += 1
                time.sleep(0.002)


@dataclass(frozen=True)
class Target:
    """The gateway, one hospital that is enrolled, and a stay of its own."""

    server: Deployed
    keys: PartyKeys
    admission_id: str = ""

    def message(self, name: str, command: object, message_id: str) -> bytes:
        """A genuine message of the hospital."""
        return self.signed(self.server.content("H001", name, command, message_id))

    def signed(self, content: bytes) -> bytes:
        return self.keys.signer().seal(content, "m1")

    def preview(self, message_id: str, inside: str = "") -> bytes:
        """A small genuine command, unsigned, with more inside its body if wanted."""
        command = PreviewSettlement(
            admission_id=self.admission_id, expected_count=1, expected_amount_fen=10000
        )
        content = self.server.content("H001", "settlement.preview", command, message_id)
        return content.replace(b"</PreviewSettlement>", f"{inside}</PreviewSettlement>".encode())

    def upload(self, message_id: str, count: int = 2) -> bytes:
        """An upload of right lines, unsigned."""
        day = business_day(self.server.now())
        lines = [bill_line(f"L{i:03}", "I0001", "12.00", "2", day) for i in range(count)]
        command = UploadFees(admission_id=self.admission_id, lines=tuple(lines))
        return self.server.content("H001", "fees.upload", command, message_id)

    def struck(self, raw: bytes) -> Reply:
        """The answer to an attack that cost little and kept nobody waiting."""
        tls = self.keys.tls(self.server.ca)
        spent: list[tuple[float, float]] = []
        for _ in range(_TRIES):
            with Pulse(self.server.ports["ops"]) as pulse:
                began_s = self.server.cpu_s()
                reply = self.server.post(tls, raw)
                cpu_s = self.server.cpu_s() - began_s
            spent.append((cpu_s, pulse.worst_s))
            if cpu_s < MOST_CPU_S and pulse.worst_s < SLOWEST_LIVEZ_S:
                return reply
        raise AssertionError(f"too dear, (CPU, slowest /livez) in seconds: {spent}")

    def refused(self, raw: bytes) -> str:
        """The code of an unsigned refusal with 4xx."""
        reply = self.struck(raw)
        assert 400 <= reply.status < 500, reply
        assert reply.kind == "application/problem+json"
        return reply.body.decode().partition('"code": "')[2].partition('"')[0]

    def answered(self, raw: bytes) -> tuple[int, str, object]:
        """Status, code and result of a signed answer."""
        reply = self.struck(raw)
        sealed = verify_offline(reply.body, self.server.ca.read_bytes())
        binding, result = HospitalXml().reply(sealed.body, sealed.root[0])
        return reply.status, str(binding and binding.code), result


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with deployed(tmp_path_factory.mktemp("hostile")) as server:
        bare = Target(server, server.hospital("H001"))
        command = RegisterAdmission(
            visit_no="V1",
            person=person(1),
            treatment=TreatmentKind.INPATIENT,
            admitted_at=server.now(),
            department="骨科",
            doctor="虚构医师",
            diagnoses=(Diagnosis("S82.100x001", "胫骨近端骨折", True),),
        )
        _, code, result = bare.answered(bare.message("admission.register", command, "REG-1"))
        assert code == "OK", result
        yield Target(server, bare.keys, result.admission_id)


# --- files collected from attacks on others ---------------------------------------------------


@pytest.mark.skipif(not hostile_files(), reason="no ../shared/data/hostile (GATEWAY_SHARED)")
def test_the_hostile_files_are_there() -> None:
    assert {"xml-bombs", "naughty-strings"} <= {path.parent.name for path in hostile_files()}


@pytest.mark.parametrize(
    "path", hostile_files(), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_hostile_file_is_refused(target: Target, path: Path) -> None:
    assert target.refused(path.read_bytes()) in {
        "MARKUP_FORBIDDEN",
        "MESSAGE_NOT_XML",
        "MESSAGE_NOT_UTF8",
        "PROFILE_VIOLATED",
    }


# --- markup -----------------------------------------------------------------------------------


def test_a_comment_in_an_amount_is_refused(target: Target) -> None:
    raw = target.signed(target.preview("X-1"))
    assert raw.count(b"100.00") == 1
    assert target.refused(raw.replace(b"100.00", b"1<!---->00.00")) == "MARKUP_FORBIDDEN"


def test_a_doctype_is_refused(target: Target) -> None:
    raw = b"<!DOCTYPE Message [<!ATTLIST Amount Id ID #IMPLIED>]>" + target.signed(
        target.preview("X-1")
    )
    assert target.refused(raw) == "MARKUP_FORBIDDEN"


def test_a_bomb_of_nested_entities_is_refused(target: Target) -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    raw = target.signed(target.preview("X-1")).replace(b"100.00", b"&e11;")
    assert target.refused(f"<!DOCTYPE Message [{entities}]>".encode() + raw) == "MARKUP_FORBIDDEN"


def test_a_bomb_of_one_long_entity_is_refused(target: Target) -> None:
    entity = f'<!DOCTYPE Message [<!ENTITY e "{"x" * 50_000}">]>'.encode()
    raw = target.signed(target.preview("X-1")).replace(b"100.00", b"&e;" * 50_000)
    assert target.refused(entity + raw) == "MARKUP_FORBIDDEN"


def test_a_canonicalisation_bomb_of_attributes_is_refused(target: Target) -> None:
    crowded = " ".join(f'a{i}=""' for i in range(40_000))
    raw = target.signed(target.preview("X-1", f"<A {crowded}></A>"))
    assert target.refused(raw) == "MARKUP_FORBIDDEN"


def test_a_canonicalisation_bomb_of_namespaces_is_refused(target: Target) -> None:
    declared = " ".join(f'xmlns:n{i}="urn:n{i}"' for i in range(300))
    bomb = f"<Up {declared}>" + "<A></A>" * 20_000 + "</Up>"
    assert target.refused(target.signed(target.preview("X-1", bomb))) == "MARKUP_FORBIDDEN"


def test_elements_nested_ten_thousand_deep_are_refused(target: Target) -> None:
    raw = target.signed(target.preview("X-1", "<a>" * 10_000 + "</a>" * 10_000))
    assert target.refused(raw) in {"MESSAGE_NOT_XML", "PROFILE_VIOLATED"}


def test_another_encoding_is_refused(target: Target) -> None:
    raw = target.signed(target.preview("X-1")).decode()
    assert target.refused(raw.encode("utf-16")) == "MESSAGE_NOT_UTF8"


def test_more_than_two_mebibytes_are_refused(target: Target) -> None:
    raw = target.signed(target.preview("X-1", "<A>" + "x" * 2 * 1024 * 1024 + "</A>"))
    assert target.refused(raw) == "MESSAGE_TOO_LARGE"


# --- wrapping -----------------------------------------------------------------------------------


def evil(target: Target) -> tuple[etree._Element, etree._Element]:
    """A genuine message, and the same with another amount and without Signature."""
    genuine = etree.fromstring(target.signed(target.preview("X-1")))
    forged = copy.deepcopy(genuine)
    forged.remove(forged[2])
    forged.find(f".//{names.message('ExpectedAmount')}").text = "99999.00"
    return genuine, forged


def inside_body(genuine: etree._Element, forged: etree._Element) -> etree._Element:
    forged[1].append(genuine)
    return forged


def beside_the_signature(genuine: etree._Element, forged: etree._Element) -> etree._Element:
    forged.append(copy.deepcopy(genuine[2]))
    forged.append(genuine)
    return forged


def inside_the_signature(genuine: etree._Element, forged: etree._Element) -> etree._Element:
    signature = copy.deepcopy(genuine[2])
    etree.SubElement(signature, names.ds("Object")).append(genuine)
    forged.append(signature)
    return forged


def inside_the_header(genuine: etree._Element, forged: etree._Element) -> etree._Element:
    forged[0].append(genuine)
    forged.append(copy.deepcopy(genuine[2]))
    return forged


def with_its_signature_borrowed(genuine: etree._Element, forged: etree._Element) -> etree._Element:
    forged.append(genuine[2])
    return forged


@pytest.mark.parametrize(
    "wrapped",
    [
        inside_body,
        beside_the_signature,
        inside_the_signature,
        inside_the_header,
        with_its_signature_borrowed,
    ],
)
def test_a_wrapped_message_is_refused(
    target: Target, wrapped: Callable[[etree._Element, etree._Element], etree._Element]
) -> None:
    raw = etree.tostring(wrapped(*evil(target)))
    assert target.refused(raw) in {"PROFILE_VIOLATED", "SIGNATURE_INVALID"}


def test_the_message_that_is_wrapped_is_itself_answered(target: Target) -> None:
    genuine, _ = evil(target)
    status, _, _ = target.answered(etree.tostring(genuine))
    assert status in {200, 422}


# --- what an enrolled signer sends ------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("<A></A>", 190_000),
        ("<Line></Line>", 150_000),
        ("<AdmissionId></AdmissionId>", 90_000),
        ("<Line><A></A></Line>", 60_000),
        ("<Line>x</Line>", 60_000),
    ],
    ids=["unknown", "empty lines", "repeated ids", "lines of unknowns", "lines of text"],
)
def test_wrong_siblings_signed_genuinely_break_the_schema(
    target: Target, unit: str, count: int
) -> None:
    content = target.upload("SIBLINGS-1")
    end = b"</UploadFees>"
    # Signed in canonical form, sent in the short one: the signature holds for both.
    raw = target.signed(content.replace(end, unit.encode() * count + end))
    for name in ("A", "Line", "AdmissionId"):
        raw = raw.replace(f"<{name}></{name}>".encode(), f"<{name}/>".encode())
    assert len(raw) < 2 * 1024 * 1024
    status, code, _ = target.answered(raw)
    assert (status, code) == (400, "SCHEMA_INVALID")


def test_an_impossible_number_in_a_command_breaks_the_schema(target: Target) -> None:
    for number in ("1e3000000", "１２３", "NaN", "Infinity", "1_000", "0x10", "٣", "1.001"):
        raw = target.signed(target.preview("X-1").replace(b"100.00", number.encode()))
        status, code, result = target.answered(raw)
        assert (status, code) == (400, "SCHEMA_INVALID"), number
        assert [one.field.rpartition("/")[2] for one in result.findings] == ["ExpectedAmount"]


@pytest.mark.parametrize("field", ["Quantity", "Price", "Amount"])
@pytest.mark.parametrize("number", ["1e3000000", "１２３", "NaN", "Infinity", "1_000", "+2", " 2"])
def test_an_impossible_number_in_a_line_rejects_that_line_only(
    target: Target, field: str, number: str
) -> None:
    right = {"Quantity": "2", "Price": "12.00", "Amount": "24.00"}[field]
    value, wrong = f"<{field}>{right}</{field}>", f"<{field}>{number}</{field}>"
    content = target.upload(f"N-{field}-{number.encode().hex()}")
    assert content.count(value.encode()) == 2
    raw = target.signed(content.replace(value.encode(), wrong.encode(), 1))
    status, _, result = target.answered(raw)
    assert status == 200
    assert isinstance(result, FeesUploaded)
    good, bad = sorted(result.answers, key=lambda one: one.status == "rejected")
    assert (bad.line_id, bad.status) == ("L000", "rejected")
    assert bad.finding is not None
    assert (bad.finding.code, bad.finding.field) == ("LINE_NUMBER_MALFORMED", field)
    assert good.status in {"accepted", "unchanged"}


def test_five_hundred_lines_wrong_in_every_value_are_each_answered(target: Target) -> None:
    content = target.upload("ALL-WRONG", count=500)
    for name in ("Quantity", "Price", "Amount"):
        parts = content.split(f"<{name}>".encode())
        rest = [part.partition(b"<")[2] for part in parts[1:]]
        content = f"<{name}>1e3000000<".encode().join([parts[0], *rest])
    status, _, result = target.answered(target.signed(content))
    assert status == 200
    assert {one.status for one in result.answers} == {"rejected"}
    assert {one.line_id for one in result.answers} == {f"L{i:03}" for i in range(500)}

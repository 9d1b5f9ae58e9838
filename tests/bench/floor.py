"""The floor: a bill's messages handled by hand, with nothing that could be left out.

Byte gate, parse, signature, schema, the lines as dictionaries, the bare pricing of
`tests.bench.rules`, one transaction of sqlite3 for each message with synchronous=FULL, and a
signed answer. No personal data is sealed, nothing is looked up but the bill's own lines, nobody
is told but the caller, and there is one caller. CPU is user and system time of this process.
"""

import hashlib
import re
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final, NamedTuple

from lxml import etree

from adapters.hospital_xml.names import DIALECT
from adapters.shape import xsd
from gateway.domain.money import fen, price, quantity
from gateway.seal.keys import PublicKey, signed_by
from gateway.seal.sign import Signer
from tests.bench.rules import Borne, priced_barely

_NS: Final = "{urn:gongshang:settlement:v1}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_LARGEST, _TAGS = 2 * 1024 * 1024, 200_000
_STORE: Final = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE message(id TEXT PRIMARY KEY, digest TEXT, request BLOB, reply BLOB) STRICT;
CREATE TABLE line(stay TEXT, id TEXT, at TEXT, refund_of TEXT, code TEXT, name TEXT,
  price INTEGER, qty INTEGER, amount INTEGER, relation TEXT, consent TEXT,
  PRIMARY KEY (stay, id)) STRICT;
CREATE TABLE settlement(stay TEXT PRIMARY KEY, fund INTEGER, employer INTEGER,
  individual INTEGER, hospital INTEGER, other INTEGER) STRICT;
"""
_READ: Final = (
    *(("LineId", str), ("OccurredAt", str), ("RefundOf", str), ("Code", str), ("Name", str)),
    *(("Price", price), ("Quantity", quantity), ("Amount", fen), ("Relation", str)),
    ("Consent", str),
)
_LINE: Final = ("id", "at", "refund_of", "code", "price", "qty", "amount")
_ADD_LINE: Final = "INSERT INTO line VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_LINES: Final = (
    "SELECT id, at, refund_of, code, price, qty, amount, relation, consent FROM line WHERE stay = ?"
)
_PAYERS: Final = ("fund", "employer", "individual", "hospital", "other")
_DAY: Final = len("2026-03-02")
_OPENING: Final = '<Message xmlns="urn:gongshang:settlement:v1" Id="m1"><Body>'


class Spent(NamedTuple):
    """Seconds of CPU and of wall clock."""

    cpu: float
    wall: float


def spent(work: Callable[[], object]) -> Spent:
    """What the work costs this process."""
    began, started = process_time(), perf_counter()
    work()
    return Spent(process_time() - began, perf_counter() - started)


class Floor:
    """One store, one hospital whose key is known, one key to answer with."""

    def __init__(
        self, folder: Path, hospital: PublicKey, signer: Signer, catalogue: dict[str, Any]
    ) -> None:
        self._hospital, self._signer, self._catalogue = hospital, signer, catalogue
        text = xsd.render(DIALECT, signed=False).encode()
        self._schema = etree.XMLSchema(etree.fromstring(text))
        self._store = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._store.executescript(_STORE)

    def close(self) -> None:
        self._store.close()

    def bill(self, uploads: Iterable[bytes], commit: bytes) -> Borne:
        """Every message of a bill; who bears what of each line."""
        for raw in uploads:
            self._upload(raw)
        return self._commit(commit)

    def _upload(self, raw: bytes) -> None:
        root, digest = self._believed(raw)
        body = root[1][0]
        stay = body.findtext(f"{_NS}AdmissionId")
        rows = [(stay, *_row(line)) for line in body.iterchildren(f"{_NS}Line")]
        answer = "".join([f"<Line><LineId>{row[1]}</LineId></Line>" for row in rows])
        with closing(self._store.cursor()) as store:
            store.execute("BEGIN IMMEDIATE")
            store.executemany(_ADD_LINE, rows)
            self._answered(store, root, digest, raw, answer)
            store.execute("COMMIT")

    def _commit(self, raw: bytes) -> Borne:
        root, digest = self._believed(raw)
        stay = root[1][0].findtext(f"{_NS}AdmissionId")
        with closing(self._store.cursor()) as store:
            lines = [_as_priced(row) for row in store.execute(_LINES, (stay,))]
            borne = priced_barely(lines, self._catalogue)
            sums = [sum(each[payer] for each in borne.values()) for payer in _PAYERS]
            store.execute("BEGIN IMMEDIATE")
            store.execute("INSERT INTO settlement VALUES (?,?,?,?,?,?)", (stay, *sums))
            self._answered(store, root, digest, raw, _told(borne))
            store.execute("COMMIT")
        return borne

    def _believed(self, raw: bytes) -> tuple[etree._Element, str]:
        """The message without its signature, and its digest."""
        _gate(raw)
        root = _parsed(raw)
        digest = self._verified(root)
        self._schema.assertValid(root)
        return root, digest

    def _verified(self, root: etree._Element) -> str:
        """The digest that the hospital signed; the signature is taken off."""
        signature = root[2]
        signed_info, value = signature[0], b64decode(signature[1].text or "")
        if not signed_by(self._hospital, value, _canonical(signed_info)):
            raise AssertionError("not the hospital's signature")
        root.remove(signature)
        digest = b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
        if digest != signed_info[2][2].text:
            raise AssertionError("not what was signed")
        return digest

    def stages(self, raws: Sequence[bytes]) -> dict[str, float]:
        """Seconds of CPU of each stage before the lines are looked at."""
        roots = [_parsed(raw) for raw in raws]
        return {
            "gate": spent(lambda: [_gate(raw) for raw in raws]).cpu,
            "parse": spent(lambda: [_parsed(raw) for raw in raws]).cpu,
            "signature": spent(lambda: [self._verified(root) for root in roots]).cpu,
            "schema": spent(lambda: [self._schema.assertValid(root) for root in roots]).cpu,
        }

    def _answered(
        self, store: sqlite3.Cursor, root: etree._Element, digest: str, raw: bytes, told: str
    ) -> None:
        message_id = root[0].findtext(f"{_NS}MessageId")
        content = f"{_OPENING}<To>{message_id}</To><Digest>{digest}</Digest>{told}</Body></Message>"
        reply = self._signer.seal(content.encode(), "m1")
        store.execute("INSERT INTO message VALUES (?,?,?,?)", (message_id, digest, raw, reply))


def parsed_and_canonical(raw: bytes) -> bytes:
    """What the floor is a multiple of: the message parsed and written canonically."""
    return _canonical(etree.fromstring(raw))


def _parsed(raw: bytes) -> etree._Element:
    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def _gate(raw: bytes) -> None:
    raw.decode("utf-8", "strict")
    markup = re.search(rb"<!|<\?(?!xml )", raw)
    if len(raw) > _LARGEST or b"\0" in raw or markup or raw.count(b"<") > _TAGS:
        raise AssertionError("not through the gate")


def _row(line: etree._Element) -> list[Any]:
    told = {child.tag: child.text or "" for child in line}
    return [read(told.get(_NS + name, "")) for name, read in _READ]


def _as_priced(row: tuple[Any, ...]) -> dict[str, Any]:
    line = dict(zip(_LINE, row, strict=False))
    line["day"], line["unrelated"] = line["at"][:_DAY], row[-2] == "unrelated"
    line["consent"] = row[-1] or None
    return line


def _told(borne: Borne) -> str:
    lines = [
        f"<Line><LineId>{line_id}</LineId><Fen>{each['fund']}</Fen><Fen>{each['employer']}</Fen>"
        f"<Fen>{each['individual']}</Fen><Fen>{each['hospital']}</Fen><Fen>{each['other']}</Fen>"
        "</Line>"
        for line_id, each in borne.items()
    ]
    return "".join(lines)

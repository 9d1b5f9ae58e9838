"""The operator's acts, over a socket that only the operator's own account can open.

The command line performs them itself when no server runs, and through the running server
otherwise: on SQLite one process writes.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from gateway.clock import SystemClock, machine_now
from gateway.domain.catalogue import Edition, Level
from gateway.domain.commands import Identity
from gateway.domain.party import KeyPurpose, Party, PartyKind
from gateway.domain.readjudication import Cause
from gateway.flows import administer, find_person, open_log, purge_person, renew_keys
from gateway.flows.administer import NotDone
from gateway.flows.decide_readjudication import Decision, approve, cited, close, reject
from gateway.flows.desk import Desk
from gateway.flows.propose_readjudications import Corrected, Found, propose_all
from gateway.flows.reached import by_editions
from gateway.seal.authority import Purpose, fingerprint
from gateway.seal.broken import CertificateRefused
from gateway.seal.deployment import Deployment
from gateway.web import problems

PATH: Final = "/acts"
_CERTIFICATE_PURPOSE: Final[dict[KeyPurpose, Purpose]] = {
    KeyPurpose.TLS: "tls_client",
    KeyPurpose.MESSAGE: "message",
}
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Imported:
    """A catalogue read from files: its editions, and the counts to print."""

    editions: tuple[Edition, ...]
    counts: str


@dataclass(frozen=True, slots=True)
class Office:
    """What the operator's acts need beside the desk. The readers come from an adapter.

    `virtual_clock` is there when settings started the business clock elsewhere than now.
    """

    desk: Desk
    deployment: Deployment
    read_catalogue: Callable[[Path, date, date | None, str], Imported]
    edition_bytes: Callable[[Edition], bytes]
    virtual_clock: SystemClock | None = None
    records_kept_years: int | None = None


def admin_app(office: Office) -> FastAPI:
    """One path: an act with its arguments; the answer is its text or why it was not done."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)

    @app.post(PATH)
    async def act(request: Request) -> Response:
        asked = await request.json()
        try:
            return JSONResponse({"text": await perform(office, asked["act"], asked["arguments"])})
        except NotDone as refusal:
            return JSONResponse({"refused": str(refusal)})

    return app


async def perform(office: Office, act: str, arguments: Arguments) -> str:
    """Do one act and say what was done. Raises NotDone with the reason."""
    if act not in _ACTS:
        raise NotDone(f"没有这个操作 / no such act: {act}")
    try:
        return await _ACTS[act](office, arguments)
    except CertificateRefused as refusal:
        raise NotDone(f"{refusal.zh} / {refusal.en}") from None


async def _add_party(office: Office, given: Arguments) -> str:
    party = Party(
        party_id=given["party"],
        version=1,
        kind=PartyKind(given["kind"]),
        name=given["name"],
        region=given.get("region") or office.desk.region,
        county=given.get("county") or "",
        level=Level(given.get("level") or Level.TERTIARY),
        agreement_from=_day(given.get("agreement_from")),
        agreement_to=_day(given.get("agreement_to")),
        capabilities=frozenset(given.get("capabilities") or ()),
        callback_url=given.get("callback") or "",
    )
    await administer.add_party(office.desk, party)
    return f"已登记 / registered {party.party_id}"


async def _enrol(office: Office, given: Arguments) -> str:
    """Issue a certificate for the request and register its fingerprint; prints the PEM."""
    party = await administer.known_party(office.desk, given["party"])
    purpose = KeyPurpose(given["purpose"])
    nows = (office.desk.clock.now(), machine_now())
    certificate = office.deployment.issue(
        given["csr"].encode(), _CERTIFICATE_PURPOSE[purpose], [party.party_id], nows
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    await administer.refuse_known_key(office.desk, party.party_id, _same_key(certificate))
    await administer.register_key(
        office.desk, party.party_id, purpose, _certified(certificate, pem)
    )
    return pem


def _same_key(certificate: x509.Certificate) -> Callable[[str], bool]:
    key = certificate.public_key()
    return lambda pem: x509.load_pem_x509_certificate(pem.encode()).public_key() == key


def _certified(certificate: x509.Certificate, pem: str) -> administer.Certified:
    return administer.certified(
        fingerprint(certificate),
        pem,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


async def _change_key(office: Office, given: Arguments) -> str:
    key = await administer.change_key(office.desk, given["fingerprint"], given["verb"])
    return f"{given['verb']}: {key.party_id} {key.purpose} {key.fingerprint}"


async def _add_mandate(office: Office, given: Arguments) -> str:
    mandate_id = await administer.add_mandate(
        office.desk,
        given["carrier"],
        given["hospital"],
        given["commands"] or ["*"],
        _needed_day(given["valid_from"]),
        _needed_day(given["valid_to"]),
    )
    return f"已授权 / mandate {mandate_id}"


async def _revoke_mandates(office: Office, given: Arguments) -> str:
    ended = await administer.revoke_mandates(office.desk, given["carrier"], given["hospital"])
    return f"已终止授权 / mandates ended: {ended}"


async def _change_agreement(office: Office, given: Arguments) -> str:
    await administer.change_agreement(
        office.desk,
        given["party"],
        suspended_from=_day(given.get("suspended_from")),
        agreement_to=_day(given.get("agreement_to")),
    )
    return f"已更新协议 / agreement changed: {given['party']}"


async def _import_catalogue(office: Office, given: Arguments) -> str:
    return await _imported(office, given, correcting=False)


def _read_catalogue(office: Office, given: Arguments) -> Imported:
    """The catalogue of the file or folder. Raises NotDone with every fault."""
    valid_from, valid_to = _needed_day(given["valid_from"]), _day(given.get("valid_to"))
    region = given.get("region") or office.desk.region
    try:
        return office.read_catalogue(Path(given["path"]), valid_from, valid_to, region)
    except ValueError as faults:
        raise NotDone(str(faults)) from None


async def _correct_catalogue(office: Office, given: Arguments) -> str:
    """Editions that take the place of wrong ones of the same first day."""
    return await _imported(office, given, correcting=True)


async def _imported(office: Office, given: Arguments, *, correcting: bool) -> str:
    """The rows imported, and what of the past they reach."""
    found = _read_catalogue(office, given)
    fresh = await administer.import_editions(
        office.desk, found.editions, office.edition_bytes, correcting=correcting
    )
    async with office.desk.database.reading() as reader:
        reached = await by_editions(reader, fresh)
    return "\n".join(filter(None, (found.counts, reached)))


async def _readjudicate(office: Office, given: Arguments) -> str:
    """Propose what a correction changes of past settlements."""
    asked = Corrected(
        cause=Cause(given["cause"]),
        first=_day(given.get("first")) or date.min,
        last=_day(given.get("last")) or date.max,
        by=given["by"],
        policy=Path(given["policy"]) if given.get("policy") else None,
        case_no=given.get("case") or None,
    )
    return _found(await propose_all(office.desk, asked))


def _found(found: Found) -> str:
    lines = [f"建议 proposal {number}" for number in found.proposals]
    lines += [f"不能重算 not computable {number}: {why}" for number, why in found.untold]
    counts = (found.looked_at, len(found.proposals), len(found.untold))
    zh = "重算 {} 笔，{} 项建议，{} 笔不能重算".format(*counts)
    en = "{} looked at, {} proposals, {} not computable".format(*counts)
    return "\n".join([*lines, f"{zh} / {en}"])


async def _approve(office: Office, given: Arguments) -> str:
    return await approve(office.desk, given["proposal"], _decision(office.desk, given))


async def _reject(office: Office, given: Arguments) -> str:
    return await reject(office.desk, given["proposal"], _decision(office.desk, given))


async def _close(office: Office, given: Arguments) -> str:
    return await close(office.desk, given["proposal"], _decision(office.desk, given))


def _decision(desk: Desk, given: Arguments) -> Decision:
    """Who decides, why and on what. Raises NotDone when either lacks, or a text is unknown."""
    by, reason = given["by"].strip(), given["reason"].strip()
    if not by or not reason:
        raise NotDone("须写明决定人与理由 / say who decides and why (--by, --reason)")
    return Decision(
        by=by,
        reason=reason,
        clause=cited(desk, given.get("clause"), ("agreement", "clause")),
        article=cited(desk, given.get("article"), ("text", "article")),
    )


async def _renew_data_key(office: Office, given: Arguments) -> str:
    """The next key of the kind; the running gateway puts everything under it by and by."""
    by = _ordered(given)
    year = int(given["year"]) if given.get("year") else office.desk.today.year
    key_id = await renew_keys.renew(office.desk, year if given["kind"] == "record" else None, by)
    return f"{key_id} 已启用，旧钥下的数据由网关逐步改换 / in use; what is older is put under it"


async def _retire_data_key(office: Office, given: Arguments) -> str:
    await renew_keys.retire(office.desk, given["key"], _ordered(given))
    return f"{given['key']} 已销毁 / destroyed"


async def _find_person(office: Office, given: Arguments) -> str:
    identity = Identity(id_no=given["id_no"].strip(), name=given["name"].strip())
    if not identity.id_no or not identity.name:
        raise NotDone("须同时给出身份证号和姓名 / give identity number and name")
    found = await find_person.find_person(office.desk, identity, _ordered(given))
    return found or "查无此人 / nobody"


async def _record_read(office: Office, given: Arguments) -> str:
    by = _ordered(given)
    await find_person.record_read(office.desk, given["what"], given["subject"], by)
    return "已登记 / recorded"


async def _ask_purge(office: Office, given: Arguments) -> str:
    by, years = _ordered(given), office.records_kept_years
    purge_id = await purge_person.ask(office.desk, years, given["person"], by)
    return f"{purge_id} 待另一人确认 / another person confirms it"


async def _confirm_purge(office: Office, given: Arguments) -> str:
    by, years = _ordered(given), office.records_kept_years
    return await purge_person.confirm(office.desk, years, given["purge"], by)


def _ordered(given: Arguments) -> renew_keys.Ordered:
    """Who wants it and why. Raises NotDone when either lacks."""
    by, reason = given["by"].strip(), given["reason"].strip()
    if not by or not reason:
        raise NotDone("须写明办理人与理由 / say who and why (--by, --reason)")
    return renew_keys.Ordered(by, reason)


async def _propose_log(office: Office, given: Arguments) -> str:
    name = await open_log.propose(office.desk, _ordered(given))
    return f"已提出，待另一人批准 / proposed, another person must approve: {name}"


async def _approve_log(office: Office, given: Arguments) -> str:
    name = await open_log.approve(office.desk, _ordered(given))
    return f"已启用新日志，恢复办理 / a new log is open, work goes on: {name}"


async def _set_clock(office: Office, given: Arguments) -> str:
    """Forward only, and only a virtual clock (demo, tests): real business runs on real time."""
    clock, wanted = office.virtual_clock, _instant(given["instant"])
    if clock is None:
        raise NotDone(
            "业务时钟即真实时间，不能拨动 / the business clock is real time: it is not set"
        )
    try:
        clock.move(wanted - clock.now())
    except ValueError:
        raise NotDone("业务时钟不能倒拨 / the business clock never runs backward") from None
    return f"业务时钟 / business clock {wanted.isoformat()}"


def _instant(text: str) -> datetime:
    """An instant with its offset. Raises NotDone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotDone(f"不是时刻 / no instant: {text}") from None
    if found.tzinfo is None:
        raise NotDone(f"时刻须带时区，如 +08:00 / give the offset, as +08:00: {text}")
    return found


def _needed_day(text: str) -> date:
    found = _day(text)
    if found is None:
        raise NotDone("缺少日期 / a day is missing")
    return found


def _day(text: str | None) -> date | None:
    """A day, or none given. Raises NotDone."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotDone(f"不是日期（如 2026-03-02）/ no day (as 2026-03-02): {text}") from None


_ACTS: Final[dict[str, Callable[[Office, Arguments], Awaitable[str]]]] = {
    "party.add": _add_party,
    "party.agreement": _change_agreement,
    "key.enrol": _enrol,
    "key.change": _change_key,
    "mandate.add": _add_mandate,
    "mandate.revoke": _revoke_mandates,
    "catalog.import": _import_catalogue,
    "catalog.correct": _correct_catalogue,
    "readjudication.propose": _readjudicate,
    "readjudication.approve": _approve,
    "readjudication.reject": _reject,
    "readjudication.close": _close,
    "data_key.renew": _renew_data_key,
    "data_key.retire": _retire_data_key,
    "log.propose": _propose_log,
    "log.approve": _approve_log,
    "person.find": _find_person,
    "record.read": _record_read,
    "purge.ask": _ask_purge,
    "purge.confirm": _confirm_purge,
    "clock.set": _set_clock,
}

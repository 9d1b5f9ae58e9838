"""What an operator does to the registry: parties, keys, mandates, editions.

Each act is one transaction with audit row and leaf, in force at once, on live connections
too: every request looks its sender up.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from gateway.clock import micros
from gateway.domain.admission import HoldReason
from gateway.domain.catalogue import Edition
from gateway.domain.party import KeyPurpose, KeyState, Party, PartyKind, RegisteredKey
from gateway.flows import dispatch
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.reached import by_policy, edition_job, policy_job
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import look_again
from gateway.policy.load import archive
from gateway.store import tables
from gateway.store.editions import IN_FORCE, edition_heads, policy_content, policy_in_force
from gateway.store.registry import key_by_fingerprint, keys_of, mandates_of, party_by_id
from gateway.store.rows import canonical, day_text
from gateway.store.stays import stays_held_for
from gateway.store.unit import Change, Insert, KeyTaken, Upsert, Write

_PARTY_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_AREA: Final = re.compile(r"[0-9]{6}")
_STATES: Final = {
    "suspend": (KeyState.SUSPENDED, frozenset({KeyState.ACTIVE})),
    "resume": (KeyState.ACTIVE, frozenset({KeyState.SUSPENDED})),
    "revoke": (KeyState.REVOKED, frozenset({KeyState.ACTIVE, KeyState.SUSPENDED})),
}


class NotDone(Exception):
    """The act was refused; the text says why, in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate the authority issued for a party."""

    fingerprint: str
    pem: str
    valid_from_us: int
    valid_to_us: int


async def _commit(desk: Desk, plan: Plan) -> None:
    await desk.database.commit(job_unit(desk, plan, "operator", {}))
    desk.jobs_ready.set()


async def add_party(desk: Desk, party: Party) -> None:
    """Register a hospital, carrier or the agency.

    Raises NotDone when the id is taken, our own or could not stand in a message, for a
    county that is no code, and for an address to push to that is not https.
    """
    if not _PARTY_ID.fullmatch(party.party_id):
        raise NotDone(
            "机构编号限 64 个字母、数字和 . _ : - / an id is 64 letters, digits and . _ : - at most"
        )
    if party.county and not _AREA.fullmatch(party.county):
        raise NotDone("县级区划代码为六位数字 / a county is a code of six digits")
    if party.party_id == desk.gateway_id:
        raise NotDone(f"{party.party_id} 是本网关的编号 / is the gateway's own id")
    if party.callback_url and not party.callback_url.startswith("https://"):
        raise NotDone("推送地址须为 https:// / the address to push to must be https://")
    row = {
        "party_id": party.party_id,
        "version": 1,
        "kind": party.kind.value,
        "name": party.name,
        "region": party.region,
        "county": party.county,
        "level": party.level.value,
        "agreement_from": day_text(party.agreement_from),
        "agreement_to": day_text(party.agreement_to),
        "suspended_from": None,
        "capabilities": canonical(sorted(party.capabilities)),
        "callback_url": party.callback_url,
    }
    act = Act(action="party.add", subject=party.party_id, to_state=party.kind)
    try:
        await _commit(
            desk,
            applied(subject=party.party_id, writes=(Insert(tables.party, [row]),), acts=(act,)),
        )
    except KeyTaken:
        raise NotDone(f"{party.party_id} 已登记 / is registered already") from None


async def known_party(desk: Desk, party_id: str) -> Party:
    """The party. Raises NotDone when there is none."""
    async with desk.database.reading() as reader:
        found = await party_by_id(reader, party_id)
    if found is None:
        raise NotDone(f"未登记 {party_id} / no such party")
    return found


async def change_agreement(
    desk: Desk, party_id: str, *, suspended_from: date | None, agreement_to: date | None = None
) -> None:
    """Suspend an agreement from a day on, resume it, or end it."""
    party = await known_party(desk, party_id)
    values: dict[str, Any] = {
        "version": party.version + 1,
        "suspended_from": day_text(suspended_from),
    }
    if agreement_to is not None:
        values["agreement_to"] = day_text(agreement_to)
    where = {"party_id": party_id, "version": party.version}
    act = Act(action="party.agreement", subject=party_id, to_state=canonical(values))
    await _commit(
        desk,
        applied(subject=party_id, writes=(Change(tables.party, where, values),), acts=(act,)),
    )


async def refuse_known_key(desk: Desk, party_id: str, same_key: Callable[[str], bool]) -> None:
    """Raises NotDone for a key that the party has registered before, for whatever purpose.

    A key serves one purpose, and one that was revoked never comes back under a new certificate.
    `same_key` tells whether a registered certificate (PEM) is for the key asked about.
    """
    async with desk.database.reading() as reader:
        known = await keys_of(reader, party_id)
    if any(same_key(key.certificate_pem) for key in known):
        raise NotDone(
            "该密钥已登记过，请生成新密钥再申请"
            " / this key was registered before: make a new one and ask again"
        )


async def register_key(
    desk: Desk, party_id: str, purpose: KeyPurpose, certificate: Certified
) -> None:
    """A new key beside the party's older ones: keys overlap until the old one is revoked."""
    await known_party(desk, party_id)
    row = {
        "fingerprint": certificate.fingerprint,
        "party_id": party_id,
        "version": 1,
        "purpose": purpose.value,
        "state": KeyState.ACTIVE.value,
        "certificate_pem": certificate.pem,
        "valid_from_us": certificate.valid_from_us,
        "valid_to_us": certificate.valid_to_us,
        "changed_us": desk.now_us,
    }
    act = Act(
        action="key.enrol", subject=party_id, to_state=KeyState.ACTIVE, code=certificate.fingerprint
    )
    await _commit(
        desk,
        applied(subject=party_id, writes=(Insert(tables.party_key, [row]),), acts=(act,)),
    )


async def change_key(desk: Desk, fingerprint: str, verb: str) -> RegisteredKey:
    """Suspend, resume or revoke a key; a revoked key never comes back. Raises NotDone."""
    async with desk.database.reading() as reader:
        key = await key_by_fingerprint(reader, fingerprint)
    if key is None:
        raise NotDone("未登记该证书 / no such certificate")
    state, allowed = _STATES[verb]
    if key.state not in allowed:
        raise NotDone(
            f"当前状态 {key.state} 不允许 {verb} / {verb} is not allowed from {key.state}"
        )
    where = {"fingerprint": fingerprint, "version": key.version}
    values = {"state": state.value, "version": key.version + 1, "changed_us": desk.now_us}
    act = Act(
        action=f"key.{verb}",
        subject=key.party_id,
        from_state=key.state,
        to_state=state,
        code=fingerprint,
    )
    await _commit(
        desk,
        applied(
            subject=key.party_id, writes=(Change(tables.party_key, where, values),), acts=(act,)
        ),
    )
    return key


async def add_mandate(
    desk: Desk,
    carrier: str,
    hospital: str,
    commands: Sequence[str],
    valid_from: date,
    valid_to: date,
) -> str:
    """A carrier may deliver a hospital's messages for these commands ("*" is all) and days.

    Raises NotDone for parties of another kind, a command that does not exist and a last day
    before the first: such a mandate would allow nothing, and nobody would notice.
    """
    if (await known_party(desk, carrier)).kind is not PartyKind.CARRIER:
        raise NotDone(f"{carrier} 不是代办机构 / is no carrier")
    if (await known_party(desk, hospital)).kind is not PartyKind.HOSPITAL:
        raise NotDone(f"{hospital} 不是医疗机构 / is no hospital")
    unknown = sorted(set(commands) - {"*", *dispatch.COMMANDS})
    if unknown:
        raise NotDone(f"没有这些命令 / no such commands: {', '.join(unknown)}")
    if valid_to < valid_from:
        raise NotDone(f"止期早于起期 / it ends before it begins: {valid_from} – {valid_to}")
    mandate_id = new_id("M")
    row = {
        "mandate_id": mandate_id,
        "version": 1,
        "carrier": carrier,
        "hospital": hospital,
        "commands": canonical(sorted(commands)),
        "valid_from": valid_from.isoformat(),
        "valid_to": valid_to.isoformat(),
        "revoked_from": None,
    }
    act = Act(action="mandate.add", subject=hospital, code=mandate_id, reason=carrier)
    await _commit(
        desk, applied(subject=hospital, writes=(Insert(tables.mandate, [row]),), acts=(act,))
    )
    return mandate_id


async def revoke_mandates(desk: Desk, carrier: str, hospital: str) -> int:
    """End every live mandate of a carrier for a hospital today; the number ended."""
    async with desk.database.reading() as reader:
        found = [
            mandate
            for served, mandate in await mandates_of(reader, carrier)
            if served == hospital and mandate.revoked_from is None
        ]
    writes = tuple(
        Change(
            tables.mandate,
            {"mandate_id": one.mandate_id, "version": one.version},
            {"version": one.version + 1, "revoked_from": desk.today.isoformat()},
        )
        for one in found
    )
    act = Act(action="mandate.revoke", subject=hospital, code=str(len(found)), reason=carrier)
    await _commit(desk, applied(subject=hospital, writes=writes, acts=(act,)))
    return len(found)


async def import_editions(
    desk: Desk,
    editions: Sequence[Edition],
    content: Callable[[Edition], bytes],
    *,
    correcting: bool = False,
) -> list[str]:
    """Store new editions, all or none; what is stored already is left alone.

    An edition that starts inside an open-ended one of its kind ends that one the day before;
    any other overlap is refused (NotDone): nobody could say which rows hold on a day. When
    `correcting`, one of the same first day takes the place of the one that was wrong, for the
    same days; the wrong one stays under its digest, for what it settled.
    """
    action = "catalog.correct" if correcting else "catalog.import"
    async with desk.database.reading() as reader:
        regions = sorted({edition.region for edition in editions})
        heads = [head for region in regions for head in await edition_heads(reader, region)]
        gaps = await stays_held_for(reader, HoldReason.POLICY_GAP)
    stored = {head["digest"] for head in heads}
    fresh = [edition for edition in editions if edition.digest not in stored]
    writes = [
        write
        for edition in fresh
        for write in _edition_writes(desk, edition, heads, content, correcting=correcting)
    ]
    if fresh:
        acts = tuple(Act(action=action, subject=one.digest, code=one.kind) for one in fresh)
        writes += look_again(desk, gaps, action)
        writes.append(edition_job(desk, (one.digest for one in fresh)))
        await _commit(desk, applied(subject="catalogue", writes=tuple(writes), acts=acts))
        desk.shelf.forget()
    return [edition.digest for edition in fresh]


def _edition_writes(
    desk: Desk,
    edition: Edition,
    heads: Sequence[Mapping[str, Any]],
    content: Callable[[Edition], bytes],
    *,
    correcting: bool,
) -> list[Write]:
    kept = content(edition)
    same = (edition.region, edition.kind.value)
    kind = [head for head in heads if (head["region"], head["kind"]) == same]
    wrong = [head for head in kind if correcting and _same_first_day(edition, head)]
    if wrong:
        # For the same days as the one that was wrong; digest and content stay as imported.
        end = wrong[0]["valid_to"]
        edition = replace(edition, valid_to=None if end is None else date.fromisoformat(end))
    writes: list[Write] = [_corrected(head) for head in wrong]
    writes += [
        _ended_before(edition, head)
        for head in kind
        if head not in wrong and _overlap(edition, head)
    ]
    row = {
        "digest": edition.digest,
        "region": edition.region,
        "kind": edition.kind.value,
        "valid_from": edition.valid_from.isoformat(),
        "valid_to": day_text(edition.valid_to),
        "imported_us": desk.now_us,
        "content": kept,
        "live": 1,
    }
    # One that was itself corrected before may come back.
    return [*writes, Upsert(tables.catalogue_edition, [row])]


def _same_first_day(edition: Edition, head: Mapping[str, Any]) -> bool:
    return bool(head["valid_from"] == edition.valid_from.isoformat())


def _corrected(head: Mapping[str, Any]) -> Change:
    """The edition that was wrong is in force no more."""
    return Change(tables.catalogue_edition, {"digest": head["digest"], "live": 1}, {"live": None})


def _overlap(edition: Edition, head: Mapping[str, Any]) -> bool:
    starts_before_ours_ends = (
        edition.valid_to is None or head["valid_from"] <= edition.valid_to.isoformat()
    )
    ends_after_ours_starts = (
        head["valid_to"] is None or head["valid_to"] >= edition.valid_from.isoformat()
    )
    return starts_before_ours_ends and ends_after_ours_starts


def _ended_before(edition: Edition, head: Mapping[str, Any]) -> Change:
    """The open-ended edition ends the day before its successor. Raises NotDone otherwise."""
    if head["valid_to"] is not None or head["valid_from"] >= edition.valid_from.isoformat():
        span = f"{head['valid_from']}–{head['valid_to'] or ''}"
        zh, en = f"与已有的目录版本（{span}）重叠", f"overlaps the edition of {span}"
        raise NotDone(f"{edition.kind}: {zh} / {en}")
    last = (edition.valid_from - timedelta(days=1)).isoformat()
    where = {"digest": head["digest"], "valid_to": None}
    return Change(tables.catalogue_edition, where, {"valid_to": last})


async def keep_policy(desk: Desk) -> str:
    """The policy edition in use is stored whole under its digest, once; what it reaches of what
    was settled before, in words for the operator, when another was in force until now: one
    that was kept before, to try it or until it was replaced, is looked at like a new one."""
    async with desk.database.reading() as reader:
        if await policy_in_force(reader) == desk.policy.digest:
            return ""
        kept = await policy_content(reader, desk.policy.digest) is not None
        reached, replaced = await by_policy(reader, desk.policy)
    row = {
        "digest": desk.policy.digest,
        "region": desk.region,
        "stored_us": desk.now_us,
        "content": archive(desk.region),
    }
    act = Act(action=IN_FORCE, subject=desk.policy.digest, reason=reached)
    editions = () if kept else (Insert(tables.policy_edition, [row]),)
    jobs = (policy_job(desk, replaced),) if reached or replaced else ()
    writes = *editions, *jobs
    plan = applied(subject="policy", writes=writes, acts=(act,))
    # Another process that starts beside us may be the first to keep it.
    with suppress(KeyTaken):
        await _commit(desk, plan)
    return reached


def certified(fingerprint: str, pem: str, not_before: Any, not_after: Any) -> Certified:
    """A certificate as the registry keeps it; both instants are aware datetimes."""
    return Certified(fingerprint, pem, micros(not_before), micros(not_after))

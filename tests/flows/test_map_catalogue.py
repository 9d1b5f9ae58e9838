"""A hospital maps its own codes; lines are priced by what the agency accepted of them."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.bill import BillLine
from gateway.domain.case import ApprovalKind, AuthorityKind, TreatmentKind
from gateway.domain.catalogue import Kind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    DecideApproval,
    DecideMappings,
    DownloadCatalogue,
    MapCatalogue,
    QueryFees,
    QueryMappings,
    UploadFees,
    VoidFees,
)
from gateway.domain.mapping import Mapping, MappingClaim, MappingDecision, MappingState
from gateway.store import tables
from gateway.store.frozen import thawed_facts
from gateway.store.settlements import settlement_of
from tests.flows.office import AGENCY, DAY, Heard, Office, at_barrier
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

YEAR = date(2026, 1, 1)
MARCH = date(2026, 3, 2)


def claim(code: str = "I0001", **given: Any) -> MappingClaim:
    values: dict[str, Any] = {
        "hospital_code": "HY-1",
        "hospital_name": "换药",
        "code": code,
        "kind": Kind.ITEM,
        "valid_from": YEAR,
    }
    return MappingClaim(**(values | given))


async def mapping(office: Office, *rows: MappingClaim, hospital: str = "H001") -> Heard:
    return await office.say(hospital, "catalog.map", MapCatalogue(rows=rows))


async def mappings(office: Office, hospital: str = "H001", **asked: Any) -> Sequence[Mapping]:
    heard = await office.say(hospital, "mapping.query", QueryMappings(**asked))
    found: Sequence[Mapping] = heard.result.mappings
    return found


async def review(
    office: Office,
    *rows: tuple[str, date],
    accepted: bool = True,
    hospital: str = "H001",
    **given: Any,
) -> Heard:
    """The agency decides each mapping at the version it is in now."""
    known = {one.key: one for one in await mappings(office, hospital)}
    decided = tuple(
        MappingDecision(
            hospital_code=code,
            valid_from=day,
            version=known[code, day].version,
            accepted=accepted,
            **({"reason": "" if accepted else "名称不符"} | given),
        )
        for code, day in rows
    )
    command = DecideMappings(hospital=hospital, by="虚构审核", rows=decided)
    return await office.say(AGENCY, "mapping.decide", command)


async def accepted(office: Office, *rows: MappingClaim, hospital: str = "H001") -> None:
    heard = await mapping(office, *rows, hospital=hospital)
    assert [one.status for one in heard.result.answers] == ["accepted"] * len(rows)
    decided = [(row.hospital_code, row.valid_from) for row in rows]
    assert (await review(office, *decided, hospital=hospital)).code == "OK"


def own(line_id: str = "L1", code: str = "HY-1", day: date = DAY, **given: Any) -> BillLine:
    """A line that carries the hospital's own code only."""
    line = bill_line(line_id, "", "12.00", "2", day)
    return line._replace(**({"hospital_code": code, "name": "换药"} | given))


async def stay_of(office: Office, hospital: str = "H001") -> str:
    await office.recognised("C1", 1)
    stay: str = (await office.register(hospital, "V1", 1)).result.admission_id
    return stay


def told(heard: Heard) -> list[tuple[str, str, str]]:
    return [
        (one.line_id, one.status, one.finding.code if one.finding else "")
        for one in heard.result.answers
    ]


async def history(office: Office) -> list[tuple[str, str, int]]:
    query = select(tables.mapping_history).order_by(
        tables.mapping_history.c.hospital_code,
        tables.mapping_history.c.valid_from,
        tables.mapping_history.c.version,
    )
    rows = await office.rows(query)
    return [(row["hospital_code"], row["valid_from"], row["version"]) for row in rows]


# --- lines ---


async def test_a_line_with_an_accepted_code_is_kept_and_settled_with_both_codes(
    office: Office,
) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own())) == [("L1", "accepted", "")]
    (kept,) = (await office.say("H001", "fees.query", QueryFees(admission_id=stay))).result.lines
    assert (kept.code, kept.hospital_code) == ("I0001", "HY-1")
    await office.discharge("H001", stay)
    settled = await office.commit("H001", stay, kept)
    assert (settled.code, settled.result.split.fund_fen) == ("OK", 2400)


async def test_a_settlement_freezes_both_codes(office: Office) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    await office.upload("H001", stay, own())
    await office.discharge("H001", stay)
    await office.commit("H001", stay, own())
    async with office.desk.database.reading() as reader:
        (row,) = await reader.rows(select(tables.settlement))
        (line,) = thawed_facts(settlement_of(reader, row)["detail"]).lines
    assert (line.code, line.hospital_code) == ("I0001", "HY-1")


async def test_an_unmapped_line_is_rejected_with_candidates_and_the_good_one_stays(
    office: Office,
) -> None:
    stay = await stay_of(office)
    good = bill_line("L2", "I0001", "12.00", "1", DAY)
    heard = await office.upload("H001", stay, own(), good)
    assert told(heard) == [("L1", "rejected", "LINE_CODE_UNMAPPED"), ("L2", "accepted", "")]
    assert heard.result.kept_count == 1
    (first, *_) = heard.result.answers[0].candidates
    assert 0 < first.likeness <= 100
    assert first.edition
    assert heard.result.answers[1].candidates == ()


async def test_an_unreviewed_mapping_prices_nothing(office: Office) -> None:
    await mapping(office, claim())
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own())) == [
        ("L1", "rejected", "LINE_CODE_UNREVIEWED")
    ]


async def test_a_refused_mapping_prices_nothing(office: Office) -> None:
    await mapping(office, claim())
    await review(office, ("HY-1", YEAR), accepted=False)
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own())) == [
        ("L1", "rejected", "LINE_CODE_REFUSED")
    ]


async def test_a_withdrawn_mapping_is_none(office: Office) -> None:
    await mapping(office, claim())
    await mapping(office, claim(withdrawn=True))
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own())) == [
        ("L1", "rejected", "LINE_CODE_UNMAPPED")
    ]


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 2, 28), "LINE_CODE_EXPIRED"),
        (date(2026, 3, 1), ""),
        (date(2026, 3, 2), ""),
        (date(2026, 3, 3), "LINE_CODE_EXPIRED"),
    ],
)
async def test_a_mapping_holds_from_its_first_to_its_last_day(
    office: Office, day: date, code: str
) -> None:
    await accepted(office, claim(valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 2)))
    stay = await stay_of(office)
    office.move_to(date(2026, 3, 4))
    ((_, _, found),) = told(await office.upload("H001", stay, own(day=day)))
    assert found == code


async def test_each_day_has_the_code_that_held_on_it(office: Office) -> None:
    await accepted(office, claim("I0001"))
    await accepted(office, claim("I0002", valid_from=MARCH))
    stay = await stay_of(office)
    await office.upload("H001", stay, own("L1", day=date(2026, 3, 1)), own("L2", day=MARCH))
    lines = (await office.say("H001", "fees.query", QueryFees(admission_id=stay))).result.lines
    assert [one.code for one in lines] == ["I0001", "I0002"]


async def test_both_codes_must_agree(office: Office) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    heard = await office.upload("H001", stay, own("L1", code="HY-1"), own("L2"))
    assert [one for _, one, _ in told(heard)] == ["accepted", "accepted"]
    right, wrong = own("L3")._replace(code="I0001"), own("L4")._replace(code="I0002")
    assert told(await office.upload("H001", stay, right, wrong)) == [
        ("L3", "accepted", ""),
        ("L4", "rejected", "LINE_CODE_CONFLICT"),
    ]


async def test_a_line_without_any_code_is_rejected(office: Office) -> None:
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own(code=""))) == [
        ("L1", "rejected", "LINE_CODE_MISSING")
    ]


async def test_a_national_code_needs_no_mapping_even_when_the_hospital_uses_it_for_another(
    office: Office,
) -> None:
    await accepted(office, claim("I0002", hospital_code="I0001"))
    stay = await stay_of(office)
    await office.upload("H001", stay, bill_line("L1", "I0001", "12.00", "1", DAY))
    (kept,) = (await office.say("H001", "fees.query", QueryFees(admission_id=stay))).result.lines
    assert (kept.code, kept.hospital_code) == ("I0001", "")


def refund(line_id: str, of: str, **given: Any) -> BillLine:
    line = own(line_id, **given)
    return line._replace(quantity=-10000, amount_fen=-1200, refund_of=of)


async def test_a_refund_has_its_originals_code_though_the_mapping_has_changed(
    office: Office,
) -> None:
    await accepted(office, claim("I0001"))
    await accepted(office, claim("I0002", valid_from=date(2026, 3, 3)))
    stay = await stay_of(office)
    await office.upload("H001", stay, own("L1", day=MARCH))
    office.move_to(date(2026, 3, 4))
    heard = await office.upload("H001", stay, refund("L2", "L1", day=date(2026, 3, 4)))
    assert told(heard) == [("L2", "accepted", "")]


async def test_a_refund_of_a_line_that_came_with_its_national_code_is_read_on_that_lines_day(
    office: Office,
) -> None:
    await accepted(office, claim("I0001"))
    await accepted(office, claim("I0002", valid_from=date(2026, 3, 3)))
    stay = await stay_of(office)
    await office.upload("H001", stay, bill_line("L1", "I0001", "12.00", "2", MARCH))
    office.move_to(date(2026, 3, 4))
    heard = await office.upload("H001", stay, refund("L2", "L1", day=date(2026, 3, 4)))
    assert told(heard) == [("L2", "accepted", "")]


async def test_a_line_priced_before_keeps_its_code_when_the_mapping_ends(office: Office) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    await office.upload("H001", stay, own())
    await mapping(office, claim(valid_to=date(2026, 2, 1)))
    (kept,) = (await office.say("H001", "fees.query", QueryFees(admission_id=stay))).result.lines
    assert kept.code == "I0001"
    assert told(await office.upload("H001", stay, own("L2"))) == [
        ("L2", "rejected", "LINE_CODE_EXPIRED")
    ]


async def test_another_hospitals_mapping_is_none_of_ours(office: Office) -> None:
    await accepted(office, claim(), hospital="H002")
    stay = await stay_of(office)
    assert told(await office.upload("H001", stay, own())) == [
        ("L1", "rejected", "LINE_CODE_UNMAPPED")
    ]
    assert await mappings(office, "H001") == ()


async def test_a_line_that_was_void_is_read_anew(office: Office) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    await office.upload("H001", stay, own())
    void = VoidFees(admission_id=stay, line_ids=("L1",), reason="虚构")
    await office.say("H001", "fees.void", void)
    await review(office, ("HY-1", YEAR), accepted=False)
    assert told(await office.upload("H001", stay, own())) == [
        ("L1", "rejected", "LINE_CODE_REFUSED")
    ]


async def test_a_mapping_taken_back_meanwhile_prices_nothing_in_an_upload_it_raced(
    office: Office,
) -> None:
    await accepted(office, claim())
    stay = await stay_of(office)
    desk, barrier = at_barrier(office.desk)
    upload = UploadFees(admission_id=stay, lines=(own(),))
    request = await office.request("H001", "fees.upload", upload)
    asked = asyncio.ensure_future(office.hear(request, desk))
    await barrier.until(1)
    await review(office, ("HY-1", YEAR), accepted=False)
    barrier.open()
    assert told(await asked) == [("L1", "rejected", "LINE_CODE_REFUSED")]


async def test_two_first_messages_of_a_hospital_are_both_kept(office: Office) -> None:
    desk, _ = at_barrier(office.desk)
    rows = [claim(hospital_code=f"HY-{number}") for number in (1, 2)]
    asked = [await office.request("H001", "catalog.map", MapCatalogue(rows=(row,))) for row in rows]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in asked))
    assert [one.code for one in heard] == ["OK", "OK"]
    assert [one.hospital_code for one in await mappings(office)] == ["HY-1", "HY-2"]


async def test_two_claims_of_the_same_days_do_not_both_win(office: Office) -> None:
    await mapping(office, claim(hospital_code="HY-0"))
    desk, _ = at_barrier(office.desk)
    rows = [claim("I0001"), claim("I0002", valid_from=MARCH)]
    asked = [await office.request("H001", "catalog.map", MapCatalogue(rows=(row,))) for row in rows]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in asked))
    found = sorted(code for one in heard for _, code in statuses(one))
    assert found == ["", "MAPPING_OVERLAP"]


# --- what a hospital may claim ---


def statuses(heard: Heard) -> list[tuple[str, str]]:
    return [(one.status, one.finding.code if one.finding else "") for one in heard.result.answers]


async def test_a_claim_waits_and_is_shown_to_the_agency(office: Office) -> None:
    heard = await mapping(office, claim())
    (answer,) = heard.result.answers
    assert (answer.status, answer.state, answer.version) == ("accepted", MappingState.PENDING, 1)
    query = select(tables.outbox).where(tables.outbox.c.command == "mapping.received")
    (row,) = await office.kept(tables.outbox, query)
    _, notice = office.opened(AGENCY, row["sealed"])
    assert [(one.hospital_code, one.code) for one in notice.mappings] == [("HY-1", "I0001")]


async def test_each_row_is_answered_by_itself(office: Office) -> None:
    rows = (
        claim(),
        claim("NOT-THERE", hospital_code="HY-2"),
        claim(hospital_code="HY-3", valid_to=date(2025, 12, 31)),
        claim(),
        claim(hospital_code="HY-4", valid_from=date(1999, 1, 1)),
        claim(hospital_code="HY-5", withdrawn=True),
    )
    heard = await mapping(office, *rows)
    assert statuses(heard) == [
        ("accepted", ""),
        ("rejected", "MAPPING_CODE_UNKNOWN"),
        ("rejected", "MAPPING_DAYS"),
        ("rejected", "MAPPING_REPEATED"),
        ("rejected", "EDITION_NOT_FOUND"),
        ("rejected", "MAPPING_NOT_FOUND"),
    ]
    assert heard.result.answers[1].candidates
    assert [one.hospital_code for one in await mappings(office)] == ["HY-1"]


async def test_a_national_code_of_another_kind_is_unknown(office: Office) -> None:
    heard = await mapping(office, claim(kind=Kind.MATERIAL))
    assert statuses(heard) == [("rejected", "MAPPING_CODE_UNKNOWN")]


async def test_the_same_said_twice_changes_nothing(office: Office) -> None:
    await mapping(office, claim())
    assert statuses(await mapping(office, claim())) == [("unchanged", "")]
    assert await history(office) == [("HY-1", "2026-01-01", 1)]


async def test_a_claim_that_waits_may_be_replaced(office: Office) -> None:
    await mapping(office, claim())
    assert statuses(await mapping(office, claim("I0002"))) == [("replaced", "")]
    (kept,) = await mappings(office)
    assert (kept.code, kept.version, kept.state) == ("I0002", 2, MappingState.PENDING)
    assert await history(office) == [("HY-1", "2026-01-01", 1), ("HY-1", "2026-01-01", 2)]


async def test_a_refused_claim_is_claimed_anew_with_other_content(office: Office) -> None:
    await mapping(office, claim())
    await review(office, ("HY-1", YEAR), accepted=False)
    assert statuses(await mapping(office, claim())) == [("unchanged", "")]
    assert statuses(await mapping(office, claim("I0002"))) == [("replaced", "")]
    (kept,) = await mappings(office)
    assert (kept.state, kept.reason) == (MappingState.PENDING, "")


async def test_what_was_accepted_changes_only_its_end_and_only_backwards(office: Office) -> None:
    await accepted(office, claim(valid_to=date(2026, 6, 30)))
    for other in (
        claim("I0002", valid_to=date(2026, 6, 30)),
        claim(hospital_name="换药（大）", valid_to=date(2026, 6, 30)),
        claim(valid_to=date(2026, 7, 1)),
        claim(),
        claim(withdrawn=True),
    ):
        assert statuses(await mapping(office, other)) == [("rejected", "MAPPING_ACCEPTED")]
    assert statuses(await mapping(office, claim(valid_to=date(2026, 6, 29)))) == [("replaced", "")]
    (kept,) = await mappings(office)
    assert (kept.valid_to, kept.state) == (date(2026, 6, 29), MappingState.ACCEPTED)


async def test_a_successor_ends_the_one_before_it_when_it_is_accepted_not_sooner(
    office: Office,
) -> None:
    await accepted(office, claim("I0001"))
    await mapping(office, claim("I0002", valid_from=MARCH))
    first, _ = await mappings(office)
    assert first.valid_to is None
    await review(office, ("HY-1", MARCH))
    first, second = await mappings(office)
    assert (first.valid_to, second.valid_to) == (date(2026, 3, 1), None)
    assert await history(office) == [
        ("HY-1", "2026-01-01", 1),
        ("HY-1", "2026-01-01", 2),
        ("HY-1", "2026-01-01", 3),
        ("HY-1", "2026-03-02", 1),
        ("HY-1", "2026-03-02", 2),
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"valid_from": date(2026, 2, 1), "valid_to": date(2026, 2, 28)}, "MAPPING_OVERLAP"),
        ({"valid_from": date(2025, 6, 1)}, "MAPPING_OVERLAP"),
        ({"valid_from": date(2025, 6, 1), "valid_to": date(2026, 1, 1)}, "MAPPING_OVERLAP"),
        ({"valid_from": date(2025, 6, 1), "valid_to": date(2025, 12, 31)}, ""),
        ({"valid_from": date(2026, 6, 30)}, ""),
        ({"valid_from": date(2026, 7, 1)}, ""),
    ],
)
async def test_a_code_stands_for_one_thing_on_a_day(
    office: Office, given: dict[str, Any], code: str
) -> None:
    await accepted(office, claim("I0001", valid_to=date(2026, 6, 30)))
    ((_, found),) = statuses(await mapping(office, claim("I0002", **given)))
    assert found == code


async def test_two_claims_that_wait_do_not_share_a_day(office: Office) -> None:
    await mapping(office, claim("I0001"))
    heard = await mapping(office, claim("I0002", valid_from=MARCH))
    assert statuses(heard) == [("rejected", "MAPPING_OVERLAP")]


# --- what the agency decides ---


async def test_the_hospital_learns_of_the_review(office: Office) -> None:
    await mapping(office, claim())
    await review(office, ("HY-1", YEAR), accepted=False)
    query = select(tables.outbox).where(tables.outbox.c.command == "mapping.changed")
    (row,) = await office.kept(tables.outbox, query)
    _, notice = office.opened("H001", row["sealed"])
    assert [(one.state, one.reason) for one in notice.mappings] == [
        (MappingState.REFUSED, "名称不符")
    ]


async def test_a_refusal_without_a_reason_is_refused(office: Office) -> None:
    await mapping(office, claim())
    heard = await review(office, ("HY-1", YEAR), accepted=False, reason="")
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "REASON_MISSING")


async def test_the_agency_decides_what_it_saw(office: Office) -> None:
    await mapping(office, claim())
    await mapping(office, claim("I0002"))
    seen = MappingDecision(hospital_code="HY-1", valid_from=YEAR, version=1, accepted=True)
    command = DecideMappings(hospital="H001", by="虚构审核", rows=(seen,))
    heard = await office.say(AGENCY, "mapping.decide", command)
    assert (heard.code, heard.result.findings[0].expected) == ("MAPPING_CHANGED", "2")


async def test_all_decisions_or_none(office: Office) -> None:
    await mapping(office, claim())
    rows = tuple(
        MappingDecision(hospital_code=code, valid_from=YEAR, version=1, accepted=True)
        for code in ("HY-1", "HY-9")
    )
    command = DecideMappings(hospital="H001", by="虚构审核", rows=rows)
    assert (await office.say(AGENCY, "mapping.decide", command)).code == "MAPPING_NOT_FOUND"
    assert [one.state for one in await mappings(office)] == [MappingState.PENDING]


async def test_an_acceptance_can_be_taken_back_and_given_again(office: Office) -> None:
    await accepted(office, claim())
    await review(office, ("HY-1", YEAR), accepted=False)
    assert [one.state for one in await mappings(office)] == [MappingState.REFUSED]
    await review(office, ("HY-1", YEAR))
    assert [(one.state, one.version) for one in await mappings(office)] == [
        (MappingState.ACCEPTED, 4)
    ]


async def test_what_was_refused_is_not_accepted_beside_a_newer_claim(office: Office) -> None:
    await mapping(office, claim())
    await review(office, ("HY-1", YEAR), accepted=False)
    await mapping(office, claim("I0002", valid_from=MARCH))
    assert (await review(office, ("HY-1", YEAR))).code == "MAPPING_OVERLAP"


async def test_a_page_goes_on_where_it_was_left(office: Office) -> None:
    await accepted(office, claim(), claim(hospital_code="HY-2"))
    await mapping(office, claim("I0002", valid_from=MARCH))
    keys = [one.key for one in await mappings(office)]
    assert keys == [("HY-1", YEAR), ("HY-1", MARCH), ("HY-2", YEAR)]
    rest = await mappings(office, after_code="HY-1", after_from=YEAR)
    assert [one.key for one in rest] == keys[1:]
    assert [one.key for one in await mappings(office, after_code="HY-1")] == keys[2:]
    waiting = await mappings(office, state=MappingState.PENDING)
    assert [one.key for one in waiting] == [("HY-1", MARCH)]


async def test_the_agency_sees_the_hospital_that_it_names(office: Office) -> None:
    await mapping(office, claim())
    asked = QueryMappings(hospital="H001")
    heard = await office.say(AGENCY, "mapping.query", asked)
    assert [one.hospital for one in heard.result.mappings] == ["H001"]


# --- a hospital of another province ---------------------------------------------------------------

FAR = "H900"
_HEADER = "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary"


async def far_hospital(office: Office, folder: Path, *capabilities: str) -> None:
    """A hospital of another province, whose catalogue of items has a code of its own."""
    given = {"region": "330800", "capabilities": ["MEDICAL", "CROSS_PROVINCE", *capabilities]}
    await office.hospital(FAR, **given)
    file = folder / "items.csv"
    file.write_text(
        f"{_HEADER},ceiling,remark\nitem,LOCAL-1,外省换药,次,yes,60.00,,,,\n", encoding="utf-8"
    )
    imported = {"path": str(file), "valid_from": "2025-01-01", "region": "330800"}
    await office.act("catalog.import", **imported)


async def test_a_far_hospital_maps_to_the_catalogue_that_its_bills_are_computed_by(
    office: Office, tmp_path: Path
) -> None:
    await far_hospital(office, tmp_path)
    ours = await mapping(office, claim("I0001", hospital_name="外省换药"), hospital=FAR)
    (told_of,) = ours.result.answers
    assert (told_of.status, told_of.finding.code) == ("rejected", "MAPPING_CODE_UNKNOWN")
    assert [one.code for one in told_of.candidates] == ["LOCAL-1"]
    theirs = await mapping(office, claim("LOCAL-1"), hospital=FAR)
    assert statuses(theirs) == [("accepted", "")]
    page = await office.say(FAR, "catalog.download", DownloadCatalogue(kind=Kind.ITEM, day=DAY))
    assert [row.code for row in page.result.rows] == ["LOCAL-1"]


async def test_a_far_hospital_that_fits_devices_may_map_to_our_catalogue_too(
    office: Office, tmp_path: Path
) -> None:
    await far_hospital(office, tmp_path, "DEVICE")
    device = claim("A0002", hospital_code="HY-2", kind=Kind.MATERIAL)
    heard = await mapping(office, claim("LOCAL-1"), device, hospital=FAR)
    assert statuses(heard) == [("accepted", ""), ("accepted", "")]


@pytest.mark.parametrize(
    ("treatment", "code"), [(TreatmentKind.INPATIENT, "LOCAL-1"), (TreatmentKind.DEVICE, "I")]
)
async def test_candidates_of_a_far_hospitals_line_are_of_the_bills_own_catalogue(
    office: Office, tmp_path: Path, treatment: TreatmentKind, code: str
) -> None:
    await far_hospital(office, tmp_path, "DEVICE")
    await office.recognised("C1", 1)
    filed = DecideApproval(
        case_no="C1",
        approval_no="P1",
        kind=ApprovalKind.CROSS_PROVINCE,
        granted=True,
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 6, 30),
        authority_kind=AuthorityKind.AGENCY,
        authority="示例市（虚构）",
        area="330800",
        by="虚构",
        reason="虚构",
    )
    assert (await office.say(AGENCY, "approval.decide", filed)).outcome is Outcome.APPLIED
    heard = await office.register(FAR, "V1", 1, treatment=treatment)
    upload = await office.upload(FAR, heard.result.admission_id, own(name="换药"))
    (answer,) = upload.result.answers
    assert answer.finding.code == "LINE_CODE_UNMAPPED"
    assert {one.code.startswith(code) for one in answer.candidates} == {True}

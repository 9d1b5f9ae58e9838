"""Every check on both sides of its limit, and the probes run together."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway import health
from gateway.clock import SystemClock, machine_now, micros
from gateway.health import Check, Facts, Health, Status
from gateway.policy.model import Dated, Law, PickedBy, Unit, Value
from gateway.settings import Settings
from gateway.store.calendar import Calendar
from gateway.store.health import Held, Lane
from tests.certificates import pair

NOW = datetime(2026, 3, 2, tzinfo=UTC)
MIB = 1024 * 1024


def at(check: Check) -> Status:
    assert check.zh
    assert check.en
    return check.status


# --- single checks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "status"),
    [(99, Status.FAIL), (100, Status.WARN), (199, Status.WARN), (200, Status.PASS)],
)
def test_the_disk_warns_below_twice_the_least_and_fails_below_the_least(free, status) -> None:
    assert at(health.disk(free * MIB, 100 * MIB)) is status


@pytest.mark.parametrize(
    ("days", "status"),
    [
        ((-1, 31), Status.PASS),
        ((-1, 29), Status.WARN),
        ((-1.5, -0.5), Status.FAIL),
        ((1, 31), Status.FAIL),
    ],
    ids=["living", "near its end", "expired", "not yet valid"],
)
def test_a_certificate_is_judged_by_its_days_left(tmp_path, days, status) -> None:
    made = pair(tmp_path, "server", "tls_server", days=days)
    check, left_s = health.certificate("server", made.certificate, [machine_now()])
    assert at(check) is status
    assert (left_s > 0) is (status is not Status.FAIL)


@pytest.mark.parametrize("ahead", [-100, 400], ids=["business clock behind", "and ahead"])
def test_a_certificate_must_be_valid_by_the_business_clock_too(tmp_path, ahead) -> None:
    made = pair(tmp_path, "signer", "message")
    nows = [machine_now(), machine_now() + timedelta(days=ahead)]
    assert at(health.certificate("signer", made.certificate, nows)[0]) is Status.FAIL
    assert at(health.certificate("signer", made.certificate, nows[:1])[0]) is Status.PASS


@pytest.mark.parametrize("content", [None, b"not a certificate"])
def test_a_certificate_that_cannot_be_read_fails_without_naming_its_folder(
    tmp_path, content
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    check, left_s = health.certificate("ca", path, [machine_now()])
    assert (at(check), left_s) == (Status.FAIL, 0)
    assert str(tmp_path) not in check.zh + check.en


def lane(age: timedelta, channel: str = "push", receiver: str = "AGENCY") -> Lane:
    return Lane(receiver, channel, 1, micros(NOW - age))


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(minutes=14, seconds=59), Status.PASS),
        (timedelta(minutes=15), Status.WARN),
        (timedelta(hours=23, minutes=59), Status.WARN),
        (timedelta(hours=24), Status.FAIL),
    ],
)
def test_a_lane_warns_after_a_quarter_and_fails_after_a_day(age, status) -> None:
    check = health.lane_age([lane(timedelta(0), receiver="H1"), lane(age)], NOW)
    assert at(check) is status
    assert "AGENCY" in check.en


def test_what_a_receiver_fetches_itself_is_not_late() -> None:
    fetched = lane(timedelta(days=9), channel=health.FETCHED)
    assert at(health.lane_age([fetched], NOW)) is Status.PASS


def test_held_bills_are_told_with_their_age_and_are_no_fault() -> None:
    check = health.held_bills(Held(3, micros(NOW - timedelta(days=40))), NOW)
    assert (at(check), check.observed) == (Status.PASS, 3)
    assert "40 天" in check.zh
    assert at(health.held_bills(Held(0, None), NOW)) is Status.PASS


def test_the_schema_must_be_the_one_of_this_program() -> None:
    served = ("0002", "0003")
    assert at(health.migrations("0002", served)) is Status.PASS
    assert at(health.migrations("0003", served)) is Status.WARN
    assert at(health.migrations("0001", served)) is Status.FAIL
    assert at(health.migrations("0004", served)) is Status.FAIL
    assert at(health.migrations(None, served)) is Status.FAIL


def test_a_year_without_calendar_only_warns() -> None:
    days = Calendar()
    assert at(health.calendar(days, days.last)) is Status.PASS
    assert at(health.calendar(days, days.last + timedelta(days=1))) is Status.WARN


def dated(confirmed_on: date | None, *, ended: bool = False) -> Dated:
    value = Value(date(2011, 1, 1), None if ended else 1, Law("t", "第一条"), ended=ended)
    return Dated("meal/per_day", Unit.FEN, PickedBy.SERVICE_DATE, "d", confirmed_on, (value,))


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (dated(date(2026, 3, 2) - timedelta(days=400)), Status.PASS),
        (dated(date(2026, 3, 2) - timedelta(days=401)), Status.WARN),
        (dated(None), Status.WARN),
        (dated(date(2026, 3, 2)), Status.PASS),
        (dated(date(2026, 3, 2) + timedelta(days=400)), Status.PASS),
        (dated(date(2026, 3, 2) + timedelta(days=401)), Status.WARN),
        (dated(None, ended=True), Status.PASS),
    ],
    ids=["400 days", "401 days", "never", "today", "ahead", "far ahead", "abolished"],
)
def test_a_value_of_the_law_is_looked_at_every_400_days(value, status) -> None:
    assert at(health.law([value], date(2026, 3, 2))) is status


# --- probes ---------------------------------------------------------------------------------------


async def works() -> None:
    return None


async def breaks() -> None:
    raise OSError("110101199003071233")


async def hangs() -> None:
    await asyncio.sleep(60)


async def test_a_commit_is_timed_and_its_failure_shows_no_text() -> None:
    good = await health.commit_probe(works)()
    assert at(good.checks[0]) is Status.PASS
    assert good.commit_s is not None
    bad = await health.commit_probe(breaks)()
    assert at(bad.checks[0]) is Status.FAIL
    assert "110101199003071233" not in str(bad.checks)


async def test_every_probe_of_a_healthy_gateway_passes(tmp_path) -> None:
    clock = SystemClock.starting_at(NOW)
    settings = Settings(data_dir=tmp_path, region="999900")
    settings.trust_dir.mkdir()
    for purpose in health.PURPOSES:
        pair(settings.trust_dir, purpose, "message")
    clock.move(machine_now() - clock.now())

    async def lanes() -> list[Lane]:
        return [Lane("AGENCY", "push", 2, micros(clock.now()))]

    async def held() -> Held:
        return Held(4, None)

    async def current() -> str:
        return "0001"

    probes = [
        ("commit", health.commit_probe(works)),
        ("disk", health.disk_probe(tmp_path, 1)),
        (
            "certificates",
            health.certificates_probe(health.certificate_files(settings), clock),
        ),
        ("lanes", health.lanes_probe(lanes, clock)),
        ("held", health.held_probe(held, clock)),
        ("migrations", health.migrations_probe(current, ("0001", "0002"))),
        ("calendar", health.calendar_probe(Calendar(), clock)),
        ("invariants", health.invariants_probe(lambda: 0, lambda: False)),
        ("law", health.law_probe([dated(clock.now().date())], clock)),
    ]
    facts = await Health(probes).facts()
    assert facts.status is Status.PASS
    assert [check.name for check in facts.checks] == [
        "commit",
        "disk",
        "certificate.ca",
        "certificate.server",
        "certificate.client",
        "certificate.signer",
        "lanes",
        "held",
        "migrations",
        "calendar",
        "invariants",
        "law",
    ]
    assert facts.held_bills == 4
    assert [purpose for purpose, _ in facts.certificates_s] == list(health.PURPOSES)
    assert facts.lanes[0].depth == 2


async def test_a_broken_invariant_fails_and_a_night_to_come_does_not() -> None:
    for breaches, status in ((None, Status.PASS), (0, Status.PASS), (3, Status.FAIL)):
        facts = await health.invariants_probe(lambda found=breaches: found, lambda: False)()
        assert (facts.status, facts.breaches) == (status, breaches or 0)


async def test_a_probe_that_breaks_or_hangs_is_a_failed_check_and_stops_no_other() -> None:
    probes = [
        ("broken", breaks),
        ("hanging", hangs),
        ("disk", health.commit_probe(works)),
    ]
    facts = await Health(probes, patience_s=0.05).facts()
    assert [check.status for check in facts.checks] == [Status.FAIL, Status.FAIL, Status.PASS]
    assert "110101199003071233" not in str(facts.checks)


async def test_asking_often_probes_once_and_later_again() -> None:
    asked = 0

    async def probe() -> Facts:
        nonlocal asked
        asked += 1
        return Facts()

    kept = Health([("p", probe)], fresh_s=60)
    await asyncio.gather(*(kept.facts() for _ in range(10)))
    assert asked == 1
    fresh = Health([("p", probe)], fresh_s=0)
    await fresh.facts()
    await fresh.facts()
    assert asked == 3


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], Status.PASS),
        ([Status.PASS, Status.WARN], Status.WARN),
        ([Status.WARN, Status.FAIL, Status.PASS], Status.FAIL),
    ],
)
def test_the_whole_is_as_well_as_its_worst_check(statuses, worst) -> None:
    assert Facts(tuple(Check("c", s, "z", "e") for s in statuses)).status is worst


# --- the evidence log ---


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (health.LogFact("", timedelta(seconds=59)), Status.PASS),
        (health.LogFact("", timedelta(seconds=60)), Status.WARN),
        (health.LogFact("LOG_ROLLED_BACK", timedelta(0)), Status.FAIL),
        (health.LogFact("", timedelta(0), timedelta(minutes=119)), Status.PASS),
        (health.LogFact("", timedelta(0), timedelta(hours=2)), Status.WARN),
    ],
)
def test_the_log_warns_after_a_minute_and_fails_when_it_stands_still(
    found: health.LogFact, status: Status
) -> None:
    check = health.log(found)
    assert check.status is status
    assert found.stopped in check.zh
    assert found.stopped in check.en

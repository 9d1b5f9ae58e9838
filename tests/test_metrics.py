"""What monitoring sees, and that no outsider can make a label."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.clock import micros
from gateway.health import Check, Facts, Status
from gateway.metrics import MOST_RECEIVERS, Metrics
from gateway.store.health import Lane

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({"settlement.commit", "fees.upload"})


def shown(metrics: Metrics) -> dict:
    families = text_string_to_metric_families(metrics.text().decode())
    samples = (sample for family in families for sample in family.samples)
    return {(s.name, *(s.labels[k] for k in sorted(s.labels))): s.value for s in samples}


def test_an_answer_is_counted_by_command_and_code_and_timed(metrics) -> None:
    metrics.answered("settlement.commit", "OK", 0.2)
    metrics.answered("settlement.commit", "OK", 0.3)
    seen = shown(metrics)
    assert seen["gw_requests_total", "OK", "settlement.commit"] == 2
    assert seen["gw_request_seconds_count", "settlement.commit"] == 2
    assert seen["gw_request_seconds_sum", "settlement.commit"] == pytest.approx(0.5)


def test_what_a_stranger_sends_makes_no_label(metrics) -> None:
    for number in range(1000):
        metrics.answered(f"made.up{number}", f"CODE{number}", 0.1)
        metrics.not_believed(f"REASON{number}")
        metrics.settled(f"RESULT{number}", 0)
    seen = shown(metrics)
    assert seen["gw_requests_total", "other", "other"] == 1000
    assert seen["gw_signature_failures_total", "other"] == 1000
    assert seen["gw_settlements_total", "other"] == 1000
    assert len(seen) < 80


def test_money_is_counted_in_whole_fen(metrics) -> None:
    metrics.settled("SETTLED", 1_234_567)
    metrics.settled("SETTLED", 1)
    metrics.settled("HELD", 0)
    seen = shown(metrics)
    assert seen["gw_settled_fen_total",] == 1_234_568
    assert seen["gw_settlements_total", "SETTLED"] == 2
    assert seen["gw_settlements_total", "HELD"] == 1


def test_duplicates_reversals_and_queries_are_counted(metrics) -> None:
    metrics.duplicate("same")
    metrics.duplicate("mismatch")
    metrics.undone("cancel")
    metrics.undone("reverse")
    metrics.asked()
    metrics.not_believed("SIGNATURE_INVALID")
    seen = shown(metrics)
    assert seen["gw_duplicates_total", "same"] == seen["gw_duplicates_total", "mismatch"] == 1
    assert seen["gw_reversals_total", "cancel"] == seen["gw_reversals_total", "reverse"] == 1
    assert seen["gw_unknown_outcome_queries_total",] == 1
    assert seen["gw_signature_failures_total", "SIGNATURE_INVALID"] == 1


def lane(receiver: str, age_s: int, channel: str = "push") -> Lane:
    return Lane(receiver, channel, 2, micros(NOW - timedelta(seconds=age_s)))


def test_the_gauges_follow_the_facts(metrics) -> None:
    checks = (Check("commit", Status.PASS, "z", "e"), Check("disk", Status.FAIL, "z", "e"))
    lanes = (lane("AGENCY", 90), lane("AGENCY", 30, "pull"), lane("H0001", 5))
    facts = Facts(checks, lanes, 7, (("server", 86_400),), 0.003, breaches=2)
    metrics.show(facts, NOW)
    seen = shown(metrics)
    assert seen["gw_outbox_depth",] == 6
    assert seen["gw_outbox_oldest_seconds", "AGENCY"] == 90
    assert seen["gw_outbox_oldest_seconds", "H0001"] == 5
    assert seen["gw_held_bills",] == 7
    assert seen["gw_invariant_breaches",] == 2
    assert seen["gw_cert_expiry_seconds", "server"] == 86_400
    assert seen["gw_health_check", "commit"] == 0
    assert seen["gw_health_check", "disk"] == 2
    assert seen["gw_commit_seconds_count",] == 1


def test_a_lane_that_was_emptied_is_no_longer_shown(metrics) -> None:
    metrics.show(Facts(lanes=(lane("AGENCY", 90),)), NOW)
    metrics.show(Facts(), NOW)
    assert ("gw_outbox_oldest_seconds", "AGENCY") not in shown(metrics)


def test_only_the_receivers_that_wait_longest_are_named(metrics) -> None:
    metrics.show(Facts(lanes=tuple(lane(f"H{n:04}", n) for n in range(1000))), NOW)
    named = {key[1] for key in shown(metrics) if key[0] == "gw_outbox_oldest_seconds"}
    assert len(named) == MOST_RECEIVERS
    assert "H0999" in named
    assert "H0000" not in named


def test_each_set_of_metrics_has_a_registry_of_its_own(metrics) -> None:
    metrics.asked()
    assert shown(Metrics(()))["gw_unknown_outcome_queries_total",] == 0

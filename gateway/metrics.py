"""指标 What monitoring sees: counters and gauges in a registry of their own.

Every label takes its values from a closed set, or from the receivers with the oldest messages,
at most 100: an outsider cannot make a label. Nothing here is personal.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.clock import micros
from gateway.domain.codes import CODES
from gateway.health import Facts, Status

OTHER: Final = "other"
"""The label of what is in no closed set."""

RESULTS: Final = frozenset({"SETTLED", "HELD", "REFUSED", "MANUAL"})
MOST_RECEIVERS: Final = 100
_MILLION: Final = 1_000_000
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 30.0)

Repeat = Literal["same", "mismatch"]
Cause = Literal["cancel", "reverse"]


class Metrics:
    """One process's metrics. `operations` is the closed set of command names."""

    def __init__(self, operations: Collection[str]) -> None:
        self.registry = CollectorRegistry()
        self._operations = frozenset(operations)
        self._make_counters()
        self._make_gauges()

    def _make_counters(self) -> None:
        r = self.registry
        self._requests = Counter(
            "gw_requests_total", "Messages answered, by code", ["op", "code"], registry=r
        )
        self._seconds = Histogram(
            "gw_request_seconds", "Time to answer", ["op"], buckets=_SECONDS, registry=r
        )
        self._signatures = Counter(
            "gw_signature_failures_total", "Messages not believed", ["reason"], registry=r
        )
        self._duplicates = Counter(
            "gw_duplicates_total", "Known message ids that came again", ["content"], registry=r
        )
        self._settlements = Counter("gw_settlements_total", "Bills decided", ["result"], registry=r)
        self._settled = Counter("gw_settled_fen_total", "Fund share settled, fen", registry=r)
        self._reversals = Counter("gw_reversals_total", "Settlements undone", ["cause"], registry=r)
        self._queries = Counter(
            "gw_unknown_outcome_queries_total", "Queries of an unknown outcome", registry=r
        )

    def _make_gauges(self) -> None:
        r = self.registry
        self._depth = Gauge("gw_outbox_depth", "Messages not delivered yet", registry=r)
        self._oldest = Gauge(
            "gw_outbox_oldest_seconds", "Age of the oldest undelivered", ["receiver"], registry=r
        )
        self._held = Gauge("gw_held_bills", "Bills that wait for a condition", registry=r)
        self._breaches = Gauge(
            "gw_invariant_breaches", "Rows that break an invariant (nightly)", registry=r
        )
        self._expiry = Gauge(
            "gw_cert_expiry_seconds", "Seconds a certificate still lives", ["purpose"], registry=r
        )
        self._commit = Histogram(
            "gw_commit_seconds", "Time of the commit probe", buckets=_SECONDS, registry=r
        )
        self._checks = Gauge("gw_health_check", "0 pass, 1 warn, 2 fail", ["check"], registry=r)

    def answered(self, op: str, code: str, seconds: float) -> None:
        """A message was answered with this code after so many seconds."""
        named = op if op in self._operations else OTHER
        self._requests.labels(named, _registered(code)).inc()
        self._seconds.labels(named).observe(seconds)

    def not_believed(self, reason: str) -> None:
        """A message failed gate, identity or signature; `reason` is a registered code."""
        self._signatures.labels(_registered(reason)).inc()

    def duplicate(self, content: Repeat) -> None:
        """A known id came again, with the same content or with other content."""
        self._duplicates.labels(content).inc()

    def settled(self, result: str, fund_fen: int) -> None:
        """A bill was decided; `result` is its state (protocol §3), `fund_fen` whole fen."""
        self._settlements.labels(result if result in RESULTS else OTHER).inc()
        self._settled.inc(fund_fen)

    def undone(self, cause: Cause) -> None:
        """A settlement was cancelled or reversed."""
        self._reversals.labels(cause).inc()

    def asked(self) -> None:
        """Somebody queried the outcome of a message."""
        self._queries.inc()

    def show(self, facts: Facts, now: datetime) -> None:
        """Set every gauge from the facts; `now` is the business instant that lanes are aged by."""
        self._depth.set(sum(lane.depth for lane in facts.lanes))
        self._held.set(facts.held_bills)
        self._breaches.set(facts.breaches)
        self._show_lanes(facts, now)
        for purpose, left_s in facts.certificates_s:
            self._expiry.labels(purpose).set(left_s)
        for check in facts.checks:
            self._checks.labels(check.name).set(list(Status).index(check.status))
        if facts.commit_s is not None:
            self._commit.observe(facts.commit_s)

    def _show_lanes(self, facts: Facts, now: datetime) -> None:
        self._oldest.clear()
        lanes: Iterable[tuple[int, str]] = sorted((x.oldest_us, x.receiver) for x in facts.lanes)
        oldest: dict[str, int] = {}
        for oldest_us, receiver in lanes:
            if len(oldest) < MOST_RECEIVERS:
                oldest.setdefault(receiver, oldest_us)
        for receiver, oldest_us in oldest.items():
            self._oldest.labels(receiver).set((micros(now) - oldest_us) / _MILLION)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _registered(code: str) -> str:
    return code if code in CODES else OTHER

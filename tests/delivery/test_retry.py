"""When to try again, and when to let a receiver rest."""

import pytest

from gateway.delivery import breaker as breaker_module
from gateway.delivery.breaker import Breaker
from gateway.delivery.retry import delay_s


@pytest.mark.parametrize(
    ("attempts", "longest_s"), [(1, 1), (2, 2), (3, 4), (6, 32), (9, 256), (10, 300), (500, 300)]
)
def test_the_wait_grows_with_the_tries_up_to_five_minutes(attempts: int, longest_s: int) -> None:
    waits = [delay_s(attempts) for _ in range(400)]
    assert min(waits) >= 0
    assert longest_s * 0.9 < max(waits) <= longest_s


def test_waits_are_spread_so_that_not_all_come_back_at_once() -> None:
    waits = [delay_s(9) for _ in range(400)]
    assert len({round(wait) for wait in waits}) > 100
    assert min(waits) < 64


def test_before_any_try_the_wait_is_that_of_the_first() -> None:
    assert max(delay_s(0) for _ in range(100)) <= 1


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [50.0]
    monkeypatch.setattr(breaker_module, "elapsed_s", lambda since=0.0: now[0] - since)
    return now


def failing(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failed()
    return breaker


def test_four_failures_in_a_row_are_borne_and_the_fifth_is_not(timer: list[float]) -> None:
    assert failing(4).closed
    assert not failing(5).closed


def test_a_success_forgets_the_failures_before_it(timer: list[float]) -> None:
    breaker = failing(4)
    breaker.succeeded()
    for _ in range(4):
        breaker.failed()
    assert breaker.closed


def test_after_thirty_seconds_one_try_decides(timer: list[float]) -> None:
    breaker = failing(5)
    timer[0] += 29.9
    assert not breaker.closed
    timer[0] += 0.1
    assert breaker.closed
    breaker.failed()
    assert not breaker.closed
    timer[0] += 30
    breaker.succeeded()
    assert breaker.closed

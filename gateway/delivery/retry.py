"""When to try again: full jitter over exponential growth, capped at five minutes."""

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_random_exponential

_FIRST_S = 1.0
_LAST_S = 300.0
_WAIT = wait_random_exponential(multiplier=_FIRST_S, max=_LAST_S)


def delay_s(attempts: int) -> float:
    """Seconds until the next try after this many attempts (at least one)."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = max(attempts, 1)
    return float(_WAIT(state))

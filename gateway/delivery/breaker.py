"""A breaker per receiver: after several failures the lane rests before it is tried again."""

from typing import Final

from gateway.clock import elapsed_s

_FAILURES: Final = 5
_REST_S: Final = 30.0


class Breaker:
    """Closed while the receiver answers; open for a rest after five failures in a row."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_at = 0.0

    @property
    def closed(self) -> bool:
        """Whether a message may be sent; after the rest one may try."""
        return self._failures < _FAILURES or elapsed_s(self._opened_at) >= _REST_S

    def failed(self) -> None:
        self._failures += 1
        self._opened_at = elapsed_s()

    def succeeded(self) -> None:
        self._failures = 0

"""How often one reader may look for persons: enough for a counter, too little to try numbers."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

_HOUR_US: Final = 3_600_000_000  # microseconds of an hour


@dataclass(slots=True)
class SearchLimit:
    """The searches of the last hour by reader; each process counts its own."""

    per_hour: int
    _at_us: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))

    def takes(self, reader: str, now_us: int) -> bool:
        """Whether the reader may search once more, and then counts it."""
        searches = self._at_us[reader]
        while searches and searches[0] <= now_us - _HOUR_US:
            searches.popleft()
        if len(searches) >= self.per_hour:
            return False
        searches.append(now_us)
        return True

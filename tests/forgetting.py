"""Empties what the rules keep from one bill to the next: what is asked then is worked out anew."""

import functools
import gc
from collections.abc import Callable

from gateway.domain.catalogue import Edition
from gateway.domain.kept import Kept

Forget = Callable[[], object]


def caches() -> list[Forget]:
    """What empties each cache of the rules that there is now, and what lies in it."""
    return [forget for one in gc.get_objects() if (forget := _emptying(one)) is not None]


def _emptying(one: object) -> Forget | None:
    if isinstance(one, Edition):
        # What the rules read of its rows.
        return one.prepared.clear
    if isinstance(one, Kept):
        return one.clear
    if isinstance(one, functools._lru_cache_wrapper):
        of_rules = getattr(one, "__module__", "").startswith("gateway.rules")
        return one.cache_clear if of_rules else None
    return None

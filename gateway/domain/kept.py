"""What is worked out once and kept for the next time it is asked."""

from typing import Final, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")

MOST_KEPT: Final = 4096
"""So many answers are kept together; then all are let go, so that memory has an end. It is some
ten times what a ward charges for."""


class Kept(dict[Key, Answer]):
    """Answers by what was asked; a new question is answered by `answer` and kept."""

    def answer(self, key: Key) -> Answer:
        """What is to be kept for the key."""
        raise NotImplementedError

    def __missing__(self, key: Key) -> Answer:
        if len(self) >= MOST_KEPT:
            self.clear()
        found = self[key] = self.answer(key)
        return found

"""What a step of the story expects: a broken gateway fails with a sentence, never in silence."""


class StoryBroken(Exception):
    """The gateway did not do what the story expects; the text says what, in Chinese and English."""


def expect(holds: bool, zh: str, en: str) -> None:
    """Raises StoryBroken with both sentences unless it holds."""
    if not holds:
        raise StoryBroken(f"{zh} / {en}")

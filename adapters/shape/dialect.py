"""接口 A dialect: which commands and notices it has, and what may answer each."""

from dataclasses import dataclass, field
from typing import Any

from adapters.shape.fields import Shape


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """一个命令或通知 One command or notice: the element in its Body, and the replies to it."""

    command: str
    request: Shape
    replies: tuple[Shape, ...]
    notice: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """一个接口 An interface: its folder under schemas/, its title and its exchanges."""

    name: str
    zh: str
    en: str
    exchanges: tuple[Exchange, ...]
    by_command: dict[str, Exchange] = field(init=False, repr=False)
    by_element: dict[str, Shape] = field(init=False, repr=False)
    by_record: dict[Any, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bodies = [body for each in self.exchanges for body in (each.request, *each.replies)]
        by_command = {each.command: each for each in self.exchanges}
        object.__setattr__(self, "by_command", by_command)
        object.__setattr__(self, "by_element", {body.name: body for body in bodies})
        object.__setattr__(self, "by_record", {body.record: body for body in bodies})

    @property
    def bodies(self) -> list[Shape]:
        """Every element that may stand in Body, in order of first mention."""
        return list(self.by_element.values())

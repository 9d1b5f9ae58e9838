"""The equations that an explanation prints, each worked out anew from its text alone."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from gateway.domain.money import rounded

_STEP = re.compile(r"   ([APEF]) .+? = (.+)")
_OWN = re.compile(r"   本行 this line = (.+) − (.+) = (.+)")
_MEAL = re.compile(r"住院伙食补助费 meal allowance (\S+)（(.+)，\w*）")
_REMARK = re.compile(r"（[^（）]*）|所列金额 as charged,? ?| 天 days")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SHARE = re.compile(r"(\w+) (-?\d+\.\d\d)")


class Equation(NamedTuple):
    """A printed line, and what its sides come to."""

    text: str
    sides: tuple[Any, ...]

    @property
    def holds(self) -> bool:
        return all(side == self.sides[0] for side in self.sides)


def equations(text: str) -> Iterator[Equation]:
    """Those of the steps, of refunds and of the meal allowance, in order."""
    figures: dict[str, Fraction] = {}
    for line in text.splitlines():
        if step := _STEP.fullmatch(line):
            yield from _of_step(step, figures)
        elif own := _OWN.fullmatch(line):
            yield _of_refund(own)
        elif meal := _MEAL.fullmatch(line):
            amount, counted = meal.groups()
            yield Equation(line, (_value(amount, {}), _value(_REMARK.sub("", counted), {})))


def _of_step(step: re.Match[str], figures: dict[str, Fraction]) -> Iterator[Equation]:
    """The formula beside its figure, and what is said besides; the figure stands for its letter
    in the steps that follow."""
    for number, part in enumerate(_REMARK.sub("", step[2]).split("；")):
        if part.startswith("移转"):
            continue
        sides = tuple(_value(side, figures) for side in part.split(" = "))
        if number == 0:
            figures[step[1]] = sides[-1]
        yield Equation(step[0], sides)


def _of_refund(own: re.Match[str]) -> Equation:
    after, before, difference = (
        {payer: Fraction(amount) for payer, amount in _SHARE.findall(side)} for side in own.groups()
    )
    payers = after.keys() | before.keys() | difference.keys()
    moved = {payer: after.get(payer, 0) - before.get(payer, 0) for payer in payers}
    return Equation(own[0], (moved, {payer: difference.get(payer, 0) for payer in payers}))


def _value(expression: str, figures: dict[str, Fraction]) -> Fraction:
    """Exact; `round` is to the fen, half away from zero."""
    python = _NUMBER.sub(lambda number: f"Fraction('{number[0]}')", expression.replace("×", "*"))
    known = {"Fraction": Fraction, "round": _to_fen, "min": min, "__builtins__": {}}
    return Fraction(eval(python, known, dict(figures)))  # noqa: S307 - what the gateway printed


def _to_fen(yuan: Fraction) -> Fraction:
    return Fraction(rounded(yuan.numerator * 100, yuan.denominator), 100)

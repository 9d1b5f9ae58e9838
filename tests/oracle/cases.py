"""Generated calculation cases: every fact the line rules know, from a seed."""

from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

_REASONS = ("DUPLICATE_CHARGE", "NO_ORDER", "OVER_FREQUENCY", "HANGING_BED", "SPLIT_STAY")
_PAYERS = ("hospital", "employer", "individual")
_SIGNERS = ("employer", "individual")
# Prices that end in half a fen after a ratio or a fraction of a quantity, beside ordinary ones.
_AWKWARD = ("0.005", "1.005", "2.675", "0.3333", "0.000001", "9999999.999999", "0.05", "0")


def cases(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Cases without expectation, the same for the same seed."""
    random = Random(seed)  # noqa: S311 - facts to calculate, not a secret
    for serial in range(count):
        yield _bill(random, f"G{seed}-{serial}")


def _bill(random: Random, name: str) -> dict[str, Any]:
    params: dict[str, Any] = {"no_consent_payer": random.choice(_PAYERS)}
    if random.random() < 0.2:
        params["employer_not_notified"] = True
    if random.random() < 0.5:
        params["ratio_payer"] = random.choice(_SIGNERS)
    lines = [_line(random) for _ in range(random.randint(1, 6))]
    return {"id": name, "title": "generated", "params": params, "lines": lines}


def _line(random: Random) -> dict[str, Any]:
    line: dict[str, Any] = {"name": "虚构项目"}
    if random.random() < 0.1:
        line["amount"] = _decimal(random, 10**6, 2)
    else:
        _priced(random, line)
    if random.random() < 0.4:
        line["ratio"] = random.choice(("0.9", "0.85", "0.3333", "0.0001", "1.00", "0"))
    _grounds(random, line)
    return line


def _priced(random: Random, line: dict[str, Any]) -> None:
    line["price"] = _price(random)
    line["qty"] = _decimal(random, 100, 4)
    if random.random() < 0.4:
        line["ceiling"] = _price(random)
    if random.random() < 0.1:
        line["qty"] = f"-{line['qty']}" if line["qty"] != "0" else "0"
    elif random.random() < 0.3:
        line["qty_limit"] = _decimal(random, 100, 4)
    if random.random() < 0.1:
        line["charged"] = _near(random, line)


def _near(random: Random, line: dict[str, Any]) -> str:
    """What a hospital may have charged: some fen beside the product, on its side of nothing."""
    product = Fraction(line["price"]) * Fraction(line["qty"])
    fen = max(round(abs(product) * 100) + random.randint(-2, 2), 0)
    return f"{'-' if product < 0 and fen else ''}{fen // 100}.{fen % 100:02}"


def _grounds(random: Random, line: dict[str, Any]) -> None:
    facts: tuple[tuple[float, str, Any], ...] = (
        (0.5, "payer", random.choice(_SIGNERS)),
        (0.08, "relation", "unrelated"),
        (0.08, "violation", random.choice(_REASONS)),
        (0.08, "refuse_discharge", True),
        (0.2, "in_cat", False),
        (0.15, "window", "late_application"),
        (0.15, "emergency_approved", True),
    )
    line |= {key: value for chance, key, value in facts if random.random() < chance}


def _price(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(_AWKWARD)
    return _decimal(random, 5000, random.choice((2, 2, 4, 6)))


def _decimal(random: Random, below: int, places: int) -> str:
    """A text with at most these places, often a whole number."""
    if random.random() < 0.4:
        return str(random.randrange(below))
    return f"{random.randrange(below)}.{random.randrange(10**places):0{places}d}"

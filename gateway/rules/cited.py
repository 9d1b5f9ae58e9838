"""出处 How the source of a policy value is printed beside what it decided."""

from gateway.domain.bill import Citation
from gateway.domain.money import FEN_PLACES, RATIO_PLACES, written, yuan
from gateway.policy.model import Policy, Unit, Value

_WEAK = "（弱依据：仅见网页转载 / weak: seen on a web mirror only）"


def citation(policy: Policy, key: str, value: Value) -> Citation:
    """The printed source of a policy value: amounts in yuan, ratios as decimals; a source that
    was seen only on a web mirror says so."""
    text = policy.texts.get(value.law.text)
    title = f"《{text.title}》" if text is not None else value.law.text
    law = title + value.law.place + (_WEAK if value.weak else "")
    shown = _shown(value, policy.parameters[key].unit)
    return Citation(key, shown, value.since.isoformat(), law, value.reading)


def _shown(value: Value, unit: Unit) -> str:
    if value.unlimited:
        return "none"
    if unit in (Unit.FEN, Unit.FEN_PER_DAY):
        return yuan(value.number)
    if unit in (Unit.RATIO, Unit.DAYS_PER_MONTH):
        return written(value.number, RATIO_PLACES, FEN_PLACES)
    if unit is Unit.PERCENT:
        return written(value.number, FEN_PLACES, FEN_PLACES) + "%"
    if unit is Unit.WORDS:
        return " ".join(value.words)
    if unit is Unit.SWITCH:
        return "yes" if value.switch else "no"
    return str(value.amount)

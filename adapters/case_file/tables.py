"""JSON objects read strictly: exact types, closed keys, every fault noted and read on.

JSON numbers stay texts of their own type, so that no amount ever passes through binary
floating point and `NaN` or `1e999` is refused where it stands.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Generic, TypeVar

from adapters.case_file.faults import BadCases, Fault
from gateway.domain.findings import shown
from gateway.domain.money import ONE, fen, price, quantity, ratio

T = TypeVar("T")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COUNT: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Number(str):
    """A JSON number as written; no field but a count takes one."""

    __slots__ = ()


class Pairs(dict[str, Any]):
    """A JSON object that remembers which keys stood in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        keys = [key for key, _ in pairs]
        self.twice = sorted({key for key in keys if keys.count(key) > 1})


def parsed(raw: bytes) -> object:
    """The JSON value in the bytes. Raises BadCases when they are no JSON text in UTF-8."""
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=Pairs,
            parse_int=Number,
            parse_float=Number,
            parse_constant=Number,
        )
    except RecursionError:
        raise BadCases([Fault("", 0, "", "", "嵌套过深", "nested too deeply")]) from None
    except ValueError as error:
        en = f"not a JSON text in UTF-8: {error}"
        raise BadCases([Fault("", 0, "", "", "不是 UTF-8 的 JSON 文本", en)]) from None


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of value: how its JSON value is read (ValueError when it is another), and what to
    expect in words."""

    read: Callable[[Any], T]
    zh: str
    en: str


def _exactly(kind: type[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if type(value) is not kind:
            raise ValueError
        return value

    return read


_string = _exactly(str)


def _text(value: Any) -> str:
    if not _string(value).strip() or _CONTROL.search(value):
        raise ValueError
    return str(value)


def _day(value: Any) -> date:
    if _DAY.fullmatch(_string(value)) is None:
        raise ValueError
    return date.fromisoformat(value)


def _count(value: Any) -> int:
    if type(value) is not Number or _COUNT.fullmatch(value) is None:
        raise ValueError
    return int(value)


def _code(value: Any) -> str:
    if _CODE.fullmatch(_string(value)) is None:
        raise ValueError
    return str(value)


def _number(scale: Callable[[str], int], least: int | None, most: int | None) -> Any:
    def read(value: Any) -> int:
        number = scale(_string(value))
        if (least is not None and number < least) or (most is not None and number > most):
            raise ValueError
        return number

    return read


def word(words: Mapping[str, T]) -> Kind[T]:
    """One of these words."""

    def read(value: Any) -> T:
        if _string(value) not in words:
            raise ValueError
        return words[value]

    listed = " | ".join(words)
    return Kind(read, f"应为 {listed} 之一", f"expected one of {listed}")


def _decimal(
    scale: Callable[[str], int], places: int, least: int | None = None, most: int | None = None
) -> Kind[int]:
    zh, en = (
        f"应为十进制字符串，最多 {places} 位小数",
        f"expected a decimal string, {places} places",
    )
    if most is not None:
        zh, en = zh + "，0 至 1", en + ", from 0 to 1"
    elif least is not None:
        zh, en = zh + "，不为负", en + ", not negative"
    return Kind(_number(scale, least, most), zh, en)


AMOUNT: Final = _decimal(fen, 2)
RATE: Final = _decimal(fen, 2, least=0)
PRICE: Final = _decimal(price, 6, least=0)
QUANTITY: Final = _decimal(quantity, 4)
LIMIT: Final = _decimal(quantity, 4, least=0)
RATIO: Final = _decimal(ratio, 4, least=0, most=ONE)
TEXT: Final = Kind(
    _text, "应为非空字符串，无控制字符", "expected a text without control characters"
)
YES_NO: Final = Kind(_exactly(bool), "应为 true 或 false", "expected true or false")
DAY: Final = Kind(_day, "应为日期 YYYY-MM-DD", "expected a day YYYY-MM-DD")
COUNT: Final = Kind(_count, "应为非负整数", "expected a whole number, not negative")
CODE: Final = Kind(_code, "应为大写代码", "expected a code in capitals")
LIST: Final = Kind(_exactly(list), "应为数组", "expected an array")


@dataclass(slots=True)
class Table:
    """One JSON object being read, with its place; `close` notes the keys that nobody took."""

    faults: list[Fault]
    case: str
    line: int
    path: str
    raw: Mapping[str, Any]
    _taken: set[str] = field(default_factory=set)

    def take(self, key: str, kind: Kind[T]) -> T | None:
        """The value of a key that must be there; None after noting a fault."""
        if key not in self.raw:
            self._taken.add(key)
            self.fault(key, "", "缺少此项", "missing")
            return None
        return self.maybe(key, kind)

    def maybe(self, key: str, kind: Kind[T]) -> T | None:
        """The value of a key that may be absent; None as well after noting a fault."""
        self._taken.add(key)
        if key not in self.raw:
            return None
        try:
            return kind.read(self.raw[key])
        except ValueError:
            self.fault(key, _got(self.raw[key]), kind.zh, kind.en)
            return None

    def holds(self, key: str, kind: Kind[bool]) -> bool:
        """Whether a key that may be absent says yes."""
        return self.maybe(key, kind) is True

    def has(self, key: str) -> bool:
        """Whether the key stands in the object, well-formed or not."""
        return key in self.raw

    def fault(self, key: str, got: str, zh: str, en: str) -> None:
        """Note a fault of one key and read on."""
        self.faults.append(Fault(self.case, self.line, self._named(key), got, zh, en))

    def inner(self, key: str) -> "Table | None":
        """The object under the key; None when absent, or after noting a fault."""
        self._taken.add(key)
        if key not in self.raw:
            return None
        return table(self.faults, self.case, self.line, self._named(key), self.raw[key])

    def close(self) -> None:
        """Note every key that is not known, and every key given twice."""
        for key in self.raw:
            if key not in self._taken:
                self.fault(shown(key), "", "不认识的键", "unknown key")
        for key in self.raw.twice if isinstance(self.raw, Pairs) else ():
            self.fault(shown(key), "", "同一键出现两次", "key given twice")

    def _named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def table(faults: list[Fault], case: str, line: int, path: str, raw: object) -> Table | None:
    """The object to read; None after noting that it is none."""
    if isinstance(raw, Pairs):
        return Table(faults, case, line, path, raw)
    faults.append(Fault(case, line, path, _got(raw), "应为对象", "expected an object"))
    return None


def _got(value: object) -> str:
    """A JSON value made safe and short to repeat."""
    if isinstance(value, (dict, list)):
        return "{…}" if isinstance(value, dict) else "[…]"
    return shown(value if type(value) is Number else json.dumps(value, ensure_ascii=False))

"""日志 Logs: one JSON line per event on standard error, with personal data masked.

身份证号 (15 and 18 digits), social-security cards and telephone numbers are masked wherever
they stand: message, arguments, extra values at any depth, exception texts. Names cannot be
told from other words, so nobody logs them; values under a personal key are masked whole.
"""

import json
import logging
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from gateway import clock

transaction_id: ContextVar[str] = ContextVar("transaction_id", default="")
"""The transaction being worked on; every line of its task carries it as `tx`."""

MASK: Final = "***"
PERSONAL_KEYS: Final = frozenset(
    {"id_no", "card_no", "phone", "person", "person_name", "identity", "diagnosis", "diagnoses"}
)
"""Extra keys whose values are masked whole."""

_DEEPEST: Final = 8
_LONGEST_TEXT: Final = 4_000
_FEWEST_DIGITS: Final = 8

# --- what is looked for, in a text whose separators are all one sign --------------------------

_SEPARATOR: Final = "\x1f"
_SEPARATING: Final = frozenset("_.·•・/\\,|")
_SEPARATING_CATEGORIES: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})
_HYPHEN: Final = "-"
_GAP: Final = f"[{_SEPARATOR}{_HYPHEN}]{{0,3}}"


def _spaced(*parts: str) -> str:
    return _GAP.join(parts)


def _digits(count: int) -> tuple[str, ...]:
    return ("[0-9]",) * count


_MONTH: Final = f"(?:0{_GAP}[1-9]|1{_GAP}[0-2])"
_DAY: Final = f"(?:0{_GAP}[1-9]|[12]{_GAP}[0-9]|3{_GAP}[01])"
_CENTURY: Final = f"(?:1{_GAP}[89]|2{_GAP}0)"
_REGION: Final = ("[1-9]", *_digits(5))
_ID_18: Final = re.compile(
    "(?=(" + _spaced(*_REGION, _CENTURY, *_digits(2), _MONTH, _DAY, *_digits(3), "[0-9X]") + "))"
)
_CLEAN: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # 15 digits (before 1999)
        "(?<![0-9])" + _spaced(*_REGION, *_digits(2), _MONTH, _DAY, *_digits(3)) + "(?![0-9])",
        # a telephone number, with or without the country
        f"(?:(?<![0-9])(?:00)?86{_GAP}|(?<![0-9]))"
        + _spaced("1", "[3-9]", *_digits(9))
        + "(?![0-9])",
        # 15 or 18 digits by themselves, whatever they mean
        "(?<![0-9A-Z])(?:[0-9]{15}|[0-9]{17}[0-9X])(?![0-9A-Z])",
        # a social-security card (what a hyphen joins to more is an identifier of ours),
        # and the bank account on it
        "(?<![0-9A-Z])[A-Z]" + _spaced(*_digits(8)) + "(?!-?[0-9A-Z])",
        "(?<![0-9])" + _spaced("6", "2", *_digits(14)) + f"(?:{_GAP}[0-9]){{0,3}}(?![0-9])",
    )
)
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\[tnr]|.", re.DOTALL)
_DIGEST_LENGTHS: Final = frozenset({32, 40, 64, 96, 128})
_HEX_WORD: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32,128}(?![0-9A-Za-z])")
_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z-])"
)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"

Span = tuple[int, int]


def masked(text: str) -> str:
    """The text with every 身份证号, card and telephone number replaced by `***`."""
    signs = list(_ESCAPE.finditer(text))
    plain = "".join(_plain(_unescaped(sign)) for sign in signs)
    if sum("0" <= sign <= "9" for sign in plain) < _FEWEST_DIGITS:
        return text
    spared = tuple(_digests(text))
    found = ((signs[start].start(), signs[end - 1].end()) for start, end in _personal(plain))
    return _replaced(text, sorted(span for span in found if not _inside(span, spared)))


def _unescaped(sign: re.Match[str]) -> str:
    """The sign itself; what repr or json wrote as an escape counts as what it stands for."""
    code = sign.group(1) or sign.group(2)
    if code:
        return chr(int(code, 16))
    return _SEPARATOR if len(sign.group()) > 1 else sign.group()


@lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    """One sign as it counts: an ASCII digit, a capital letter, or the separator."""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", sign)
    if folded == _HYPHEN:
        return _HYPHEN
    if folded in _SEPARATING or unicodedata.category(sign) in _SEPARATING_CATEGORIES:
        return _SEPARATOR
    return folded.upper() if len(folded) == 1 and folded.isascii() else sign


def _personal(plain: str) -> Iterator[Span]:
    for match in _ID_18.finditer(plain):
        if _alone(plain, match.span(1)) or _checks(match.group(1)):
            yield match.span(1)
    for pattern in _CLEAN:
        for match in pattern.finditer(plain):
            yield match.span()


def _alone(plain: str, span: Span) -> bool:
    """No digit touches it: else only the check character tells an id in a longer number."""
    before, after = plain[max(span[0] - 1, 0) : span[0]], plain[span[1] : span[1] + 1]
    return not before.isdigit() and not after.isdigit()


def _checks(spaced: str) -> bool:
    """Whether the last sign is the check character of GB 11643-1999."""
    signs = spaced.replace(_SEPARATOR, "").replace(_HYPHEN, "")
    weighed = sum(int(sign) * weight for sign, weight in zip(signs[:17], _WEIGHTS, strict=True))
    return signs[17] == _CHECKS[weighed % 11]


def _digests(text: str) -> Iterator[Span]:
    """Where digests and UUIDs stand: their digits are chance."""
    for match in _HEX_WORD.finditer(text):
        if len(match.group()) in _DIGEST_LENGTHS and not match.group().isdigit():
            yield match.span()
    for match in _UUID.finditer(text):
        yield match.span()


def _inside(span: Span, wholes: tuple[Span, ...]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in wholes)


def _replaced(text: str, spans: list[Span]) -> str:
    parts, at = [], 0
    for start, end in spans:
        if start >= at:
            parts += [text[at:start], MASK]
        at = max(at, end)
    return "".join([*parts, text[at:]])


# --- values of any kind -----------------------------------------------------------------------


def _value(value: object, depth: int = 0) -> Any:
    """A value as JSON may carry it, masked; what is too deep becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {_text(key): _keyed(key, item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_value(item, depth + 1) for item in value]
    return _text(value)


def _keyed(key: object, value: object, depth: int) -> Any:
    personal = isinstance(key, str) and key.lower() in PERSONAL_KEYS
    return MASK if personal else _value(value, depth + 1)


def _number(value: int | float) -> int | float | str:
    shown = str(value)
    safe = masked(shown)
    # JSON has no NaN and no Infinity.
    return value if safe == shown and shown.lstrip("-")[:1].isdigit() else safe


def _text(value: object) -> str:
    try:
        shown = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    except Exception:
        # A value that cannot say what it is must not stop the log.
        shown = f"<{type(value).__name__}>"
    safe = masked(shown)
    return safe if len(safe) <= _LONGEST_TEXT else safe[:_LONGEST_TEXT] + "…"


# --- the line ---------------------------------------------------------------------------------

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# uvicorn repeats its message with terminal colours.
_REPEATED: Final = frozenset({"color_message"})
_UNSAFE: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class JsonLine(logging.Formatter):
    """One event as one line of JSON; control, direction and surrogate signs are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line = json.dumps(_event(record), ensure_ascii=False, separators=(",", ":"))
        return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", line)


def _event(record: logging.LogRecord) -> dict[str, Any]:
    event: dict[str, Any] = {
        "at": clock.machine_now().isoformat(),
        "level": record.levelname,
        "logger": record.name,
        "message": _message(record),
    }
    if transaction_id.get():
        event["tx"] = _text(transaction_id.get())
    extra = {k: v for k, v in vars(record).items() if k not in _STANDARD | _REPEATED}
    if extra:
        event["extra"] = _value(extra)
    if record.exc_info and record.exc_info[1] is not None:
        event["errors"] = [_error(error) for error in _chain(record.exc_info[1])]
    return event


def _message(record: logging.LogRecord) -> str:
    try:
        return _text(record.getMessage())
    except Exception:
        # Wrong arguments for the format: both are still worth reading.
        return f"{_text(record.msg)} {_text(record.args)}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        suppressed = following.__suppress_context__
        following = following.__cause__ or (None if suppressed else following.__context__)


def _error(error: BaseException) -> dict[str, Any]:
    """Type, masked text and places: never a local variable, never a line of source."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"type": type(error).__name__, "message": _text(error), "trace": places}


class _Stderr(logging.StreamHandler[Any]):
    """Writes to whatever standard error is now, and never prints a record it cannot write."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """Say only that a line was lost: the default would print the record unmasked."""
        sys.stderr.write('{"level":"ERROR","logger":"gateway.logs","message":"a line was lost"}\n')


def set_up(level: int | str = logging.INFO) -> None:
    """日志就绪 Send every log line and Python warning of the process to standard error as JSON.

    `level` is a name or number of the logging module; ValueError for an unknown name.
    """
    handler = _Stderr()
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers = [handler]
    logging.captureWarnings(True)

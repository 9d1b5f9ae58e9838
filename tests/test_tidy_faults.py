"""Each fault, planted: the house rules of tests/tidy find it, and leave its honest twin alone."""

from collections.abc import Callable, Iterator

import pytest

from tests.secret_scan import secrets
from tests.tidy import layers, numbers, purity, shape, standing, words
from tests.tidy.source import Source

Check = Callable[[Source], Iterator[str]]
DOC = '"""Why this file is here."""\n'
PAPER, SHEET = "gateway/reports/tabular.py", "gateway/reports/new.py"
RULE, FLOW, STORE = "gateway/rules/new.py", "gateway/flows/new.py", "gateway/store/new.py"
WEB, WORD = "gateway/web/new.py", "gateway/domain/new.py"
TEST = "tests/rules/test_new.py"

PLANTED = [
    # --- the direction of the arrows ---
    (layers.arrows, WORD, "from gateway.rules.line import decide"),
    (layers.arrows, RULE, "from gateway.store.stays import StayFile"),
    (layers.arrows, RULE, "from gateway import store"),
    (layers.arrows, RULE, "import gateway.store.stays as facts"),
    (layers.arrows, RULE, "from ..store import stays"),
    (layers.arrows, RULE, "def f():\n    from gateway.clock import micros"),
    (layers.arrows, RULE, "from gateway.policy.load import load"),
    (layers.arrows, STORE, "from gateway.rules.settle import settle"),
    (layers.arrows, STORE, "from gateway.flows.plan import Plan"),
    (layers.arrows, STORE, "from cryptography import x509"),
    (layers.arrows, FLOW, "from lxml import etree"),
    (layers.arrows, FLOW, "from fastapi import Request"),
    (layers.arrows, FLOW, "from adapters.hospital_xml import HospitalXml"),
    (layers.arrows, FLOW, "from gateway.seal.sign import Signer"),
    (layers.arrows, WEB, "from sqlalchemy import select"),
    (layers.arrows, WEB, "from gateway.store.stays import StayFile"),
    (layers.arrows, WEB, "from gateway.app import opened"),
    (layers.arrows, "gateway/delivery/new.py", "import httpx"),
    (layers.arrows, "gateway/delivery/new.py", "from gateway.rules.settle import settle"),
    (layers.arrows, "gateway/reports/new.py", "from gateway.policy.load import load"),
    (layers.arrows, "gateway/seal/new.py", "from gateway.web import problems"),
    (layers.arrows, "gateway/app.py", "import sqlalchemy"),
    (layers.arrows, "adapters/hospital_xml/new.py", "from gateway.flows.desk import Desk"),
    (layers.arrows, "adapters/hospital_xml/new.py", "from adapters.agency_xml import names"),
    (layers.arrows, "adapters/shape/new.py", "from adapters.agency_xml import names"),
    (layers.arrows, "adapters/sandbox/new.py", "from gateway.store.stays import StayFile"),
    (layers.arrows, "adapters/new_dialect/read.py", "from gateway.domain.commands import Command"),
    (layers.arrows, "gateway/helpers.py", "from gateway.domain.money import times"),
    # --- purity ---
    (purity.machine_free, RULE, "import random"),
    (purity.machine_free, RULE, "from pathlib import Path"),
    (purity.machine_free, WORD, "import logging"),
    (purity.machine_free, "gateway/policy/model.py", "from pathlib import Path"),
    (purity.machine_free, RULE, "def f(path):\n    return path.read_text()"),
    (purity.machine_free, WORD, "def f():\n    return open('x')"),
    (purity.machine_free, RULE, "def f(text):\n    return eval(text)"),
    (purity.one_clock, FLOW, "from datetime import datetime\nnow = datetime.now()"),
    (purity.one_clock, FLOW, "from datetime import datetime as dt\nnow = dt.now(None)"),
    (purity.one_clock, STORE, "import datetime\nday = datetime.date.today()"),
    (purity.one_clock, WEB, "import datetime as d\nnow = d.datetime.utcnow()"),
    (purity.one_clock, WEB, "import time\nstarted = time.monotonic()"),
    (purity.one_clock, "adapters/sandbox/new.py", "from time import time"),
    (purity.silent, FLOW, "print('settled')"),
    (purity.silent, "adapters/hospital_xml/new.py", "print('read')"),
    (purity.no_float, RULE, "RATE = 0.95"),
    (purity.no_float, FLOW, "def f(amount_fen):\n    return amount_fen * 1e-2"),
    (purity.no_float, STORE, "def f(text):\n    return float(text)"),
    (purity.no_float, RULE, "WAIT_S: Final = 5.0"),
    (purity.no_float, FLOW, "SHARE: Final = 5.0"),
    (purity.no_true_division, RULE, "def f(amount_fen, days):\n    return amount_fen / days"),
    (purity.no_true_division, FLOW, "def f(amount_fen):\n    amount_fen /= 2"),
    (purity.no_law_in_code, RULE, "LIMIT = 30"),
    (purity.no_law_in_code, RULE, "def f(days):\n    return days > 30"),
    (purity.no_law_in_code, RULE, "RATE = Decimal('0.95')"),
    (purity.no_law_in_code, RULE, "DAYS = '30'"),
    (purity.no_law_in_code, RULE, "DAYS = b'30'"),
    (purity.no_law_in_code, RULE, "DAYS = 30j"),
    (purity.no_law_in_code, RULE, "DAYS = len('xxxxxxx')"),
    (purity.no_law_in_code, RULE, "def f(days):\n    return days > len((0, 0, 0))"),
    # --- numbers of the law ---
    (numbers.named_with_reason, FLOW, "TRIES = 30  # tries"),
    (numbers.named_with_reason, FLOW, "TRIES = 30  # why not"),
    (numbers.named_with_reason, WORD, "# Tries.\nTRIES: Final = 30"),
    (numbers.named_with_reason, WORD, 'TRIES: Final = 30\n"""Tries."""'),
    (numbers.no_term_by_name, FLOW, "LATE_DAYS: Final = 30  # of the time limit of the employer"),
    (numbers.no_term_by_name, FLOW, "LATE_DAYS: Final = 6 * 5  # of the limit of the employer"),
    (numbers.no_term_by_name, WORD, "class Term:\n    months: int = 12"),
    (numbers.no_term_by_name, FLOW, "TERM = timedelta(days=30)  # how long an employer may wait"),
    (numbers.no_term_by_name, RULE, "TERM = timedelta(weeks=1)"),
    (numbers.no_term_by_name, PAPER, "LATE_DAYS: Final = 30"),
    (numbers.no_term_by_name, PAPER, "def f(sheet):\n    share = 95\n    return sheet, share"),
    (numbers.only_on_paper, PAPER, "def f():\n    return 30"),
    (numbers.named_with_reason, FLOW, "LATE_DAYS: Final = 30"),
    (numbers.named_with_reason, FLOW, "def f(days):\n    return days > 30  # of the law"),
    (numbers.named_with_reason, FLOW, "def f():\n    LATE = 30  # of the law\n    return LATE"),
    (numbers.named_with_reason, FLOW, "class Term:\n    DAYS = 30  # of the law"),
    (numbers.named_with_reason, FLOW, "# Why.\n\n_TRIES: Final = 3"),
    (numbers.named_with_reason, FLOW, "_TRIES: Final = 3  # why\n_TERM: Final = 30"),
    (numbers.named_with_reason, FLOW, "def f(due):\n    return due + timedelta(days=-5)"),
    (numbers.named_with_reason, WORD, "class Case:\n    days: int = 60"),
    (numbers.named_with_reason, SHEET, "def f(sheet):\n    sheet.set_row(0, 30)"),
    (numbers.only_on_paper, PAPER, "def f(days):\n    return days > 30"),
    (numbers.only_on_paper, PAPER, "def f(day):\n    return day + timedelta(days=20)"),
    (numbers.only_on_paper, PAPER, "def f(one):\n    return one.fund_fen * 95"),
    (numbers.only_on_paper, PAPER, "def f(one, days):\n    days += 5"),
    (numbers.no_numeric_text, RULE, "RATE = Decimal('0.95')"),
    (numbers.no_numeric_text, FLOW, "RATE = Decimal('0.95')"),
    (numbers.no_numeric_text, WORD, "LIMIT = '30'"),
    (numbers.no_numeric_text, SHEET, "SHARE = '5 %'"),
    (numbers.no_numeric_text, FLOW, "LIMIT = int('1_000')"),
    (numbers.no_numeric_text, RULE, "TERM = '三十日'"),
    (numbers.no_numeric_text, RULE, "SHARE = '百分之五'"),
    *(
        (numbers.no_numeric_text, path, f"TERM = '{text}'")
        for path in (RULE, FLOW)
        for text in ("9/10", ".9", "1e1", "2026-01-01", "九成", "半年", "３０", "叁拾", "廿")
    ),
    (numbers.no_law_in_words, FLOW, "TOLD = '应当在30日内申请'"),
    (numbers.no_law_in_words, FLOW, "def f(x):\n    return f'{x}：二十个工作日内办结'"),
    (numbers.no_law_in_words, SHEET, "TOLD = 'paid within 20 working days'"),
    (numbers.no_law_in_words, RULE, "TOLD = '预留 5 % 保证金'"),
    # --- what stands of a settlement ---
    (standing.one_reader, STORE, "query = select(settlement).where(settlement.c.live == 1)"),
    (standing.one_reader, FLOW, "query = query.where(tables.settlement.c.live.is_not(None))"),
    (standing.one_reader, STORE, "days = settlement.c.meal_days.label('days')"),
    (standing.one_reader, FLOW, "def f(row):\n    return row['live'] == 1"),
    (standing.one_reader, FLOW, "def f(one):\n    return days_of(one.original['meal_days'])"),
    (standing.one_reader, STORE, "ok = Guard(settlement, {'settlement_id': 'S1'}, {'live': 1})"),
    # --- shape ---
    (shape.short_functions, FLOW, "def long():\n" + "    pass\n" * shape.LINES_MAX),
    (shape.short_functions, FLOW, "async def long():\n" + "    pass\n" * shape.LINES_MAX),
    (shape.introduced, "gateway/store/__init__.py", "NAME = 1"),
    (shape.introduced, TEST, "def test_a() -> None:\n    assert True"),
    (shape.reasoned_skips, TEST, "@pytest.mark.skip\ndef test_a(): ..."),
    (shape.reasoned_skips, TEST, "@pytest.mark.skipif(True)\ndef test_a(): ..."),
    (shape.reasoned_skips, TEST, "@pytest.mark.skipif(True, reason='')\ndef test_a(): ..."),
    (shape.reasoned_skips, TEST, "def test_a():\n    pytest.skip('')"),
    (shape.reasoned_skips, TEST, "@pytest.mark.xfail\ndef test_a(): ..."),
    # --- words ---
    (words.clean_words, "docs/new.md", "see /ro" + "ot/notes"),
    (words.clean_words, "docs/new.md", "cd /ho" + "me/somebody/project"),
    (words.clean_words, "docs/new.md", "`/wo" + "rk/main`"),
    (words.clean_words, "tests/new.toml", "path = '/t" + "mp/x'"),
    (words.clean_words, "requirements.lock", "--index-url https://py" + "pi.org/simple"),
    (words.clean_words, "README.md", "written with Cla" + "ude"),
    (words.clean_words, "README.md", "a language mo" + "del"),
    (words.clean_words, "certs/new.md", "-----BEGIN EC PRIV" + "ATE KEY-----"),
    (words.clean_words, "certs/new.md", "-----BEGIN PRIV" + "ATE KEY-----"),
    # --- secrets ---
    (secrets, "docs/new.md", "-----BEGIN RSA PRIV" + "ATE KEY-----"),
    (secrets, "gateway/settings.py", "pass" + "word = 'correct horse battery'"),
    (secrets, "docs/new.md", "token: Zk3vQ9x" + "LbT7wRn2PfYc5HgJd8Ms4Ae6U"),
]

HONEST = [
    (layers.arrows, RULE, "from gateway.policy.model import Policy\nfrom datetime import date"),
    (layers.arrows, FLOW, "from gateway.rules.settle import settle"),
    (layers.arrows, "gateway/app.py", "from adapters.hospital_xml import HospitalXml"),
    (layers.arrows, "gateway/delivery/channel.py", "import h11"),
    (layers.arrows, "adapters/shape/publish.py", "from adapters.agency_xml.names import DIALECT"),
    (layers.arrows, "tests/test_new.py", "import anything"),
    (
        purity.machine_free,
        "gateway/policy/load.py",
        "from pathlib import Path\nPath().read_bytes()",
    ),
    (purity.machine_free, WORD, "import re\nNUMBER = re.compile('[0-9]')"),
    (purity.one_clock, "gateway/clock.py", "from datetime import datetime\nnow = datetime.now()"),
    (purity.one_clock, FLOW, "def f(desk):\n    return desk.clock.now()"),
    (purity.silent, "gateway/cli.py", "print('settled')"),
    (purity.no_float, FLOW, "_PATIENCE_S: Final = 5.0"),
    (purity.no_float, "gateway/metrics.py", "BUCKETS = (0.5, 1.0)"),
    (purity.no_true_division, "gateway/policy/load.py", "def f(path):\n    return path / 'x'"),
    (purity.no_law_in_code, RULE, "def f(digest):\n    return digest[:12], 0, 1, True"),
    (purity.no_law_in_code, "gateway/rules/__init__.py", "RULES_VERSION = '2026.11'"),
    (numbers.named_with_reason, FLOW, "_TRIES: Final = 3  # against changed facts"),
    (
        numbers.named_with_reason,
        FLOW,
        "# In bytes, of one reply.\n_PAGE = 1024\n_LINE: Final = 256",
    ),
    (numbers.named_with_reason, FLOW, '_PAGE: Final = 500\n"""Rows of one reply."""'),
    (numbers.named_with_reason, FLOW, "def f(rows):\n    return rows[:40], rows[-1], 0, 2, True"),
    (numbers.named_with_reason, PAPER, "def f(stack):\n    stack.y += 12.5"),
    (numbers.named_with_reason, FLOW, "# Against changed\n# facts.\n_TRIES: Final = 3"),
    (numbers.no_term_by_name, FLOW, "_LIFE = timedelta(hours=24)\n_DAY = timedelta(days=1)"),
    (purity.no_law_in_code, RULE, "def f(code):\n    return code[: len('S8')]"),
    (numbers.only_on_paper, PAPER, "def f(stack):\n    stack.add(Box(34, stack.y + 12, 7))"),
    (numbers.no_numeric_text, RULE, 'def f():\n    """30"""\n    return "1", "A01", "2101/x"'),
    (numbers.no_law_in_words, RULE, 'def f():\n    """应当在30日内。"""\n    return "逾期"'),
    (numbers.no_law_in_words, RULE, "COURSE = re.compile('支付不超过([0-9]+)天|2天')"),
    (numbers.no_law_in_words, FLOW, "def f(n):\n    return f'应当在{n}日内申请'"),
    (standing.one_reader, "gateway/store/standing.py", "HERE = settlement.c.live == 1"),
    (standing.one_reader, STORE, "query = query.where(admission.c.live == 1)"),
    (standing.one_reader, STORE, "ok = Guard(admission, {'admission_id': 'A1'}, {'live': 1})"),
    (standing.one_reader, FLOW, "def f(file):\n    return file.row['live']"),
    (standing.one_reader, FLOW, "row = {'live': 1, 'meal_days': spans_text(verdict.meal_days)}"),
    (shape.short_functions, FLOW, "def long():\n" + "    pass\n" * (shape.LINES_MAX - 1)),
    (shape.introduced, FLOW, DOC),
    (
        shape.reasoned_skips,
        TEST,
        "@pytest.mark.skipif(True, reason='no xmlsec1')\ndef test_a(): ...",
    ),
    (shape.reasoned_skips, TEST, "def test_a():\n    pytest.skip('install xmlsec1')"),
    (words.clean_words, "docs/new.md", "docs/ro" + "ot/notes and a net" + "work/path"),
    (secrets, "requirements.lock", "    --hash=sha256:" + "0123456789abcdef" * 4),
    (secrets, "docs/new.md", "the digest " + "0123456789abcdef" * 4),
    (secrets, "gateway/new.py", "test_a_bill_of_3000_lines_is_settled_in_20_driver_calls_at_most"),
]


def named(value: object) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("check", "path", "text"), PLANTED, ids=named)
def test_a_planted_fault_is_found_where_it_is(check: Check, path: str, text: str) -> None:
    faults = list(check(Source(path, text)))
    assert faults
    assert all(fault.startswith(f"{path}:") for fault in faults)


@pytest.mark.parametrize(("check", "path", "text"), HONEST, ids=named)
def test_its_honest_twin_is_left_alone(check: Check, path: str, text: str) -> None:
    assert list(check(Source(path, text))) == []


def test_a_message_says_what_to_write_instead() -> None:
    (fault,) = layers.arrows(Source(RULE, "from gateway.store.stays import StayFile"))
    assert fault == (
        "gateway/rules/new.py:1: gateway.rules may not import gateway.store.stays.StayFile; "
        "load the fact in gateway/flows and pass it in"
    )


def test_layers_in_a_circle_are_found() -> None:
    circle = (
        Source("gateway/store/a.py", "from gateway.flows.b import story"),
        Source("gateway/flows/b.py", "from gateway.store.a import memory"),
    )
    assert [fault.partition(" ")[0] for fault in layers.cycles(circle)] == [
        "gateway.flows",
        "gateway.store",
    ]
    assert list(layers.cycles(circle[1:])) == []


def test_a_test_folder_without_a_source_is_found() -> None:
    tree = [Source("gateway/rules/line.py", ""), Source("tests/rules/test_line.py", "")]
    assert list(shape.mirrored(tree)) == []
    assert list(shape.mirrored([*tree, Source("tests/ruels/test_line.py", "")]))
    assert list(shape.mirrored([*tree, Source("tests/security/test_bombs.py", "")])) == []


def test_a_test_that_cannot_fail_is_found() -> None:
    helper = Source("tests/rules/facts.py", "def seen(it):\n    assert it")
    honest = ("assert settle(bill)", "seen(settle(bill))", "with pytest.raises(E):\n        f()")
    for body in honest:
        assert list(shape.can_fail([helper, Source(TEST, f"def test_a():\n    {body}")])) == []
    (fault,) = shape.can_fail([helper, Source(TEST, "def test_a():\n    settle(bill)")])
    assert fault.startswith(f"{TEST}:1: test_a cannot fail")


def test_a_helper_that_no_test_imports_is_found() -> None:
    helper = Source("tests/rules/facts.py", "def worker(): ...")
    test = Source(TEST, "from tests.rules.facts import worker\n\ndef test_a(): assert worker()")
    beside = Source(TEST, "from .facts import worker\n\ndef test_a(): assert worker()")
    assert list(shape.used_helpers([helper, test])) == []
    assert list(shape.used_helpers([helper, beside])) == []
    assert list(shape.used_helpers([helper]))
    assert list(shape.used_helpers([Source(TEST, "def helper(): ...")]))


def test_a_module_that_nothing_imports_is_found() -> None:
    user = Source("gateway/flows/settle_bill.py", "from gateway.rules.line import decide")
    line = Source("gateway/rules/line.py", "from gateway.rules.line import itself")
    entry = Source("gateway/__main__.py", "from gateway.flows.settle_bill import settle_bill")
    assert list(shape.alive([user, line, entry])) == []
    assert [fault.partition(":")[0] for fault in shape.alive([line, entry])] == [line.path]

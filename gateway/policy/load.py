"""政策的装载 From files (or a stored archive) to a frozen Policy; the only module here that
opens files.

An edition of a policy is the exact bytes of every file it is made from. `archive` writes
them into one canonical text; the SHA-256 of that text is the policy's digest, so a store
that keeps the archive under the digest can bring back any edition whole.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gateway.policy.citation import read_texts
from gateway.policy.directory import read_directory
from gateway.policy.faults import BadPolicy, Fault, Page
from gateway.policy.model import Dated, Directory, Policy, Text
from gateway.policy.parameter import read_parameter

SHIPPED: Final = Path(__file__).parent
"""The policy files that come with the project."""

_FORMAT: Final = "gs-policy-1"
_TEXTS: Final = "texts.toml"
_NATIONAL: Final = "national/"
_REGIONS: Final = "regions/"
_DIRECTORY: Final = "directory.toml"
_ENABLED: Final = "audit/enabled"
_HOLD: Final = "audit/hold"
_SUFFIX: Final = ".toml"
_LONGEST_PATH: Final = 100
_REGION_FOLDER: Final = re.compile(r"([0-9]{6})_[a-z]+")
# How editors of some systems begin a file in UTF-8 or UTF-16.
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# TOML admits hexadecimal, octal and binary numbers; no law is written in them. What stands in
# quotes or in a comment is no number.
_WORDS: Final = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'|#[^\n]*''', re.DOTALL
)
_RADIX: Final = re.compile(r"(?<![\w.-])0[xob]")


def regions(root: Path = SHIPPED) -> tuple[str, ...]:
    """The six-digit codes of the pooling regions that have a folder under `root`."""
    return tuple(sorted(code for code, _ in _region_folders(root)))


def strays(root: Path = SHIPPED) -> tuple[Fault, ...]:
    """What stands under regions/ and is read for no region; every fault of `load` apart."""
    folder = root / _REGIONS
    if not folder.is_dir():
        return (Fault(_REGIONS, "没有统筹地区", "there is no pooling region"),)
    known = {name for _, name in _region_folders(root)}
    return tuple(
        Fault(
            _REGIONS + name,
            "不是统筹地区的目录（如 371000_weihai），不会被读取",
            "no folder of a pooling region (as 371000_weihai): it would never be read",
        )
        for name in sorted(path.name for path in folder.iterdir())
        if name not in known
    )


def load(region: str, root: Path = SHIPPED) -> Policy:
    """The policy of one pooling region (six-digit code): national values and its own.

    Raises BadPolicy with every fault of every file at once.
    """
    return _policy(region, _files(region, root))


def archive(region: str, root: Path = SHIPPED) -> bytes:
    """Every file of the region's policy in one canonical UTF-8 text.

    Equal files give equal bytes; SHA-256 of them is `Policy.digest`. Raises BadPolicy
    when the files hold faults: what cannot be loaded is never kept.
    """
    files = _files(region, root)
    _policy(region, files)
    return _archive(region, files)


def load_archive(raw: bytes) -> Policy:
    """The policy kept in an archive. Raises BadPolicy when it is not one `archive` wrote."""
    try:
        content = json.loads(raw)
        files = {path: text.encode() for path, text in content["files"].items()}
        region = content["region"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _bad("archive", "不是政策档案", "not a policy archive") from None
    if not isinstance(region, str) or _archive(region, files) != raw:
        raise _bad("archive", "政策档案不是规范写法", "the policy archive is not canonical")
    return _policy(region, files)


def _archive(region: str, files: Mapping[str, bytes]) -> bytes:
    texts = {path: raw.decode() for path, raw in files.items()}
    content = {"format": _FORMAT, "region": region, "files": texts}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _bad(path: str, zh: str, en: str) -> BadPolicy:
    return BadPolicy([Fault(path, zh, en)])


def _region_folders(root: Path) -> list[tuple[str, str]]:
    folder = root / _REGIONS
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    found = ((_REGION_FOLDER.fullmatch(name), name) for name in names)
    return [(match.group(1), name) for match, name in found if match]


def _files(region: str, root: Path) -> dict[str, bytes]:
    folders = [name for code, name in _region_folders(root) if code == region]
    if len(folders) != 1:
        raise _bad(
            f"{_REGIONS}{region}",
            f"统筹地区应有一个目录，现有 {len(folders)} 个",
            f"the pooling region must have one folder, found {len(folders)}",
        )
    places = [root / _NATIONAL, root / _REGIONS / folders[0]]
    paths = [root / _TEXTS, *places, *(path for place in places for path in place.rglob("*"))]
    lost = [path for path in paths if path not in places and _is_lost(path)]
    if lost:
        raise BadPolicy(_lost(path.relative_to(root).as_posix()) for path in lost)
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()
    }


def _is_lost(path: Path) -> bool:
    """Whether something stands under the name that no file is read from: a link that leads
    nowhere or to a folder, a folder named as a file, a socket. Its key would be gone unseen."""
    if path.is_dir():
        return path.suffix == _SUFFIX or path.is_symlink()
    return not path.is_file() and (path.exists() or path.is_symlink())


def _lost(path: str) -> Fault:
    return Fault(
        path,
        "不是可以读取的文件，此处的值会不知不觉地丢失",
        "is no file that can be read: its value would be gone unseen",
    )


def _policy(region: str, files: Mapping[str, bytes]) -> Policy:
    faults: list[Fault] = []
    tables = {path: _table(Page(path, faults), raw) for path, raw in sorted(files.items())}
    texts = read_texts(Page(_TEXTS, faults), tables.get(_TEXTS, {}))
    national = _parameters(faults, tables, texts, _NATIONAL)
    folder = _folder_in(tables)
    own = _parameters(faults, tables, texts, folder)
    _check_shadows(faults, folder, national, own)
    _check_holds(Page(f"{folder}{_HOLD}{_SUFFIX}", faults), own.get(_HOLD), own.get(_ENABLED))
    directory = _directory(faults, tables, texts, folder)
    if faults:
        raise BadPolicy(faults)
    return Policy(
        region=region,
        digest=sha256(_archive(region, files)).hexdigest(),
        parameters=MappingProxyType({**national, **own}),
        national=MappingProxyType(national),
        texts=MappingProxyType(texts),
        directory=directory,
    )


def _table(page: Page, raw: bytes) -> dict[str, Any]:
    if not page.path.endswith(_SUFFIX) or len(page.path) > _LONGEST_PATH:
        page.fault("只收路径不超过 100 字符的 .toml 文件", "only .toml with a path up to 100 long")
    if raw.startswith(_MARKS):
        page.fault(
            "文件以字节顺序标记（BOM）开头，请另存为不带 BOM 的 UTF-8",
            "the file begins with a byte order mark (BOM): save it as UTF-8 without one",
        )
        return {}
    try:
        text = raw.decode()
        table = tomllib.loads(text, parse_float=Decimal)
    except ValueError as error:
        page.fault(f"不是有效的 TOML：{error}", f"not valid TOML: {error}")
        return {}
    except RecursionError:
        page.fault("不是有效的 TOML：嵌套过深", "not valid TOML: nested too deep")
        return {}
    if _RADIX.search(_WORDS.sub("", text)):
        page.fault("数字须用十进制书写", "numbers are written in decimal")
    return table


def _folder_in(tables: Mapping[str, Any]) -> str:
    regional = next((path for path in tables if path.startswith(_REGIONS)), _REGIONS)
    return "/".join(regional.split("/")[:2]) + "/"


def _parameters(
    faults: list[Fault], tables: Mapping[str, Any], texts: Mapping[str, Text], folder: str
) -> dict[str, Dated]:
    named = {
        path.removeprefix(folder).removesuffix(_SUFFIX): path
        for path in tables
        if path.startswith(folder) and path != folder + _DIRECTORY
    }
    return {
        key: read_parameter(
            Page(path, faults), key, tables[path], texts, national=folder == _NATIONAL
        )
        for key, path in named.items()
    }


def _check_shadows(
    faults: list[Fault], folder: str, national: Mapping[str, Dated], own: Mapping[str, Dated]
) -> None:
    for key, dated in own.items():
        page = Page(f"{folder}{key}{_SUFFIX}", faults)
        shadowed = national.get(key)
        if dated.overrides != (None if shadowed is None else _NATIONAL + key):
            page.fault(
                f'替换全国值须写明 overrides = "{_NATIONAL}{key}"，无全国值则不写',
                f'say overrides = "{_NATIONAL}{key}" when there is a national value, else nothing',
            )
        if shadowed is not None and shadowed.final:
            page.fault("全国值不得由地方替换", "the national value is final")


def _check_holds(page: Page, hold: Dated | None, enabled: Dated | None) -> None:
    """A rule that is not enabled is never asked, so that it would hold nothing."""
    days = {value.since for dated in (hold, enabled) if dated for value in dated.values}
    for day in sorted(days):
        idle = ", ".join(word for word in _words(hold, day) if word not in _words(enabled, day))
        if idle:
            page.fault(
                f"{day}：{idle} 没有启用（{_ENABLED}），不会挂起账单",
                f"{day}: {idle} is not enabled ({_ENABLED}) and would hold no bill",
            )


def _words(dated: Dated | None, day: date) -> tuple[str, ...]:
    """The words in force on the day; none where the file is silent or faulty."""
    if dated is None:
        return ()
    in_force = [value for value in dated.values if value.since <= day]
    amount = in_force[-1].amount if in_force else None
    return amount if isinstance(amount, tuple) else ()


def _directory(
    faults: list[Fault], tables: Mapping[str, Any], texts: Mapping[str, Text], folder: str
) -> Directory | None:
    path = folder + _DIRECTORY
    if path not in tables:
        return None
    return read_directory(Page(path, faults), tables[path], texts)

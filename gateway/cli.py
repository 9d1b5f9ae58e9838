"""The command line: one verb per line, `--help` tells all."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from getpass import getuser
from pathlib import Path
from typing import Any, Final

import httpx

from gateway import app, logs
from gateway.clock import SystemClock, business_day
from gateway.domain.catalogue import Level
from gateway.domain.party import PartyKind
from gateway.domain.readjudication import CORRECTIONS, ProposalState
from gateway.evidence import verify_log
from gateway.flows.administer import NotDone
from gateway.policy.load import SHIPPED
from gateway.policy.model import Capability
from gateway.seal.broken import SealBroken
from gateway.seal.offline import verify_offline
from gateway.settings import Settings
from gateway.store.migrate import OtherSchema, migrate, migrate_at
from gateway.store.opening import OtherRegion, need_region
from gateway.store.sqlite import AlreadyRunning
from gateway.store.unit import StoreFailed
from gateway.verbs import (
    calculate,
    check,
    clocks,
    data_keys,
    doctor,
    evidence,
    evidence_verify,
    explain,
    policy,
    readjudications,
    replay,
    sheets,
    what_if,
)
from gateway.verbs.stored import UNREADABLE, NotTold, need_database, need_keys, unreadable
from gateway.web import admin
from gateway.web.mtls import reachable

_DONE, _REFUSED, _USAGE = 0, 1, 2
_ALL: Final = "全部 all"
_PATIENCE_S: Final = 120.0
_OTHER_SCHEMA: Final = (
    "库结构为 {at}：比本程序旧就先运行 gateway migrate，比本程序新就换用新版程序 / "
    "schema {at}: if older than this program, gateway migrate first; if newer, a newer program"
)
_Opening = Callable[[Settings], AbstractAsyncContextManager[app.Gateway]]
_DECIDABLE: Final = [one.value for one in ProposalState if one is not ProposalState.TOUCHED]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0 done, 1 refused or failing, 2 malformed input."""
    arguments = _parser().parse_args(argv)
    run: Any = arguments.run
    try:
        return int(run(arguments))
    except OtherSchema as at:
        return _say(_OTHER_SCHEMA.format(at=at))
    except OtherRegion as other:
        return _say(f"{other.zh} / {other.en}")
    except OSError as fault:
        print(f"无法使用 / cannot use {fault.filename or ''}: {fault.strerror}", file=sys.stderr)
        return _USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="工伤保险医疗费直接结算网关")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _serving(verbs)
    _registry(verbs)
    _catalogue(verbs)
    _law(verbs)
    _proving(verbs)
    _evidence(verbs)
    _readjudicating(verbs)
    _reporting(verbs)
    _guarding(verbs)
    return parser


def _serving(verbs: Any) -> None:
    verb = verbs.add_parser("serve", help="运行监听与投递 / run listeners and delivery")
    verb.add_argument(
        "--role",
        type=app.Role,
        choices=list(app.Role),
        default=app.Role.ALL,
        help="只办其一（PostgreSQL）/ one part of it, on PostgreSQL",
    )
    verb.set_defaults(run=_serve)
    verb = verbs.add_parser("migrate", help="升级数据库 / bring the database to the newest schema")
    verb.set_defaults(run=_migrate)
    verb = verbs.add_parser("doctor", help="诊断 / say what is wrong and what to do")
    verb.set_defaults(run=_doctor)
    verb = verbs.add_parser("check", help="核查不变式 / is anything lost, doubled, unbalanced")
    verb.set_defaults(run=_check)
    verb = verbs.add_parser("clock", help="拨动演示的业务时钟 / set the clock of a demo server")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("set", help="只能向前 / forward only")
    verb.add_argument("instant", help="2026-03-03T08:00:00+08:00")
    verb.set_defaults(run=_set_clock)
    verb = verbs.add_parser("demo", help="演示 / play the whole story on this machine")
    verb.add_argument("--out", type=Path, default=Path("demo-output"))
    verb.add_argument("--keep", action="store_true", help="保留服务 / leave the servers up")
    verb.add_argument("--start", default="2026-03-02T08:00:00+08:00", help="业务时钟起点 / start")
    verb.set_defaults(run=_demo)


def _registry(verbs: Any) -> None:
    for kind in PartyKind:
        _party_verbs(verbs.add_parser(kind.value, help=f"{kind.value}: add, enrol, …"), kind)
    key = verbs.add_parser("key", help="停用、恢复、吊销证书 / suspend, resume, revoke a key")
    key.add_argument("verb", choices=("suspend", "resume", "revoke"))
    key.add_argument("fingerprint", help="SHA-256, hex")
    key.set_defaults(run=_acted("key.change", "verb", "fingerprint"))


def _party_verbs(parser: argparse.ArgumentParser, kind: PartyKind) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("add", help="登记 / register")
    add.add_argument("party")
    add.add_argument("--name", required=True)
    add.add_argument("--region", default="")
    add.add_argument("--county", default="", help="县级区划代码 / code of its county")
    add.add_argument("--level", choices=list(Level), default=Level.TERTIARY)
    add.add_argument("--agreement-from", default="")
    add.add_argument("--agreement-to", default="")
    add.add_argument(
        "--capability",
        dest="capabilities",
        action="append",
        default=[],
        choices=[one.value for one in Capability],
    )
    add.add_argument("--callback", default="", help="https 推送地址 / address to push to")
    names = ("party", "kind", "name", "region", "county", "level", "agreement_from", "agreement_to")
    add.set_defaults(run=_acted("party.add", *names, "capabilities", "callback"), kind=kind.value)
    enrol = verbs.add_parser("enrol", help="签发并登记证书 / issue and register a certificate")
    enrol.add_argument("party")
    enrol.add_argument("--purpose", choices=("tls", "message"), required=True)
    enrol.add_argument("--csr", type=Path, required=True)
    enrol.add_argument("--out", type=Path, help="证书写入 / write the certificate here")
    enrol.set_defaults(run=_enrol)
    if kind is PartyKind.HOSPITAL:
        _agreement_verbs(verbs)
    if kind is PartyKind.CARRIER:
        _mandate_verbs(verbs)


def _agreement_verbs(verbs: Any) -> None:
    verb = verbs.add_parser("suspend", help="中止协议 / suspend the agreement from a day on")
    verb.add_argument("party")
    verb.add_argument("--from", dest="suspended_from", required=True)
    verb.set_defaults(run=_acted("party.agreement", "party", "suspended_from"))
    verb = verbs.add_parser("resume", help="恢复协议 / resume the agreement")
    verb.add_argument("party")
    verb.set_defaults(run=_acted("party.agreement", "party"))


def _mandate_verbs(verbs: Any) -> None:
    verb = verbs.add_parser("mandate", help="授权代办 / let a carrier deliver for a hospital")
    verb.add_argument("carrier")
    verb.add_argument("hospital")
    verb.add_argument("--from", dest="valid_from", required=True)
    verb.add_argument("--to", dest="valid_to", required=True)
    verb.add_argument("--command", dest="commands", action="append", default=[])
    names = ("carrier", "hospital", "commands", "valid_from", "valid_to")
    verb.set_defaults(run=_acted("mandate.add", *names))
    verb = verbs.add_parser("unmandate", help="终止授权 / end the mandate today")
    verb.add_argument("carrier")
    verb.add_argument("hospital")
    verb.set_defaults(run=_acted("mandate.revoke", "carrier", "hospital"))


def _catalogue(verbs: Any) -> None:
    verb = verbs.add_parser("catalog", help="目录 / catalogue editions")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("import", help="导入 / import a file or folder, all or nothing")
    verb.add_argument("path", type=_whole_path)
    verb.add_argument("--valid-from", required=True)
    verb.add_argument("--valid-to", default="")
    verb.add_argument("--region", default="", help="外省就医地 / a place of treatment elsewhere")
    verb.set_defaults(run=_acted("catalog.import", "path", "valid_from", "valid_to", "region"))


def _law(verbs: Any) -> None:
    verb = verbs.add_parser("policy", help="政策取值 / the dated values of the law")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("check", help="核对文件 / tell every fault of the files")
    verb.add_argument("--region", default="", help="默认全部 / default: all")
    verb.add_argument("--dir", type=Path, default=SHIPPED, help="政策目录 / folder of the files")
    verb.add_argument("--on", type=date.fromisoformat, help="从哪一天看 / seen from this day")
    verb.set_defaults(run=_policy_check)
    verb = inner.add_parser("show", help="某日的取值与依据 / a value on a day and its source")
    verb.add_argument("key")
    verb.add_argument("--on", type=date.fromisoformat, required=True, help="2026-03-02")
    verb.add_argument("--region", default="", help="默认本部署的地区 / default: this deployment's")
    verb.set_defaults(run=_policy_show)
    verb = inner.add_parser("diff", help="两版政策的差异 / what changes between two")
    verb.add_argument("old", help="地区代码或摘要 / a region's code or a digest")
    verb.add_argument("new")
    verb.add_argument("--on", type=date.fromisoformat, help="只比较某日 / on one day only")
    verb.set_defaults(run=_policy_diff)


def _proving(verbs: Any) -> None:
    verb = verbs.add_parser("calculate", help="试算 / evaluate calculation cases")
    verb.add_argument("file")
    verb.add_argument("--check", action="store_true", help="与 expect 比较 / compare with expect")
    verb.set_defaults(run=_calculate)
    verb = verbs.add_parser("explain", help="说明一笔结算 / explain a settlement")
    verb.add_argument("settlement")
    verb.add_argument("--line", type=int, help="只说明第 N 行 / the N-th line alone")
    verb.add_argument("--as-case", action="store_true", help="作为试算案例 / as a case")
    _read_by(verb)
    verb.set_defaults(run=_explain)
    verb = verbs.add_parser("replay", help="重算以往结算 / recompute past settlements")
    verb.add_argument("settlements", nargs="*", metavar="SETTLEMENT", help="不写即全部 / all")
    verb.add_argument("--cores", type=int, default=0, help="处理器数，0 为全部 / 0 is all")
    _read_by(verb)
    verb.set_defaults(run=_replay)
    verb = verbs.add_parser("what-if", help="政策测算 / try a policy or catalogue on the past")
    verb.add_argument("--policy", type=Path, help="政策目录 / a folder like gateway/policy")
    verb.add_argument("--catalog", type=Path, help="目录文件 / a catalogue file or folder")
    verb.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    verb.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    verb.add_argument("--out", type=Path, required=True, help="FILE.xlsx")
    _read_by(verb)
    verb.set_defaults(run=_what_if)
    verb = verbs.add_parser("verify", help="离线验签 / verify one of our messages offline")
    verb.add_argument("file", type=Path)
    verb.add_argument("--trust", type=Path, required=True, help="ca.pem")
    verb.add_argument("--sender", default="", help="默认本网关 / default: this gateway")
    verb.set_defaults(run=_verify)


def _evidence(verbs: Any) -> None:
    verb = verbs.add_parser("evidence", help="存证日志 / the evidence log")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    _evidence_files(inner)
    for act, said in (("propose", "提出启用新日志"), ("approve", "由另一人批准")):
        verb = inner.add_parser(act, help=f"回退后{said} / {act} a new log after a rollback")
        verb.add_argument("--by", required=True, help="何人 / who")
        verb.add_argument("--reason", required=True, help="理由 / why")
        verb.set_defaults(run=_acted(f"log.{act}", "by", "reason"))


def _evidence_files(inner: Any) -> None:
    verb = inner.add_parser("export", help="导出 / write the log as plain lines")
    verb.add_argument("--out", type=Path, required=True)
    verb.add_argument("--log", type=int, default=0, help="默认现行的 / default: the present one")
    _read_by(verb)
    verb.set_defaults(run=_evidence_export)
    verb = inner.add_parser("check", help="核对导出 / verify an export, as verify_log.py does")
    verb.add_argument("export", type=Path)
    verify_log.options(verb)
    verb.set_defaults(run=_evidence_check)
    verb = inner.add_parser("verify", help="核对数据库 / verify the store against its log")
    verb.set_defaults(run=_evidence_verify)


def _evidence_export(given: argparse.Namespace) -> int:
    if not _recorded("evidence export", str(given.log or "现行 present"), given):
        return _REFUSED
    return evidence.write(Settings(), given.out, given.log, sys.stdout)


def _evidence_check(given: argparse.Namespace) -> int:
    return evidence.check(given.export, given.key, given.witness, sys.stdout)


def _evidence_verify(_: argparse.Namespace) -> int:
    return evidence_verify.run(Settings(), sys.stdout)


def _readjudicating(verbs: Any) -> None:
    verb = verbs.add_parser("readjudicate", help="更正后重审 / propose what a correction changes")
    verb.add_argument("--cause", choices=[one.value for one in CORRECTIONS], required=True)
    verb.add_argument("--from", dest="first", default="", help="结算日起 / booked from")
    verb.add_argument("--to", dest="last", default="", help="结算日止 / booked to")
    verb.add_argument("--case", default="", help="只此案件 / of this case alone")
    verb.add_argument("--policy", type=_whole_path, default=None, help="政策目录 / a policy folder")
    verb.add_argument(
        "--catalog", type=_whole_path, default=None, help="更正的目录 / corrected files"
    )
    verb.add_argument("--valid-from", default="", help="更正目录的起始日 / its first day")
    verb.add_argument("--by", required=True, help="提出人 / who proposes")
    verb.set_defaults(run=_readjudicate)
    inner = verbs.add_parser("readjudications", help="重审建议 / proposals of re-adjudication")
    inner = inner.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("list", help="列出 / list them")
    verb.add_argument("--state", choices=_DECIDABLE, help="默认全部 / default: all")
    _read_by(verb)
    verb.set_defaults(run=_list_proposals)
    verb = inner.add_parser("show", help="逐行差异 / one of them, line by line")
    verb.add_argument("proposal")
    _read_by(verb)
    verb.set_defaults(run=_show_proposal)
    acts = {
        "approve": "批准并补差 / post the delta",
        "reject": "驳回 / reject",
        "close": "不能重算的已由人办理 / one that was seen to by hand",
    }
    for act, told in acts.items():
        verb = inner.add_parser(act, help=told)
        verb.add_argument("proposal")
        verb.add_argument("--by", required=True, help="决定人 / who decides")
        verb.add_argument("--reason", required=True, help="理由 / why")
        names = ["proposal", "by", "reason"]
        if act == "approve":
            names += ["clause", "article"]
            verb.add_argument(
                "--clause", nargs=2, metavar=("TEXT", "PLACE"), help="协议条款 / clause"
            )
            verb.add_argument(
                "--article", nargs=2, metavar=("TEXT", "PLACE"), help="条文 / article"
            )
        verb.set_defaults(run=_acted(f"readjudication.{act}", *names))


def _whole_path(text: str) -> str:
    return str(Path(text).resolve())


def _readjudicate(arguments: argparse.Namespace) -> int:
    """A corrected catalogue is put in force first; what it changes is proposed then."""
    given = arguments
    try:
        need_database(Settings())
    except NotTold as missing:
        return _say(str(missing))
    if given.catalog:
        corrected = {"path": given.catalog, "valid_from": given.valid_from, "valid_to": ""}
        if _perform("catalog.correct", corrected, None) != _DONE:
            return _REFUSED
    names = ("cause", "first", "last", "case", "policy", "by")
    asked = {name: getattr(given, name) for name in names}
    return _perform("readjudication.propose", asked, None)


def _list_proposals(arguments: argparse.Namespace) -> int:
    if not _recorded("readjudications list", arguments.state or _ALL, arguments):
        return _REFUSED
    return readjudications.listed(Settings(), arguments.state, sys.stdout)


def _show_proposal(arguments: argparse.Namespace) -> int:
    if not _recorded("readjudications show", arguments.proposal, arguments):
        return _REFUSED
    return readjudications.shown(Settings(), arguments.proposal, sys.stdout)


def _reporting(verbs: Any) -> None:
    verb = verbs.add_parser("sheet", help="结算单 / the settlement sheet as PDF")
    verb.add_argument("settlement")
    verb.add_argument("--out", type=Path, required=True)
    _read_by(verb)
    verb.set_defaults(run=_sheet)
    verb = verbs.add_parser("clocks", help="期限一览 / what is due, when, and who has to act")
    verb.add_argument("--on", type=date.fromisoformat, help="从哪一天看 / seen from this day")
    verb.add_argument("--event", choices=clocks.names(), help="只算一项期限 / one clock alone")
    verb.add_argument("--since", type=date.fromisoformat, help="起算日 / the day it starts")
    _read_by(verb)
    verb.set_defaults(run=_clocks)
    verb = verbs.add_parser("cuts", help="扣款（拒付）明细 / the cuts of a period as XLSX")
    verb.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    verb.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    verb.add_argument("--hospital", default="", help="默认全部 / default: all")
    verb.add_argument("--out", type=Path, required=True, help="FILE.xlsx")
    _read_by(verb)
    verb.set_defaults(run=_cuts)
    verb = verbs.add_parser("reconciliation", help="对账表 / a day's reconciliation as XLSX")
    verb.add_argument("day")
    verb.add_argument("--out", type=Path, required=True)
    _read_by(verb)
    verb.set_defaults(run=_reconciliation)


def _guarding(verbs: Any) -> None:
    """Verbs of personal data: the keys it lies under, persons found, purged."""
    verb = verbs.add_parser("data-keys", help="数据密钥 / the keys that personal data lies under")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("list", help="各密钥下还有多少行 / rows under each")
    verb.set_defaults(run=lambda _: data_keys.listed(Settings(), sys.stdout))
    verb = inner.add_parser("renew", help="更换，不停机 / the next key, without stopping")
    verb.add_argument("kind", choices=("record", "index"), help="数据或检索 / data or look-up")
    verb.add_argument("--year", default="", help="默认今年 / default: this year's")
    verb.set_defaults(run=_acted("data_key.renew", "kind", "year", *_answerable(verb)))
    verb = inner.add_parser("retire", help="销毁旧密钥 / destroy one that has a successor")
    verb.add_argument("key")
    verb.set_defaults(run=_acted("data_key.retire", "key", *_answerable(verb)))

    verb = verbs.add_parser("person", help="查人 / find a person")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser(
        "find", help="标准输入两行：身份证号、姓名 / two lines of input: number, name"
    )
    _answerable(verb)
    verb.set_defaults(run=_find_person)
    verb = verbs.add_parser("purge", help="清除个人信息，须两人 / purge a person, by two persons")
    inner = verb.add_subparsers(required=True, metavar="VERB")
    verb = inner.add_parser("ask", help="申请 / ask for it")
    verb.add_argument("person", help="编号 P… / the id that a person was found under")
    verb.set_defaults(run=_acted("purge.ask", "person", *_answerable(verb)))
    verb = inner.add_parser("confirm", help="另一人确认 / another person confirms it")
    verb.add_argument("purge", help="申请编号 X… / the id of the request")
    verb.set_defaults(run=_acted("purge.confirm", "purge", *_answerable(verb)))


def _read_by(verb: argparse.ArgumentParser) -> None:
    """Who reads a record and why: by default the account at work, and the verb itself."""
    verb.add_argument("--by", default="", help="读取人 / who reads; default: this account")
    verb.add_argument("--reason", default="", help="理由 / why")


def _find_person(arguments: argparse.Namespace) -> int:
    """Number and name are read, not given as words: those would stand in the shell's history."""
    id_no, name = sys.stdin.readline(), sys.stdin.readline()
    given = {"id_no": id_no, "name": name, "by": arguments.by, "reason": arguments.reason}
    return _perform("person.find", given, None, app.attended)


def _recorded(what: str, subject: str, given: argparse.Namespace) -> bool:
    """Whether it was kept that somebody reads the record: else nothing is shown."""
    try:
        need_database(Settings())
        need_keys(Settings())
    except NotTold as missing:
        return not _say(str(missing))
    asked = {"what": what, "subject": subject, "by": given.by or getuser()}
    try:
        act = _performed("record.read", {**asked, "reason": given.reason or what}, app.attended)
        asyncio.run(act)
    except NotDone as refusal:
        return not _say(str(refusal))
    except UNREADABLE as error:
        return not _say(str(unreadable(error)))
    except (httpx.TransportError, StoreFailed) as failed:
        if isinstance(failed.__cause__, UNREADABLE):
            return not _say(str(unreadable(failed.__cause__)))
        return not _say("读取未能登记，请稍候 / the reading could not be recorded: try again soon")
    return True


def _answerable(verb: argparse.ArgumentParser) -> tuple[str, str]:
    """The arguments that say who does it and why."""
    verb.add_argument("--by", required=True, help="办理人 / who")
    verb.add_argument("--reason", required=True, help="理由 / why")
    return "by", "reason"


def _clocks(arguments: argparse.Namespace) -> int:
    settings, given = Settings(), arguments
    today = given.on or business_day(SystemClock().now())
    if given.event is not None:
        return clocks.run_one(settings, given.event, given.since or today, today, sys.stdout)
    if not _recorded("clocks", today.isoformat(), given):
        return _REFUSED
    return clocks.run(settings, today, sys.stdout)


def _serve(given: argparse.Namespace) -> int:
    logs.set_up()
    try:
        asyncio.run(app.run(Settings(), given.role))
    except app.NotSplit as role:
        return _say(f"{role}：SQLite 只许一个进程 / SQLite takes one process: --role all")
    except AlreadyRunning as lock:
        return _say(f"另一进程正在使用 / another process holds {lock}")
    return _DONE


def _migrate(_: argparse.Namespace) -> int:
    settings = Settings()
    asyncio.run(need_region(settings))
    if settings.database_url:
        changed = asyncio.run(migrate_at(settings.database_url))
    else:
        changed = migrate(settings.database_path)
    print("已升级 / migrated" if changed else "已是最新 / up to date")
    return _DONE


def _doctor(_: argparse.Namespace) -> int:
    return doctor.run(Settings(), sys.stdout)


def _check(_: argparse.Namespace) -> int:
    try:
        return check.run(Settings(), sys.stdout)
    except NotTold as silent:
        return _say(str(silent))


def _demo(arguments: argparse.Namespace) -> int:
    from gateway.verbs import demo

    return demo.run(arguments.out, arguments.start, keep=arguments.keep, verb=main)


def _set_clock(arguments: argparse.Namespace) -> int:
    """Only a running server has a clock that can be set."""
    asked = _asked(Settings(), "clock.set", {"instant": arguments.instant})
    try:
        print(asyncio.run(asked))
    except httpx.TransportError:
        return _say("没有正在运行的网关 / no server is running here")
    except NotDone as refusal:
        return _say(str(refusal))
    return _DONE


def _acted(act: str, *names: str) -> Any:
    """A verb that is one of the operator's acts with these arguments."""

    def run(arguments: argparse.Namespace) -> int:
        given = {name: getattr(arguments, name) for name in names}
        return _perform(act, given, None)

    return run


def _enrol(arguments: argparse.Namespace) -> int:
    given = {
        "party": arguments.party,
        "purpose": arguments.purpose,
        "csr": arguments.csr.read_text(errors="replace"),
    }
    return _perform("key.enrol", given, arguments.out)


def _perform(
    act: str, given: Mapping[str, Any], out: Path | None, opening: _Opening = app.opened
) -> int:
    """Through the running server when there is one, else here."""
    try:
        text = asyncio.run(_performed(act, given, opening))
    except NotDone as refusal:
        return _say(str(refusal))
    except httpx.TransportError:
        return _say("另一进程正在使用数据库，请稍候 / another process is at work: try again soon")
    except StoreFailed as failed:
        return _say(
            f"数据库失败（{failed}），是否生效不明：运行 gateway doctor"
            " / the store failed, and nobody knows whether it took effect: run gateway doctor"
        )
    if out is not None:
        out.write_text(text)
    else:
        print(text.rstrip("\n"))
    return _DONE


async def _performed(act: str, given: Mapping[str, Any], opening: _Opening) -> str:
    settings = Settings()
    try:
        async with opening(settings) as gateway:
            return await admin.perform(gateway.office, act, given)
    except AlreadyRunning:
        return await _asked(settings, act, given)


async def _asked(settings: Settings, act: str, given: Mapping[str, Any]) -> str:
    body = {"act": act, "arguments": dict(given)}
    with reachable(app.socket_path(settings)) as name:
        transport = httpx.AsyncHTTPTransport(uds=name)
        async with httpx.AsyncClient(transport=transport, timeout=_PATIENCE_S) as client:
            answer = (await client.post(f"http://admin{admin.PATH}", json=body)).json()
    if "text" not in answer:
        raise NotDone(answer.get("refused") or json.dumps(answer, ensure_ascii=False))
    return str(answer["text"])


def _policy_check(arguments: argparse.Namespace) -> int:
    today = arguments.on or business_day(SystemClock().now())
    return policy.check(arguments.region, arguments.dir, today, sys.stdout)


def _policy_show(arguments: argparse.Namespace) -> int:
    region = arguments.region or Settings().region
    return policy.show(region, arguments.key, arguments.on, sys.stdout)


def _policy_diff(arguments: argparse.Namespace) -> int:
    return policy.diff(Settings(), arguments.old, arguments.new, arguments.on, sys.stdout)


def _calculate(arguments: argparse.Namespace) -> int:
    return calculate.run(arguments.file, arguments.check, sys.stdout, sys.stderr)


def _explain(arguments: argparse.Namespace) -> int:
    given = arguments
    if given.as_case and given.line is not None:
        print(
            "--as-case 是整张账单，不能只要一行 / --as-case tells a whole bill: leave --line out",
            file=sys.stderr,
        )
        return _USAGE
    if not _recorded("explain", given.settlement, given):
        return _REFUSED
    return explain.run(Settings(), given.settlement, given.as_case, sys.stdout, given.line)


def _replay(arguments: argparse.Namespace) -> int:
    """Only differences are records of persons: counts are told to whoever asks."""
    given = arguments
    subject = " ".join(given.settlements) or _ALL

    def recorded() -> bool:
        return _recorded("replay", subject, given)

    return replay.run(Settings(), given.settlements, sys.stdout, recorded, given.cores)


def _backwards(first: date, last: date) -> int:
    """A span that ends before it begins holds no settlement at all."""
    print(
        f"--to {last} 早于 --from {first} / --to {last} is before --from {first}", file=sys.stderr
    )
    return _USAGE


def _what_if(arguments: argparse.Namespace) -> int:
    given = arguments
    if given.policy is None and given.catalog is None:
        print("给出 --policy 或 --catalog / give --policy or --catalog", file=sys.stderr)
        return _USAGE
    if given.last < given.first:
        return _backwards(given.first, given.last)
    if not _recorded("what-if", f"{given.first}–{given.last}", given):
        return _REFUSED
    asked = what_if.Asked(
        policy=given.policy,
        catalogue=given.catalog,
        first=given.first,
        last=given.last,
        out=given.out,
    )
    return what_if.run(Settings(), asked, sys.stdout)


def _verify(arguments: argparse.Namespace) -> int:
    raw, trust = arguments.file.read_bytes(), arguments.trust.read_bytes()
    sender = arguments.sender or Settings().gateway_id
    try:
        sealed = verify_offline(raw, trust, sender)
    except SealBroken as broken:
        return _say(f"{broken.code}: {broken.zh} / {broken.en}")
    except ValueError:
        print(f"没有证书 / no certificate in {arguments.trust}", file=sys.stderr)
        return _USAGE
    header = sealed.header
    print(f"签名有效 / valid: {header.command} {header.message_id}")
    print(f"  {header.sender} → {header.receiver}  {header.sent_at.isoformat()}")
    print(f"  digest {sealed.digest}  key {sealed.fingerprint}")
    return _DONE


def _sheet(arguments: argparse.Namespace) -> int:
    if not _recorded("sheet", arguments.settlement, arguments):
        return _REFUSED
    return sheets.write_sheet(Settings(), arguments.settlement, arguments.out)


def _cuts(arguments: argparse.Namespace) -> int:
    given = arguments
    if given.last < given.first:
        return _backwards(given.first, given.last)
    if not _recorded("cuts", f"{given.first}–{given.last} {given.hospital}".rstrip(), given):
        return _REFUSED
    return sheets.write_cuts(Settings(), given.first, given.last, given.hospital, given.out)


def _reconciliation(arguments: argparse.Namespace) -> int:
    if not _recorded("reconciliation", arguments.day, arguments):
        return _REFUSED
    return sheets.write_reconciliation(Settings(), arguments.day, arguments.out)


def _say(text: str) -> int:
    print(text, file=sys.stderr)
    return _REFUSED

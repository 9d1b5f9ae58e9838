"""`gateway demo`: the main job on this machine, with real servers, certificates and bills 演示.

Everything goes through the public interfaces. What a reader may want is left in the output
folder; databases and private keys stay in a folder of their own that is removed at the end.
"""

import asyncio
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

from adapters.agency_xml import AgencyXml
from adapters.sandbox import cast, story
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Unknown
from adapters.sandbox.expect import StoryBroken, expect
from adapters.sandbox.partner import Partner
from adapters.sandbox.progress import Progress
from adapters.sandbox.server import serving
from adapters.sandbox.settling import DISCHARGES
from adapters.sandbox.summary import Summary, summed_up
from adapters.sandbox.town import AGENCY, Place, Sizes, Town, founded
from gateway.clock import SystemClock, elapsed_s
from gateway.settings import Settings
from gateway.web.mtls import make_server, serve, stop

DONE, BROKEN, MALFORMED = 0, 1, 2
_MARK: Final = ".gateway-demo"
_PREFIX: Final = "GATEWAY_"
_LOG_TAIL: Final = 5
Verb = Callable[[Sequence[str]], int]
"""The command line: words in, exit code out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story is played: `out` is left to the reader, `home` holds keys and data."""

    out: Path
    home: Path
    start: datetime
    verb: Verb
    say: TextIO
    sizes: Sizes = field(default_factory=Sizes)

    @property
    def data_dir(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.out / "gateway.log"

    @property
    def partner(self) -> Partner:
        return Partner(self.home / "agency")

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the demo's gateway, as environment variables."""
        return {
            "GATEWAY_DATA_DIR": str(self.data_dir),
            "GATEWAY_ENVIRONMENT": "demo",
            "GATEWAY_HOSPITAL_PORT": "0",
            "GATEWAY_AGENCY_PORT": "0",
            "GATEWAY_OPS_PORT": "0",
            "GATEWAY_PARTNER_CA": str(self.partner.ca),
            "GATEWAY_BUSINESS_START": self.start.isoformat(),
            "GATEWAY_DELIVERY_POLL_S": "0.05",
        }


def run(out: Path, start: str, *, keep: bool, verb: Verb, say: TextIO | None = None) -> int:
    """Play the story from `start` (RFC 3339 with offset) and leave `out` behind.

    The exit code is 0; 1 when the gateway did not do what the story expects, with a sentence;
    2 for a malformed start or an output folder that is not ours. `keep` leaves the servers up.
    """
    say = say or sys.stdout
    try:
        begin = _instant(start)
        _prepare(out)
    except ValueError as fault:
        return _told(say, f"✗ {fault}", MALFORMED)
    home = Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    stage = Stage(out=out.resolve(), home=home, start=begin, verb=verb, say=say)
    try:
        asyncio.run(_interruptible(stage, keep=keep))
    except (StoryBroken, Unknown) as broken:
        _told(say, f"✗ {broken}", BROKEN)
        return _told(say, _tail(stage.log), BROKEN)
    except (asyncio.CancelledError, KeyboardInterrupt):
        return _told(say, "✗ 已中断 / interrupted", BROKEN)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return DONE


async def _interruptible(stage: Stage, *, keep: bool) -> None:
    """SIGTERM ends the story as Ctrl-C does: the server never outlives it."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await play(stage, keep=keep)


def _instant(text: str) -> datetime:
    """An instant with its offset. Raises ValueError with a sentence."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--start 不是时刻 / --start is no instant: {text}") from None
    if found.tzinfo is None:
        raise ValueError("--start 须带时区，如 +08:00 / give --start an offset, as +08:00")
    return found


def _prepare(out: Path) -> None:
    """An empty folder of ours. Raises ValueError for a folder with other people's files."""
    ours = not out.exists() or (out / _MARK).exists() or not any(out.iterdir())
    if not ours:
        raise ValueError(f"{out} 不是演示目录，不会清空 / {out} is no demo folder: left alone")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).touch()


def _told(say: TextIO, text: str, code: int) -> int:
    say.write(f"{text}\n")
    return code


def _tail(log: Path) -> str:
    """The end of the server's log, whose personal data is masked."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])


async def play(stage: Stage, *, keep: bool = False) -> Summary:
    """The whole story; the summary is returned and lies in the output folder with the rest.

    Raises StoryBroken and Unknown.
    """
    began, progress = elapsed_s(), Progress(stage.say)
    stage.partner.make()
    with _environment(stage.settings):
        async with _town(stage, progress) as town:
            await story.play(town, progress)
            with progress.scene(
                "报表与离线验签", "reports, offline check", town.clock.now
            ) as shown:
                shown.note = await _leave(stage, town)
            summary = summed_up(town, max(round(elapsed_s(began)), 1))
            _write(stage.out / "summary.json", summary)
            _end(stage, progress, summary)
            if keep:
                await _kept(stage, town, progress)
    return summary


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """The command line reads its settings from the environment: for a while, only these."""
    before = {name: text for name, text in os.environ.items() if name.startswith(_PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
        os.environ.update(before)


@asynccontextmanager
async def _town(stage: Stage, progress: Progress) -> AsyncIterator[Town]:
    """The gateway and the agency's core system running, everybody registered."""
    clock = SystemClock.starting_at(stage.start)
    async with AsyncExitStack() as stack:
        with progress.scene("启动网关", "the gateway starts", clock.now) as shown:
            server = serving(dict(os.environ), stage.data_dir, stage.log)
            ports = await stack.enter_async_context(server)
            shown.note = "，".join(f"{name} {port}" for name, port in ports.items())
        place = _place(stage, ports)
        core, callback = await stack.enter_async_context(_core(stage, place, clock))
        with progress.scene("证书与登记", "certificates, parties", clock.now) as shown:
            operate = _operator(stage.verb)
            town = await founded(place, operate, clock, core, callback, stage.sizes)
            stack.push_async_callback(town.close)
            shown.note = f"{len(town.hospitals)} 医院 hospitals，1 代办 carrier，1 经办 agency"
        yield town


def _place(stage: Stage, ports: dict[str, int]) -> Place:
    settings = Settings()
    return Place(
        receiver=settings.receiver,
        ports=ports,
        ca=settings.trust_dir / "ca.pem",
        keys=stage.home / "parties",
        messages=stage.out / "messages",
    )


@asynccontextmanager
async def _core(stage: Stage, place: Place, clock: SystemClock) -> AsyncIterator[tuple[Core, str]]:
    """The agency's core system with its own listener, and the address to push to."""
    core = Core(
        party_id=AGENCY,
        trust=place.ca.read_bytes(),
        codec=AgencyXml(),
        now=clock.now,
        journal=place.messages / AGENCY,
    )
    partner = stage.partner
    tls = server_tls(partner.certificate, partner.key, place.ca)
    listener = make_server(core.app(), "127.0.0.1", 0, tls)
    serving_core = asyncio.create_task(serve([listener]))
    try:
        yield core, f"https://localhost:{listener.port}/messages"
    finally:
        stop([listener])
        await serving_core


def _operator(verb: Verb) -> Any:
    """The operator at the command line of this deployment."""

    async def operate(*words: str) -> str:
        code, text = await asyncio.to_thread(_printed, verb, words)
        command = " ".join(words[:3])
        expect(
            code == DONE,
            f"gateway {command} 失败：{text.strip()}",
            f"gateway {command} failed",
        )
        return text

    return operate


def _printed(verb: Verb, words: Sequence[str]) -> tuple[int, str]:
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        code = verb(words)
    return code, printed.getvalue()


async def _leave(stage: Stage, town: Town) -> str:
    """The signed settlement of the middle bill with its trust, the sheet and the workbook."""
    out, settings = stage.out, Settings()
    (out / "trust").mkdir()
    for name in ("ca.pem", "signer.pem"):
        shutil.copyfile(settings.trust_dir / name, out / "trust" / name)
    settled = town.stay(cast.TIBIA).committed
    if settled is None:
        raise StoryBroken("没有可留下的结算 / there is no settlement to leave")
    (out / "settlement.xml").write_bytes(settled.received)
    sheet, workbook = out / "settlement.pdf", out / "reconciliation.xlsx"
    await town.operate("sheet", settled.result.settlement_id, "--out", str(sheet))
    day = town.day(DISCHARGES).isoformat()
    await town.operate("reconciliation", day, "--out", str(workbook))
    trust = str(out / "trust" / "ca.pem")
    verified = await town.operate("verify", str(out / "settlement.xml"), "--trust", trust)
    return verified.partition("\n")[0]


def _write(path: Path, summary: Summary) -> None:
    path.write_text(json.dumps(summary.plain(), ensure_ascii=False, indent=2) + "\n")


def _end(stage: Stage, progress: Progress, summary: Summary) -> None:
    progress.say("")
    progress.table(summary.table())
    progress.say("")
    progress.say(f"输出 output: {stage.out}")
    names = sorted(path.name for path in stage.out.iterdir() if path.name != _MARK)
    progress.say(f"  {'  '.join(names)}")


async def _kept(stage: Stage, town: Town, progress: Progress) -> None:
    """Say how to call the servers, and leave them up until Ctrl-C."""
    progress.say("")
    progress.say("服务仍在运行，Ctrl-C 结束 / the servers stay up until Ctrl-C:")
    for line in _calls(stage, town):
        progress.say(f"  {line}")
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


def _calls(stage: Stage, town: Town) -> list[str]:
    """Working curl commands: operations, and a message again over mutual TLS."""
    place, stay = town.place, town.stay(cast.FOREARM)
    keys, party = place.keys / "H001", place.messages / "H001"
    message = party / f"{stay.commit_id}.sent.xml"
    return [
        f"curl {place.url('ops')}/readyz",
        f"curl {place.url('ops')}/metrics",
        f"curl --cacert {stage.out / 'trust' / 'ca.pem'} --cert {keys / 'tls.pem'}"
        f" --key {keys / 'tls.key'} -H 'Content-Type: application/xml'"
        f" --data-binary @{message} {place.url('hospital')}/api/v1/messages",
    ]

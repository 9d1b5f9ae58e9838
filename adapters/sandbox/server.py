"""演示服务器 The real gateway as a program of its own, on ports that the machine chooses."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from adapters.sandbox.expect import StoryBroken

_START_S: Final = 60.0
_STOP_S: Final = 20.0
_LISTENERS: Final = 3
_POLL_S: Final = 0.05


@asynccontextmanager
async def serving(
    environment: Mapping[str, str], data_dir: Path, log: Path
) -> AsyncIterator[dict[str, int]]:
    """`gateway serve` until the block ends; gives the port of each listener.

    Raises StoryBroken when it does not come up.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", env=environment, stdout=output, stderr=output
        )
    try:
        yield await _ports(process, data_dir / "ports")
    finally:
        await _stopped(process)


async def _ports(process: Process, path: Path) -> dict[str, int]:
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                found = _read(path)
                if len(found) == _LISTENERS:
                    return found
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise StoryBroken("网关未能及时启动 / the gateway did not start in time") from None
    raise StoryBroken("网关启动失败，见日志 / the gateway did not start: see its log")


def _read(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    lines = [line.split() for line in path.read_text().splitlines()]
    return {name: int(port) for name, port in lines}


async def _stopped(process: Process) -> None:
    """Ask it to stop; after a while, insist."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()

"""Where the hostile files lie, and how an attack's cost and refusal are measured."""

import os
import time
from pathlib import Path

import pytest

from gateway.seal.broken import SealBroken

from ..seal.makers import hospital, opened

CPU_SECONDS = 0.5


def hostile_files() -> list[Path]:
    beside = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("GATEWAY_SHARED", beside)) / "data" / "hostile"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refused_cheaply(raw: bytes) -> str:
    """The code of the refusal; fails when the bytes are believed or cost half a second of CPU."""
    hospital()
    began = time.process_time()
    with pytest.raises(SealBroken) as refused:
        opened(raw)
    assert time.process_time() - began < CPU_SECONDS
    return refused.value.code


def accepted(raw: bytes) -> bool:
    try:
        opened(raw)
    except SealBroken:
        return False
    return True

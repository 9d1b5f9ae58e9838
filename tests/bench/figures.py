"""What the bench found, as files: one of each part, and docs/figures/bench.json once every part
was measured whole, on one machine, of one code."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.figures import kept, told, write

_PLACES: Final = 3
_PROGRAM: Final = "python -m tests.bench"


def write_part(
    part: str, figures: Mapping[str, float], smaller: Mapping[str, int], source_of: str
) -> Path:
    """docs/figures/parts/bench-PART.json; `smaller` are the sizes that were not the full ones."""
    rounded = {name: round(value, _PLACES) for name, value in figures.items()}
    options = "".join(f" --{name} {size}" for name, size in smaller.items())
    return write(_name(part), rounded, _whole(part) + options, source_of)


def write_whole(parts: Collection[str], source_of: str) -> tuple[str, ...]:
    """docs/figures/bench.json from all parts; or, for each that does not fit, what it is."""
    files = {part: told(_name(part)) for part in parts}
    machines = {file["machine"] for file in files.values() if file}
    unfit = tuple(_unfit(files, machines, source_of))
    if not unfit:
        figures = {name: value for part in parts for name, value in kept(_name(part)).items()}
        write("bench", figures, _PROGRAM, source_of)
    return unfit


def _unfit(
    files: Mapping[str, Mapping[str, Any]], machines: Collection[str], source_of: str
) -> Iterator[str]:
    for part, file in files.items():
        if not file:
            yield f"{part} is missing"
        elif file["source"] != source_of:
            yield f"{part} is of other code"
        elif file["command"] != _whole(part):
            yield f"{part} is not whole: {file['command']}"
        elif len(machines) > 1:
            yield f"{part} is of {file['machine']}, and other parts are not"


def _name(part: str) -> str:
    return f"parts/bench-{part}"


def _whole(part: str) -> str:
    return f"{_PROGRAM} {part}"

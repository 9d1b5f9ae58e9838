"""One file of the project as the checks see it, and the project as a whole."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("gateway", "adapters", "schemas", "certs", "tests", "docs", "docker", ".ci")
"""Everything of ours lies in these and in the files beside them."""

_MADE_BY_MACHINES: Final = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache"})
_NEVER_TRACKED: Final = frozenset({".key", ".pem", ".csr", ".pyc", ".p12", ".pfx"})


@dataclass(frozen=True, slots=True)
class Source:
    """A path from the project's root, with slashes, and the text found there."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @property
    def module(self) -> str:
        """The name by which the file is imported; a package is its folder."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    def within(self, *folders: str) -> bool:
        """Whether the file is one of these, or lies in one of these folders."""
        return any(self.path == each or self.path.startswith(f"{each}/") for each in folders)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def project() -> tuple[Source, ...]:
    """Every text file of the project, in order of path."""
    files = sorted({*_beside(), *_inside()})
    return tuple(each for each in map(_source, files) if each is not None)


def _beside() -> Iterator[Path]:
    return (path for path in PROJECT.glob("*") if path.is_file())


def _inside() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in (PROJECT / folder).rglob("*"):
            made = _MADE_BY_MACHINES.intersection(path.parts)
            if path.is_file() and not made and path.suffix not in _NEVER_TRACKED:
                yield path


def _source(path: Path) -> Source | None:
    try:
        return Source(path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return None


def python_files() -> tuple[Source, ...]:
    """Every Python file of the project."""
    return tuple(source for source in project() if source.is_python)

"""What no file of the project may say: where it was written, by what, and any secret."""

import re
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Source


def _whole(*halves: str) -> str:
    """A word put together, so that this file passes its own check."""
    return "|".join(half.replace("~", "") for half in halves)


_HOMES: Final = _whole("wo~rk", "fa~rm", "ro~ot", "ho~me", "Us~ers")
_MACHINE: Final = re.compile(
    rf"(?<![\w.>*-])/(?:{_HOMES})/|(?<![\w.])/{_whole('t~mp')}/|{_whole('bash_~jobs')}"
)
_REGISTRIES: Final = re.compile(
    rf"(?:{_whole('py~pi', 'pythonhos~ted', 'npm~js', 'deb[.]deb~ian')})[.]\w{{2,3}}"
)
_MAKERS: Final = re.compile(
    _whole("cla~ude", "anth~ropic", "chat~gpt", "ai ag~ent", "language mo~del"), re.IGNORECASE
)
_PRIVATE_KEY: Final = re.compile(f"-----{_whole('BEG~IN')} [A-Z ]*PRIVATE KEY-----")
_PATTERNS: Final = (
    (_MACHINE, "a path of one machine; write it from the project's root"),
    (_REGISTRIES, "a package registry; the builder's own configuration names it"),
    (_MAKERS, "a tool that is no part of the project; leave it out"),
    (_PRIVATE_KEY, "a private key; make keys when the program or the test runs"),
)


def clean_words(source: Source) -> Iterator[str]:
    """Lines that name a machine, a registry or a tool, or hold a private key."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        for pattern, instead in _PATTERNS:
            if pattern.search(line):
                yield f"{source.path}:{number}: this names {instead}"

"""Secrets in tracked files: `python -m tests.secret_scan`; exit code 1 when one is found.

Looks for private key blocks, passwords given in code, and tokens too random to be words.
"""

import base64
import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import PROJECT, Source

_KEY_BLOCK: Final = re.compile("-----BEG" r"IN [A-Z ]*PRIVATE KEY-----")
_GIVEN: Final = re.compile(
    r"""(?i)\b(?:password|passwd|secret|api_?key|access_?token)\b["']?\s*[:=]\s*["'][^"'{}<>]{8,}["']"""
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9+/_-]{28,}={0,2}")
_DIGEST: Final = re.compile(r"[0-9a-f]{32,128}|[0-9A-F]{32,128}")
_SAMPLE_DIGEST: Final = base64.b64encode(hashlib.sha256(b"").digest()).decode()
"""The digest of nothing: what the published examples show for a digest."""
_KINDS: Final = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))
_BITS_MIN: Final = 4.2
"""Bits a character: English and Chinese-pinyin names lie below 4, random base64 above 4.5."""


def secrets(source: Source) -> Iterator[str]:
    """What looks like a secret, as path, line and what to do; never the secret itself."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        for found in _found(line):
            yield f"{source.path}:{number}: {found}"


def _found(line: str) -> Iterator[str]:
    if _KEY_BLOCK.search(line):
        yield "a private key; make keys when the program or the test runs"
    if _GIVEN.search(line):
        yield "a password in a file; read it from the environment"
    if any(_random(token) for token in _TOKEN.findall(line)):
        yield "a random token; if it is public, write it where the scan can tell (hex digest)"


def _random(token: str) -> bool:
    """Whether a token mixes all kinds of characters with nearly no repetition."""
    public = token == _SAMPLE_DIGEST or _DIGEST.fullmatch(token)
    if public or not all(kind.search(token) for kind in _KINDS):
        return False
    counts = Counter(token).values()
    bits = -sum(count / len(token) * math.log2(count / len(token)) for count in counts)
    return bits >= _BITS_MIN


def tracked() -> Iterator[Source]:
    """Every tracked text file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = PROJECT / name
        if path.is_file():
            yield Source(name, path.read_text(encoding="utf-8", errors="replace"))


def main() -> int:
    """Scan every tracked file; 0 when none holds a secret."""
    sources = list(tracked())
    faults = [fault for source in sources for fault in secrets(source)]
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    sys.stdout.write(f"secret scan: {len(sources)} files, {len(faults)} found\n")
    return 1 if faults or not sources else 0


if __name__ == "__main__":
    sys.exit(main())

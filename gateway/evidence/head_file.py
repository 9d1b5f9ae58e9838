"""The last checkpoint in a file outside the database: what was once signed is never unsigned.

It is on disk before anybody sees the checkpoint, so a database that went back, by a restored
backup or a lost disk, is behind its file, and the log stands still.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp


@dataclass(frozen=True, slots=True)
class HeadFile:
    """The file of one log's last checkpoint."""

    path: Path

    def read(self) -> str:
        """The last signed note; "" before the first."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def write(self, note: str) -> None:
        """Replace the note, whole and on disk when this returns. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = mkstemp(dir=self.path.parent, prefix=".")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

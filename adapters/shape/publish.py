"""公布 Write what derives from the shapes: schemas, examples and the wire reference.

`python -m adapters.shape.publish`; a test compares every file with what this writes.
"""

import sys
from pathlib import Path
from typing import Final

from adapters.agency_xml.names import DIALECT as AGENCY
from adapters.hospital_xml.names import DIALECT as HOSPITAL
from adapters.shape import markdown, xsd
from adapters.shape.dialect import Dialect
from adapters.shape.examples import examples

PROJECT: Final = Path(__file__).parents[2]


def files() -> dict[str, str]:
    """The text of every published file by its path from the project's root."""
    return _of(HOSPITAL) | _of(AGENCY)


def _of(dialect: Dialect) -> dict[str, str]:
    folder = f"schemas/examples/{dialect.name}/v1"
    texts = {
        f"schemas/{dialect.name}/v1/message.xsd": xsd.render(dialect),
        f"docs/wire-{dialect.name}.md": markdown.render(dialect),
    }
    for each in examples(dialect):
        texts[f"{folder}/{each.name}.valid.xml"] = each.valid
        texts[f"{folder}/{each.name}.invalid.xml"] = each.invalid
    return texts


def publish(root: Path = PROJECT) -> int:
    """Write every published file below `root`; how many they are."""
    texts = files()
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return len(texts)


if __name__ == "__main__":
    sys.stdout.write(f"已写出 wrote {publish()} files\n")

"""Personal data at rest: compressed, then AES-256-GCM under a key of the record's own.

The record key is wrapped by the yearly key of the region, which lives outside the
database, and is bound (AAD) to table, column, row and key id: a ciphertext moved
elsewhere does not open. Destroying the wrapped record key deletes the record.
Look-up goes by HMAC of the normalised value under a separate key.
"""

import hmac
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from tempfile import mkstemp
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Table

_NONCE: Final = 12
_KEY: Final = 32
_FULL_WIDTH: Final = {0x3000: " "} | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


class Unopened(Exception):
    """A ciphertext does not open: moved, altered, or its key destroyed or absent."""


class KeyRing:
    """The keys outside the database: one region key a year and one look-up key."""

    def __init__(self, folder: Path, region: str) -> None:
        self._folder, self._region = folder, region
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys: dict[str, AESGCM] = {}
        self.index_id = f"{region}-index"
        self._index = self._read_or_make(self.index_id)

    def current(self, year: int) -> str:
        """The id of the region key of this business year, made when the year is new."""
        key_id = f"{self._region}-{year}"
        if key_id not in self._keys:
            self._keys[key_id] = AESGCM(self._read_or_make(key_id))
        return key_id

    def cipher(self, key_id: str) -> AESGCM:
        """The cipher of a region key. Raises Unopened when the key file is absent."""
        if key_id not in self._keys:
            path = self._path(key_id)
            if not path.exists():
                raise Unopened(f"key {key_id} is not here")
            self._keys[key_id] = AESGCM(bytes.fromhex(path.read_text()))
        return self._keys[key_id]

    def tag(self, field: str, value: str) -> str:
        """The look-up tag of a normalised value."""
        content = f"{field}|{normalised(value)}".encode()
        return hmac.new(self._index, content, sha256).hexdigest()

    def _path(self, key_id: str) -> Path:
        return self._folder / f"{key_id}.aes"

    def _read_or_make(self, key_id: str) -> bytes:
        path = self._path(key_id)
        if not path.exists():
            _write_secret(path, token_bytes(_KEY).hex())
        return bytes.fromhex(path.read_text())


def _write_secret(path: Path, content: str) -> None:
    """Create the file for its owner alone, whole at once; a second creator, of this process
    or of another one that shares the folder, keeps the first one's key."""
    handle, name = mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(name, path)
    os.unlink(name)


def normalised(value: str) -> str:
    """Half width, no blanks, capital X; a 15-digit identity number becomes its 18 digits."""
    plain = value.translate(_FULL_WIDTH).replace(" ", "").upper()
    if len(plain) == 15 and plain.isascii() and plain.isdigit():
        return _eighteen(plain)
    return plain


_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


def _eighteen(fifteen: str) -> str:
    """GB 11643-1999: the century and the check character added."""
    seventeen = fifteen[:6] + "19" + fifteen[6:]
    return seventeen + check_character(seventeen)


def check_character(seventeen: str) -> str:
    """The check character behind 17 digits of an identity number (GB 11643-1999)."""
    weighed = sum(int(d) * w for d, w in zip(seventeen, _WEIGHTS, strict=True))
    return _CHECKS[weighed % 11]


class Vault:
    """Shuts and opens the personal columns of a row."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring

    def shut(self, table: Table, row: Mapping[str, Any], year: int) -> dict[str, Any]:
        """The row with its personal columns as ciphertext under a new record key."""
        columns = table.info["personal"]
        if not columns:
            return dict(row)
        key_id, record_key = self.ring.current(year), token_bytes(_KEY)
        place = _place(table, row, key_id)
        wrapped = _encrypted(self.ring.cipher(key_id), record_key, place + b"|record_key")
        cipher = AESGCM(record_key)
        shut = {**row, "key_id": key_id, "record_key": wrapped}
        for column in columns:
            shut[column] = _shut_value(cipher, row.get(column), place, column)
        return shut

    def open(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with its personal columns in clear, as bytes. Raises Unopened."""
        opened = dict(row)
        columns = [c for c in table.info["personal"] if opened.get(c) is not None]
        if not columns:
            return opened
        cipher, place = self._record_cipher(table, row)
        for column in columns:
            opened[column] = _open_value(cipher, opened[column], place, column)
        return opened

    def reshut(
        self, table: Table, row: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """New values of personal columns under the row's own record key. Raises Unopened."""
        cipher, place = self._record_cipher(table, row)
        personal = table.info["personal"]
        return {
            name: _shut_value(cipher, value, place, name) if name in personal else value
            for name, value in values.items()
        }

    def _record_cipher(self, table: Table, row: Mapping[str, Any]) -> tuple[AESGCM, bytes]:
        if row["record_key"] is None:
            raise Unopened("the record key was destroyed")
        place = _place(table, row, row["key_id"])
        wrapped = row["record_key"]
        record_key = _decrypted(self.ring.cipher(row["key_id"]), wrapped, place + b"|record_key")
        return AESGCM(record_key), place


def _place(table: Table, row: Mapping[str, Any], key_id: str) -> bytes:
    key = "|".join(str(row[column]) for column in table.info["row_key"])
    return f"{table.name}|{key}|{key_id}".encode()


def _shut_value(cipher: AESGCM, value: Any, place: bytes, column: str) -> bytes | None:
    if value is None:
        return None
    plain = value.encode() if isinstance(value, str) else bytes(value)
    return _encrypted(cipher, zlib.compress(plain, 1), place + b"|" + column.encode())


def _open_value(cipher: AESGCM, value: bytes, place: bytes, column: str) -> bytes:
    return zlib.decompress(_decrypted(cipher, value, place + b"|" + column.encode()))


def _encrypted(cipher: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = token_bytes(_NONCE)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def _decrypted(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except InvalidTag:
        raise Unopened("the ciphertext does not belong here") from None

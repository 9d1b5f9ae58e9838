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
_WIDENED: Final = {code - 0xFEE0: code for code in range(0xFF10, 0xFF3B)}


class Unopened(Exception):
    """A ciphertext does not open: moved, altered, or its key destroyed or absent."""


class KeyRing:
    """The keys outside the database: region keys of each year, and look-up keys.

    A key that is renewed keeps its name and gets the next number: `999900-2026`, then
    `999900-2026.2`. Processes share the folder, so each use looks whether there is a younger one.
    """

    def __init__(self, folder: Path, region: str) -> None:
        self._folder, self._region = folder, region
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ciphers: dict[str, AESGCM] = {}
        self._secrets: dict[str, bytes] = {}
        self._numbers: dict[str, int] = {}
        self._newest(self._index)

    @property
    def _index(self) -> str:
        return f"{self._region}-index"

    def current(self, year: int) -> str:
        """The id of the region key of this business year, made when the year is new."""
        return self._newest(f"{self._region}-{year}")

    def cipher(self, key_id: str) -> AESGCM:
        """The cipher of a region key. Raises Unopened when the key file is absent."""
        if key_id not in self._ciphers:
            path = self._path(key_id)
            if not path.exists():
                raise Unopened(f"key {key_id} is not here")
            self._ciphers[key_id] = AESGCM(bytes.fromhex(path.read_text()))
        return self._ciphers[key_id]

    @property
    def index_id(self) -> str:
        """The id of the newest look-up key."""
        return self._newest(self._index)

    def tags(self, field: str, value: str) -> dict[str, str]:
        """The look-up tags of a normalised value by key id: one, and two while the key is being
        renewed."""
        content = f"{field}|{normalised(value)}".encode()
        return {
            key_id: hmac.new(self._secret(key_id), content, sha256).hexdigest()
            for key_id in self.index_ids()
        }

    def index_ids(self) -> tuple[str, ...]:
        """The look-up keys in use, the newest first."""
        number, found = self._number(self.index_id), [self.index_id]
        while number > 1 and self._path(_numbered(self._index, number - 1)).exists():
            number -= 1
            found.append(_numbered(self._index, number))
        return tuple(found)

    def next_id(self, year: int | None) -> str:
        """The id that `renew` would give: of the year's region key, or of the look-up key."""
        name = self._index if year is None else f"{self._region}-{year}"
        return _numbered(name, self._number(self._newest(name)) + 1)

    def renew(self, key_id: str) -> None:
        """Make the key of this id, which `next_id` told; what is written from now on uses it."""
        self._read_or_make(key_id)

    def superseded(self) -> dict[str, str]:
        """Region keys that have a younger one, each with the newest of its year."""
        years = [name for name in self.ids() if name.partition(".")[0] != self._index]
        newest = {name: self._newest(name.partition(".")[0]) for name in years}
        return {name: young for name, young in newest.items() if name != young}

    def ids(self) -> frozenset[str]:
        """Every key of the region that is here."""
        return frozenset(path.stem for path in self._folder.glob(f"{self._region}-*.aes"))

    def made_at(self, key_id: str) -> float:
        """When the key's file was made, in seconds of the epoch."""
        return self._path(key_id).stat().st_mtime

    def destroy(self, key_id: str) -> None:
        """The key is gone for ever, and with it whatever is still under it."""
        self._path(key_id).unlink(missing_ok=True)
        _sync_folder(self._folder)
        self._ciphers.pop(key_id, None)
        self._secrets.pop(key_id, None)

    def _newest(self, name: str) -> str:
        """The youngest key of the name, the first one made when there is none."""
        number = self._numbers.get(name) or self._look(name)
        while self._path(_numbered(name, number + 1)).exists():
            number += 1
        self._numbers[name] = number
        return _numbered(name, number)

    def _look(self, name: str) -> int:
        """The number of the youngest file, for whoever has not seen the folder yet."""
        there = [path.stem for path in self._folder.glob(f"{name}*.aes")]
        if not there:
            self._read_or_make(name)
        return max((self._number(one) for one in there), default=1)

    def _number(self, key_id: str) -> int:
        return int(key_id.partition(".")[2] or "1")

    def _secret(self, key_id: str) -> bytes:
        if key_id not in self._secrets:
            self._secrets[key_id] = bytes.fromhex(self._path(key_id).read_text())
        return self._secrets[key_id]

    def _path(self, key_id: str) -> Path:
        return self._folder / f"{key_id}.aes"

    def _read_or_make(self, key_id: str) -> None:
        if not self._path(key_id).exists():
            _write_secret(self._path(key_id), token_bytes(_KEY).hex())


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}.{number}"


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
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """What was made or removed in the folder stays so after a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def spellings(id_no: str) -> tuple[str, ...]:
    """How a message may have written the number: 18 characters, 15 of old, each in full width."""
    forms = [normalised(id_no)]
    if forms[0][6:8] == "19":
        forms.append(forms[0][:6] + forms[0][8:17])
    return (*forms, *(form.translate(_WIDENED) for form in forms))


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
        place, cipher = _place(table, row, key_id), AESGCM(record_key)
        shut = {**row, "key_id": key_id}
        shut["record_key"] = self._wrapped(table, row, key_id, record_key + key_id.encode())
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

    def try_key(self, table: Table, row: Mapping[str, Any]) -> None:
        """Raises Unopened when the row's record key is not as it was written."""
        self._record_cipher(table, row)

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

    def rewrapped(self, table: Table, row: Mapping[str, Any], key_id: str) -> bytes:
        """The row's record key under another region key; its columns stay as they are.

        Raises Unopened.
        """
        return self._wrapped(table, row, key_id, self._unwrapped(table, row))

    def _record_cipher(self, table: Table, row: Mapping[str, Any]) -> tuple[AESGCM, bytes]:
        content = self._unwrapped(table, row)
        record_key, first_key_id = content[:_KEY], content[_KEY:].decode()
        return AESGCM(record_key), _place(table, row, first_key_id)

    def _wrapped(self, table: Table, row: Mapping[str, Any], key_id: str, content: bytes) -> bytes:
        """A record key and the id of the region key it was first wrapped by: the columns are
        bound to that one for ever, the wrapped key to the one of now."""
        place = _place(table, row, key_id) + b"|record_key"
        return _encrypted(self.ring.cipher(key_id), content, place)

    def _unwrapped(self, table: Table, row: Mapping[str, Any]) -> bytes:
        if row["record_key"] is None:
            raise Unopened("the record key was destroyed")
        place = _place(table, row, row["key_id"]) + b"|record_key"
        return _decrypted(self.ring.cipher(row["key_id"]), row["record_key"], place)


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
    except (InvalidTag, ValueError):
        # What is too short for a nonce is no ciphertext of ours either.
        raise Unopened("the ciphertext does not belong here") from None

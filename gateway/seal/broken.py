"""拒绝 The two refusals of this package, each with a code, a Chinese and an English sentence."""

from typing import Final

MESSAGE_TOO_LARGE: Final = "MESSAGE_TOO_LARGE"
MESSAGE_NOT_UTF8: Final = "MESSAGE_NOT_UTF8"
MARKUP_FORBIDDEN: Final = "MARKUP_FORBIDDEN"
MESSAGE_NOT_XML: Final = "MESSAGE_NOT_XML"
PROFILE_VIOLATED: Final = "PROFILE_VIOLATED"
ALGORITHM_REFUSED: Final = "ALGORITHM_REFUSED"
KEY_UNKNOWN: Final = "KEY_UNKNOWN"
SIGNATURE_INVALID: Final = "SIGNATURE_INVALID"

REQUEST_UNREADABLE: Final = "REQUEST_UNREADABLE"
REQUEST_FORGED: Final = "REQUEST_FORGED"
KEY_TOO_WEAK: Final = "KEY_TOO_WEAK"
NAMES_REFUSED: Final = "NAMES_REFUSED"
PERIOD_REFUSED: Final = "PERIOD_REFUSED"


class _Refused(Exception):
    """A refusal whose sentences are written by us and never quote what was received."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{code}: {zh} {en}")
        self.code = code
        self.zh = zh
        self.en = en


class SealBroken(_Refused):
    """报文未通过验签 Bytes that must not be believed (protocol §1).

    `code` is one of MESSAGE_TOO_LARGE, MESSAGE_NOT_UTF8, MARKUP_FORBIDDEN, MESSAGE_NOT_XML,
    PROFILE_VIOLATED, ALGORITHM_REFUSED, KEY_UNKNOWN and SIGNATURE_INVALID.
    """


class CertificateRefused(_Refused):
    """不予签发证书 A certificate our authority will not issue.

    `code` is one of REQUEST_UNREADABLE, REQUEST_FORGED, KEY_TOO_WEAK, NAMES_REFUSED and
    PERIOD_REFUSED.
    """

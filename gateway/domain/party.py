"""Who speaks to the gateway: hospitals, carriers, the agency; their keys and mandates."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.catalogue import Level


class PartyKind(StrEnum):
    HOSPITAL = "hospital"
    CARRIER = "carrier"
    AGENCY = "agency"


class KeyPurpose(StrEnum):
    """What a key may be used for; a key serves one purpose."""

    TLS = "tls"
    MESSAGE = "message"


class KeyState(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"


_PROVINCE: Final = 2
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Party:
    """A registered party. The agreement days are those of the service agreement 服务协议.

    `region` is the pooling region's code of six digits, `county` that of its county 县（市、区）.
    """

    party_id: str
    version: int
    kind: PartyKind
    name: str
    region: str
    level: Level
    agreement_from: date | None = None
    agreement_to: date | None = None
    suspended_from: date | None = None
    capabilities: frozenset[str] = frozenset()
    callback_url: str = ""
    county: str = ""

    def in_province_of(self, region: str) -> bool:
        """Whether it lies in the province of a pooling region (GB/T 2260: the first two digits)."""
        return self.region[:_PROVINCE] == region[:_PROVINCE]

    def agreed_on(self, day: date) -> bool:
        """Whether the service agreement is in force on the day."""
        if self.agreement_from is None or day < self.agreement_from:
            return False
        return self.agreement_to is None or day <= self.agreement_to

    def suspended_on(self, day: date) -> bool:
        return self.suspended_from is not None and self.suspended_from <= day

    def designated_on(self, day: date) -> bool:
        """Whether it is a designated institution 定点 on the day: under an agreement in force."""
        return self.agreed_on(day) and not self.suspended_on(day)

    @property
    def designated_until(self) -> date:
        """The last day on which an agreement once in force leaves it designated."""
        suspended = date.max if self.suspended_from is None else self.suspended_from - _DAY
        return min(self.agreement_to or date.max, suspended)


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A certificate the gateway issued or registered, found by SHA-256 of its DER."""

    fingerprint: str
    party_id: str
    purpose: KeyPurpose
    state: KeyState
    version: int
    certificate_pem: str
    valid_from_us: int
    valid_to_us: int

    def usable_at(self, instant_us: int) -> bool:
        """ACTIVE and inside its validity at the instant (microseconds UTC)."""
        inside = self.valid_from_us <= instant_us <= self.valid_to_us
        return self.state is KeyState.ACTIVE and inside

"""Everything that may be set, from the environment (GATEWAY_…) or the command line."""

from datetime import datetime
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One deployment. Paths are relative to the working directory unless absolute."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="forbid", frozen=True)

    region: str = Field("999900", description="统筹区 pooling region whose policy applies")
    environment: str = Field("production", pattern=r"^[a-z][a-z0-9-]{0,15}$")
    gateway_id: str = Field("GATEWAY", pattern=r"^[A-Za-z0-9._-]{1,32}$")
    agency_id: str = Field("AGENCY", pattern=r"^[A-Za-z0-9._-]{1,32}$")
    data_dir: Path = Field(Path("gateway-data"), description="database, keys and certificates")
    host: str = "127.0.0.1"
    server_names: tuple[str, ...] = ("localhost", "127.0.0.1")
    hospital_port: int = Field(8443, ge=0, le=65535)
    agency_port: int = Field(8444, ge=0, le=65535)
    ops_port: int = Field(9464, ge=0, le=65535)
    partner_ca: Path | None = Field(
        None, description="authority of the parties we call; default: our own"
    )
    sheet_font: Path | None = Field(None, description="TrueType CJK font to embed in PDF sheets")
    business_start: datetime | None = Field(
        None, description="reading of the business clock at start (demo, tests)"
    )
    body_limit_bytes: int = Field(2 * 1024 * 1024, gt=0)
    concurrency_per_party: int = Field(16, gt=0)
    requests_per_second_per_party: int = Field(200, gt=0)
    min_free_disk_bytes: int = Field(256 * 1024 * 1024, ge=0)
    delivery_poll_s: float = Field(0.5, gt=0)

    @property
    def receiver(self) -> str:
        """What `Receiver` must say: deployment and environment."""
        return f"{self.gateway_id}.{self.region}.{self.environment}"

    @property
    def database_path(self) -> Path:
        return self.data_dir / "gateway.db"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def trust_dir(self) -> Path:
        return self.data_dir / "trust"

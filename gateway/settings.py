"""Everything that may be set, from the environment (GATEWAY_…) or the command line."""

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_RECEIVER: Final = re.compile(r".+\.([^.]+)\.[^.]+")


def region_named(receiver: str) -> str:
    """The pooling region that a `Receiver` says; "" of what none says."""
    found = _RECEIVER.fullmatch(receiver)
    return "" if found is None else found.group(1)


class Settings(BaseSettings):
    """One deployment. Paths are relative to the working directory unless absolute."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="forbid", frozen=True)

    region: str = Field(
        "999900",
        description="统筹地区，决定政策与目录；一个库只属一个地区 "
        "pooling region; a store is of one for good",
    )
    environment: str = Field(
        "production",
        pattern=r"^[a-z][a-z0-9-]{0,15}$",
        description="环境名，是 Receiver 的一部分 environment, part of `Receiver`",
    )
    gateway_id: str = Field(
        "GATEWAY",
        pattern=r"^[A-Za-z0-9._-]{1,32}$",
        description="网关编号，签名证书的名称 our id, the name in our signing certificate",
    )
    agency_id: str = Field(
        "AGENCY",
        pattern=r"^[A-Za-z0-9._-]{1,32}$",
        description="经办机构编号 the agency's id as a party",
    )
    data_dir: Path = Field(
        Path("gateway-data"),
        description="数据库、密钥与证书所在目录 database, keys and certificates",
    )
    database_url: str = Field(
        "",
        pattern=r"^($|postgresql\+asyncpg://)",
        description="PostgreSQL 的地址；空则用数据目录中的 SQLite "
        "postgresql+asyncpg://…; empty: SQLite in the data directory",
    )
    host: str = Field(
        "127.0.0.1", description="医院与经办监听的地址 address of both message listeners"
    )
    server_names: tuple[str, ...] = Field(
        ("localhost", "127.0.0.1"),
        description="服务器证书上的名称 names in the server certificate when it is made",
    )
    hospital_port: int = Field(8443, ge=0, le=65535, description="医院监听 hospital listener")
    agency_port: int = Field(8444, ge=0, le=65535, description="经办监听 agency listener")
    ops_port: int = Field(
        9464, ge=0, le=65535, description="运维监听，只在回环 operations, loopback only"
    )
    partner_ca: Path | None = Field(
        None,
        description="我方呼叫的对方所用根证书，默认为本网关的 "
        "authority of the parties we call; default: our own",
    )
    sheet_font: Path | None = Field(
        None, description="结算单嵌入的 TrueType 中文字体 TrueType CJK font to embed in PDF sheets"
    )
    records_kept_years: int | None = Field(
        None,
        gt=0,
        description="业务档案保管年限（《社会保险业务档案管理规定（试行）》），未填则不得清除 "
        "years that a person's record is kept after the last dealing; unset: nobody is purged",
    )
    business_start: datetime | None = Field(
        None,
        description="业务时钟启动时的读数（演示、测试） "
        "reading of the business clock at start (demo, tests)",
    )
    body_limit_bytes: int = Field(
        2 * 1024 * 1024, gt=0, description="报文体上限，字节 largest body in bytes"
    )
    concurrency_per_party: int = Field(
        16, gt=0, description="每方同时在办的请求 requests of one party at once"
    )
    requests_per_second_per_party: int = Field(
        200, gt=0, description="每方每秒请求数 requests of one party per second"
    )
    requests_at_once: int = Field(
        64,
        gt=0,
        description="每个监听同时在办的请求 requests of all parties at once, each listener",
    )
    person_searches_per_hour: int = Field(
        600, gt=0, description="每方每小时查人次数 searches for persons of one party per hour"
    )
    min_free_disk_bytes: int = Field(
        256 * 1024 * 1024,
        ge=0,
        description="磁盘余量下限，字节 not ready with fewer bytes of free disk",
    )
    log_head: Path | None = Field(
        None,
        description="存证日志最新检查点的文件，宜放在另一块盘上；默认在数据目录 "
        "file of the log's last checkpoint, best on another disk; default: in the data directory",
    )
    witness_key: str = Field(
        "",
        pattern=r"^($|[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$)",
        description="经办机构副署存证日志的公钥（C2SP vkey）；空则无副署 "
        "the agency's key that cosigns the log, NAME+ID+KEY; empty: no witness",
    )
    delivery_poll_s: float = Field(
        0.5,
        gt=0,
        description="外发与释放的轮询间隔，秒 seconds between looks at outbox and release jobs",
    )

    log_every_s: float = Field(
        1.0,
        gt=0,
        description="存证日志编号与签署的间隔，秒 seconds between checkpoints of the evidence log",
    )

    @property
    def receiver(self) -> str:
        """What `Receiver` must say: deployment and environment."""
        return f"{self.gateway_id}.{self.region}.{self.environment}"

    @property
    def database_path(self) -> Path:
        return self.data_dir / "gateway.db"

    @property
    def log_head_file(self) -> Path:
        return self.log_head or self.data_dir / "log" / "head"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def trust_dir(self) -> Path:
        return self.data_dir / "trust"

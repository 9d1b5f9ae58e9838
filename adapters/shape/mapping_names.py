"""目录对照字段 Wire names of mappings, shared by both interfaces."""

from typing import Final

from adapters.shape import vocabulary as word
from adapters.shape.fields import many, may, need, shape
from adapters.shape.kinds import (
    BOOL,
    COUNT,
    DAY,
    DIGEST,
    PRICE,
    TEXT_32,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    count_up_to,
)
from adapters.shape.names import FINDING, HOSPITAL, MOST_LINES
from gateway.domain.mapping import Candidate, Mapping
from gateway.domain.results import MappingsChanged, MappingsFound

_PERCENT: Final = count_up_to("Percent", 100)
_MOST_CANDIDATES: Final = 5

HOSPITAL_CODE: Final = need(
    "HospitalCode",
    "hospital_code",
    TEXT_64,
    "本院编码",
    "The hospital's own code",
    sample="HY-0001",
)
VALID_FROM: Final = need("ValidFrom", "valid_from", DAY, "生效日", "First day")
VALID_TO: Final = may(
    "ValidTo",
    "valid_to",
    DAY,
    "失效日（含），缺省为未定",
    "Last day, inclusive; open when left out",
)
VERSION: Final = need("Version", "version", COUNT, "版本，每次变更加一", "Grows with each change")
MAPPED_VALUES: Final = (
    HOSPITAL_CODE,
    need(
        "HospitalName",
        "hospital_name",
        TEXT_200,
        "本院名称",
        "The hospital's name",
        sample="换药（小）",
    ),
    may("Spec", "spec", TEXT_200, "规格", "Specification", sample="常规"),
    may("Unit", "unit", TEXT_32, "计价单位", "Unit", sample="次"),
    may("Price", "price", PRICE, "单价（元）", "Unit price in yuan", sample="12.50"),
    need("Code", "code", TEXT_64, "国家编码", "National code", sample="Z0001"),
    need("Kind", "kind", word.CATALOG, "目录种类", "Which catalogue", sample="item"),
    VALID_FROM,
    VALID_TO,
)
REASON: Final = may("Reason", "reason", TEXT_500, "理由", "Reason", sample="名称与规格相符")
MAPPING: Final = shape(
    "Mapping",
    Mapping,
    "一条对照",
    "One mapping",
    HOSPITAL,
    *MAPPED_VALUES,
    need("State", "state", word.MAPPING_STATE, "状态", "State"),
    VERSION,
    REASON,
)
CANDIDATE: Final = shape(
    "Candidate",
    Candidate,
    "名称最接近的目录条目，供人选定，网关不代选",
    "A row of near name, for a person to choose from; the gateway never chooses",
    need("Code", "code", TEXT_64, "国家编码", "National code", sample="Z0001"),
    need("Name", "name", TEXT_200, "名称", "Name", sample="换药"),
    may("Form", "form", TEXT_200, "剂型", "Form", absent="", sample="无"),
    need("Kind", "kind", word.CATALOG, "目录种类", "Which catalogue", sample="item"),
    need("Edition", "edition", DIGEST, "目录版本摘要", "Digest of the edition"),
    need(
        "Likeness", "likeness", _PERCENT, "名称相似度（百分比）", "Likeness of the names in percent"
    ),
)
ANSWERED: Final = (
    may("Finding", "finding", FINDING, "拒收原因", "Why it was rejected", rare=True),
    many(
        "Candidate",
        "candidates",
        CANDIDATE,
        "名称最接近的目录条目",
        "Rows of nearest name",
        most=_MOST_CANDIDATES,
        rare=True,
    ),
)
MAPPINGS_FOUND: Final = shape(
    "MappingsFound",
    MappingsFound,
    "对照的一页",
    "A page of mappings",
    many("Mapping", "mappings", MAPPING, "对照", "Mappings", most=MOST_LINES),
    need("More", "more", BOOL, "是否还有", "Whether there are more"),
)
MAPPINGS_CHANGED: Final = shape(
    "MappingsChanged",
    MappingsChanged,
    "对照有变更：致经办机构为待审核，致医院为审核结果",
    "To the agency: mappings to review. To the hospital: what was decided",
    HOSPITAL,
    many("Mapping", "mappings", MAPPING, "对照", "Mappings", least=1, most=2 * MOST_LINES),
)
PAGE_OF_MAPPINGS: Final = (
    may("State", "state", word.MAPPING_STATE, "只查该状态", "Of this state only", absent=None),
    may(
        "AfterCode", "after_code", TEXT_64, "从此本院编码之后", "After this code", sample="HY-0500"
    ),
    may(
        "AfterFrom",
        "after_from",
        DAY,
        "AfterCode 的对照中，从此生效日之后",
        "Of the mappings of AfterCode, after this first day",
        absent=None,
    ),
)

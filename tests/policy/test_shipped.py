"""The files that come with the project: what they say, and that their articles exist."""

import re
from datetime import date, timedelta

import pytest

from gateway.policy.citation import chinese_number
from gateway.policy.keys import KEYS, LIFTABLE, picks
from gateway.policy.load import SHIPPED, archive, load, load_archive, regions
from gateway.policy.model import Capability, PolicyGap, TextKind

EXAMPLE, WEIHAI, QUZHOU, XIAMEN = "999900", "371000", "330800", "350200"
REGIONS = (QUZHOU, XIAMEN, WEIHAI, EXAMPLE)
PLACE = re.compile(r"第([一二三四五六七八九十百]+)条(?:第([一二三四五六七八九十]+)款)?")
STATUTES = {
    "gongshang_2010": "工伤保险条例",
    "shehui_baoxian_2018": "社会保险法",
    "jingban_2023": "社会保险经办条例",
}
NATIONAL_KEYS = sorted(
    path.relative_to(SHIPPED / "national").as_posix().removesuffix(".toml")
    for path in (SHIPPED / "national").rglob("*.toml")
)


def test_the_shipped_regions_are_quzhou_xiamen_weihai_and_the_example():
    assert regions() == REGIONS


@pytest.mark.parametrize("region", REGIONS)
def test_a_shipped_region_loads_and_comes_back_whole_from_its_archive(region):
    assert load_archive(archive(region)) == load(region)


@pytest.mark.parametrize("region", REGIONS)
def test_each_change_holds_from_its_day_and_not_the_day_before(region):
    for key, dated in load(region).parameters.items():
        with pytest.raises(PolicyGap):
            dated.on(dated.values[0].since - timedelta(days=1))
        for before, after in zip(dated.values, dated.values[1:], strict=False):
            assert dated.on(after.since - timedelta(days=1)) is before, key
            assert dated.on(after.since) is after, key
        assert dated.on(date(2099, 12, 31)) is dated.values[-1], key


def test_no_key_is_allowed_that_no_shipped_file_uses():
    used = {key for region in REGIONS for key in load(region).parameters}
    assert used == set(KEYS)


def test_the_readme_lists_every_key_with_its_unit_and_words():
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_/]+)` (\|.*)$", readme, re.MULTILINE))
    assert set(rows) == set(KEYS)
    for key, spec in KEYS.items():
        assert rows[key].startswith(f"| {spec.unit} | {' / '.join(picks(key))} |"), key
        assert tuple(re.findall(r"`([A-Za-z_0-9]+)`", rows[key])) == spec.words, key


def test_the_readme_names_the_keys_that_may_have_no_limit():
    (told,) = re.findall(r"可以这样写：(.*)。", (SHIPPED / "README.md").read_text(encoding="utf-8"))
    assert told == "、".join(f"`{key}`" for key in LIFTABLE)


def test_the_example_region_picks_every_key_by_its_usual_date():
    for key, dated in load(EXAMPLE).parameters.items():
        assert dated.picked_by is picks(key)[0], key


# --- the example region -------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_example_region_answers_every_key_on_the_first_day_of_the_demo(key):
    assert load(EXAMPLE).value(key, date(2026, 3, 2)).since <= date(2026, 3, 2)


def test_everything_the_example_region_says_is_marked_as_made_up():
    policy = load(EXAMPLE)
    own = [
        value
        for key, dated in policy.parameters.items()
        if key not in NATIONAL_KEYS or dated.overrides
        for value in dated.values
    ]
    assert len(own) > 30
    assert all("虚构" in value.note for value in own)
    assert all("虚构" in policy.texts[value.law.text].title for value in own)
    assert all("虚构" in one.name for one in policy.directory.institutions)


@pytest.mark.parametrize(
    ("key", "amount"),
    [
        ("retention/percent", 500),
        ("meal/per_day_fen", 1500),
        ("meal/day_rule", "EXCLUDE_DISCHARGE"),
        ("meal/channel", "HOSPITAL"),
        ("line/no_consent_payer", "hospital"),
        ("line/ratio_payer", "individual"),
        ("line/over_quantity_payer", "hospital"),
        ("line/ratio_drug", 10000),
        ("line/ratio_item", 10000),
        ("line/ratio_material", 10000),
        ("line/ratio_facility", 10000),
        ("line/amount_tolerance_fen", 0),
        ("late/window_end_event", "ACCEPTED"),
        ("late/window_end_inclusive", False),
    ],
)
def test_the_example_region_is_the_base_of_the_worked_examples(key, amount):
    given = load(EXAMPLE).value(key, date(2026, 3, 15)).amount
    assert (given, type(given)) == (amount, type(amount))


def test_2029_12_31_出院按定额_2030_01_01_出院按最低工资的百分比():
    policy = load(EXAMPLE)
    assert policy.value("meal/form", date(2029, 12, 31)).word == "FIXED"
    assert policy.value("meal/form", date(2030, 1, 1)).word == "PCT_OF_INDEX"


def test_2025_12_31_出院按每日_12_元_2026_01_01_出院按_15_元():
    policy = load(EXAMPLE)
    assert policy.value("meal/per_day_fen", date(2025, 12, 31)).number == 1200
    assert policy.value("meal/per_day_fen", date(2026, 1, 1)).number == 1500


def test_the_three_hospitals_of_the_example_region_are_online_with_its_agency():
    policy = load(EXAMPLE)
    for code in ("H001", "H002", "H003"):
        hospital = policy.institution(code, date(2026, 3, 2))
        assert hospital.can(Capability.MEDICAL, date(2026, 3, 2))
        assert hospital.online_with("999900", date(2026, 3, 2))
        assert hospital.level is not None


# --- Weihai -------------------------------------------------------------------------------

KNOWN = date(2023, 1, 1)
WEAK_NATIONAL = {
    "late/window_end_event",
    "recognition/accept_days",
    "third_party/already_paid",
    "advance/demand_working_days",
    "advance/answer_working_days",
    "advance/refusal_working_days",
    "advance/repay_days",
}


def test_weihai_has_17_institutions_6_of_them_for_rehabilitation():
    institutions = load(WEIHAI).directory.institutions
    assert len(institutions) == 17
    assert all(one.can(Capability.MEDICAL, KNOWN) for one in institutions)
    rehabilitation = {one.name for one in institutions if one.can(Capability.REHABILITATION, KNOWN)}
    assert rehabilitation == {
        "威海市立医院",
        "威海市中医院",
        "威海卫人民医院",
        "山东省文登整骨医院",
        "荣成市人民医院",
        "乳山市中医院",
    }


def test_only_two_weihai_hospitals_are_online_with_two_agencies():
    directory = load(WEIHAI).directory
    assert set(directory.agencies.values()) == {"威海市直", "文登区"}
    for agency in directory.agencies:
        online = {one.name for one in directory.institutions if one.online_with(agency, KNOWN)}
        assert online == {"山东省文登整骨医院", "威海卫人民医院"}


def test_before_weihais_list_was_public_a_person_decides():
    policy = load(WEIHAI)
    with pytest.raises(PolicyGap):
        policy.institution("威海市立医院", KNOWN - timedelta(days=1))
    assert policy.institution("威海市立医院", KNOWN).code == "WH01"
    assert policy.institution("北京某医院", KNOWN) is None


@pytest.mark.parametrize(
    "key",
    [
        "line/no_consent_payer",
        "line/not_notified_payer",
        "line/refused_discharge_payer",
        "line/over_quantity_payer",
        "line/ratio_item",
        "line/ratio_material",
        "line/ratio_facility",
        "line/apply_drug_limits",
        "meal/per_day_fen",
        "meal/day_rule",
        "late/window_end_inclusive",
        "arrears/policy",
        "retention/percent",
        "filing/day",
        "authority/relapse",
        "medical_end/ungraded_relation_ended",
    ],
)
def test_where_weihais_texts_are_silent_there_is_no_value(key):
    with pytest.raises(PolicyGap) as caught:
        load(WEIHAI).value(key, date(2026, 3, 2))
    assert caught.value.key == key


def test_what_stands_only_on_a_web_mirror_says_so():
    policy = load(WEIHAI)
    weak = {
        key for key, dated in policy.parameters.items() if any(value.weak for value in dated.values)
    }
    assert weak == {
        "admission/register_within_days",
        "admission/check_within_working_days",
        "meal/channel",
        "third_party/policy",
        "traffic_accident/policy",
        "cross_region/policy",
        *WEAK_NATIONAL,
    }
    for key in weak:
        assert "弱依据" in policy.value(key, KNOWN).note


# --- Quzhou -------------------------------------------------------------------------------

STATUTE, POOLING = date(2020, 9, 24), date(2011, 7, 1)
QUZHOU_VALUES = [
    ("meal/form", "PCT_OF_INDEX", STATUTE, "第二十四条第一款", "最低工资百分之三十五的标准"),
    ("meal/index", "MONTHLY_MINIMUM_WAGE", STATUTE, "第二十四条第一款", "当地最低工资"),
    ("meal/index_percent", 3500, STATUTE, "第二十四条第一款", "百分之三十五"),
    ("meal/split_leave_days", True, STATUTE, "第二十四条第一款", "住院期间的实际天数"),
    ("meal/channel", "AGENCY", STATUTE, "第三十一条", "直接发放给工伤职工"),
    ("travel/standard", "CIVIL_SERVANT", STATUTE, "第二十四条第二款", "机关单位一般工作人员差旅费"),
    ("late/window_end_event", "APPLIED", STATUTE, "第十三条第二款", "提出申请前发生的"),
    ("late/needs_nobody_applied", True, STATUTE, "第十三条", "用人单位或者受伤职工"),
    ("recognition/accept_working_days", 5, STATUTE, "第十六条第一款", "五个工作日内"),
    ("recognition/refuse_after_supplement_days", 3, STATUTE, "第十六条第二款", "三日内"),
    (
        "authority/rehabilitation",
        "ASSESSMENT_COMMITTEE",
        STATUTE,
        "第十九条第一款第（四）项",
        "康复",
    ),
    ("authority/relapse", "ASSESSMENT_COMMITTEE", STATUTE, "第十九条第一款第（六）项", "旧伤复发"),
    ("medical_end/lump_sum_taken", True, STATUTE, "第二十二条第（一）项", "一次性领取"),
    ("medical_end/graded_relation_ended", True, STATUTE, "第二十二条第（二）项", "五级至十级"),
    ("medical_end/ungraded_relation_ended", True, STATUTE, "第二十二条第（三）项", "未构成伤残"),
    ("medical_end/retired", False, STATUTE, "第二十七条第一款", "继续保留工伤医疗保险待遇"),
    ("underpaid/policy", "EMPLOYER_DIFFERENCE", STATUTE, "第三十三条", "支付差额部分费用"),
    ("cover/from_day_after_roster", True, STATUTE, "第十一条第一款", "次日起生效"),
    (
        "employer/liable_of_several",
        "AT_INJURY",
        STATUTE,
        "第二十九条第二款",
        "受到伤害时工作的单位",
    ),
    ("employer/liable_when_dispatched", "DISPATCHER", STATUTE, "第三十条第一款", "由劳务派遣单位"),
    ("third_party/policy", "DIRECT", STATUTE, "第三十二条第一款", "也可以直接向工伤保险基金"),
    ("traffic_accident/policy", "DIRECT", STATUTE, "第三十二条第一款", "因第三人的原因"),
    ("third_party/already_paid", "SUBTRACT_MEDICAL", STATUTE, "第三十二条第二款", "就差额部分"),
    ("third_party/fund_recovers", "BENEFITS", STATUTE, "第三十二条第三款", "待遇范围内"),
    ("non_agreement/payable_when", "EMERGENCY_OR_REFERRAL", POOLING, "第二十九条", "除急診和轉診"),
    ("authority/remote_residence", "AGENCY", POOLING, "第三十条第一款", "辦理備案手續"),
    ("remote_residence/places", "COUNTY", POOLING, "第三十条第二款", "縣(市、區)範圍內的社保定點"),
    ("authority/referral", "AGENCY", POOLING, "第三十一条", "經核准後"),
]


@pytest.mark.parametrize(("key", "amount", "since", "article", "words"), QUZHOU_VALUES)
def test_quzhou_has_the_value_from_its_day_and_not_from_its_own_text_the_day_before(
    key, amount, since, article, words
):
    dated = load(QUZHOU).parameters[key]
    value = dated.on(since)
    assert (value.amount, value.law.article) == (amount, article)
    with pytest.raises(PolicyGap):
        dated.on(since - timedelta(days=1))


@pytest.mark.parametrize(("key", "amount", "since", "article", "words"), QUZHOU_VALUES)
def test_the_cited_article_of_zhejiang_or_quzhou_says_so(
    key, amount, since, article, words, law_text, seed_text
):
    policy = load(QUZHOU)
    title = policy.texts[policy.value(key, since).law.text].title
    if since == STATUTE:
        text = re.sub(r"^(第\S+条) ?", r"\1 ", law_text(title), flags=re.MULTILINE)
    else:
        text = re.sub(
            r"^第(\S+)條 ", r"第\1条 ", seed_text("衢政發〔2011〕66號"), flags=re.MULTILINE
        )
    number = PLACE.match(article).group(1)
    assert words in whole_article(text, number)


def test_quzhous_own_keys_are_the_table():
    policy = load(QUZHOU)
    own = {key for key, dated in policy.parameters.items() if key not in NATIONAL_KEYS}
    replaced = {key for key, dated in policy.parameters.items() if dated.overrides}
    assert own | replaced == {row[0] for row in QUZHOU_VALUES}


@pytest.mark.parametrize(
    "key",
    [
        "meal/index_fen",
        "meal/index_divisor",
        "meal/day_rule",
        "late/window_end_inclusive",
        "line/no_consent_payer",
        "line/not_notified_payer",
        "line/refused_discharge_payer",
        "line/over_quantity_payer",
        "line/ratio_item",
        "line/apply_drug_limits",
        "arrears/policy",
        "retention/percent",
        "filing/day",
    ],
)
@pytest.mark.parametrize("region", [QUZHOU, XIAMEN])
def test_what_must_not_have_a_default_has_none(region, key):
    with pytest.raises(PolicyGap):
        load(region).value(key, date(2026, 3, 2))


@pytest.mark.parametrize("region", [QUZHOU, XIAMEN])
def test_no_text_names_the_institutions_so_a_person_decides(region):
    with pytest.raises(PolicyGap) as caught:
        load(region).institution("衢州市人民医院", date(2026, 3, 2))
    assert caught.value.key == "directory"


def test_no_value_of_quzhou_or_xiamen_claims_that_a_person_confirmed_it():
    for region in (QUZHOU, XIAMEN):
        for key, dated in load(region).parameters.items():
            own = key not in NATIONAL_KEYS or dated.overrides
            assert not (own and dated.confirmed_on), key


# --- Xiamen -------------------------------------------------------------------------------

XIAMEN_VALUES = [
    ("bmi_refund/hospital_refunds_first", True, "三", "首先向基本医疗保险基金退还"),
    ("bmi_refund/agency_to_hospital", True, "三", "与协议医疗机构直接审核结算"),
    ("bmi_refund/reversal_months", 3, "三", "年度结束后三个月内"),
    ("bmi_refund/year_end_month", 6, "三", "即9月30日前"),
    ("recovery/lead", "PAYING_AGENCY", "二", "谁支付谁负责"),
]


@pytest.mark.parametrize(("key", "amount", "article", "words"), XIAMEN_VALUES)
def test_xiamen_has_what_its_notice_says_from_its_first_day(key, amount, article, words, seed_text):
    policy = load(XIAMEN)
    value = policy.value(key, POOLING)
    assert (value.amount, value.law.article) == (amount, article)
    assert policy.texts[value.law.text].title.startswith("厦门市")
    with pytest.raises(PolicyGap):
        policy.value(key, POOLING - timedelta(days=1))
    notice = seed_text("厦门市人力资源和社会保障局关于社会保险基金先行支付").partition("第二篇")[0]
    section = re.search(rf"^{article}、(.*?)(?=^[一二三四]、|\Z)", notice, re.MULTILINE | re.DOTALL)
    assert words in section.group(1)


def test_xiamen_says_nothing_of_its_own_beyond_the_notice():
    assert set(load(XIAMEN).parameters) - set(NATIONAL_KEYS) == {row[0] for row in XIAMEN_VALUES}


# --- the law behind the national values ---------------------------------------------------


@pytest.mark.parametrize(
    ("key", "amount", "title", "article"),
    [
        ("employer/application_days", 30, "工伤保险条例", "第十七条第一款"),
        ("worker/application_years", 1, "工伤保险条例", "第十七条第二款"),
        ("recognition/decide_days", 60, "工伤保险条例", "第二十条第一款"),
        ("recognition/decide_clear_days", 15, "工伤保险条例", "第二十条第二款"),
        ("litigation/policy", "CONTINUE", "工伤保险条例", "第三十一条"),
        ("line/ratio_drug", 10000, "工伤保险条例", "第三十条第三款"),
        ("meal/split_late_window", True, "工伤保险条例", "第十七条第四款"),
        ("manual/claim_working_days", 20, "社会保险经办条例", "第二十二条第二款"),
        ("paid_leave/months", 12, "工伤保险条例", "第三十三条第二款"),
        ("paid_leave/extension_months", 12, "工伤保险条例", "第三十三条第二款"),
        ("late/needs_nobody_applied", False, "工伤保险条例", "第十七条第四款"),
        ("authority/device", "ASSESSMENT_COMMITTEE", "工伤保险条例", "第三十二条"),
        (
            "authority/paid_leave_extension",
            "ASSESSMENT_COMMITTEE",
            "工伤保险条例",
            "第三十三条第二款",
        ),
        ("non_agreement/payable_when", "EMERGENCY", "工伤保险条例", "第三十条第二款"),
        ("employer/liable_after_succession", "SUCCESSOR", "工伤保险条例", "第四十三条第一款"),
        ("employer/liable_when_seconded", "ORIGINAL", "工伤保险条例", "第四十三条第三款"),
        ("scope/device", "DIRECT", "社会保险经办条例", "第二十二条第一款"),
    ],
)
def test_a_national_value_stands_on_its_article(key, amount, title, article):
    policy = load(WEIHAI)
    value = policy.value(key, date(2026, 3, 2))
    assert (value.amount, policy.texts[value.law.text].title) == (amount, title)
    assert value.law.article == article


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("employer/application_days", "30日内"),
        ("worker/application_years", "1年内"),
        ("litigation/policy", "不停止支付工伤职工治疗工伤的医疗费用"),
        ("line/ratio_drug", "工伤保险药品目录"),
        ("meal/split_late_window", "由该用人单位负担"),
        ("manual/claim_working_days", "20个工作日内"),
        ("paid_leave/months", "一般不超过12个月"),
        ("paid_leave/extension_months", "延长不得超过12个月"),
        ("late/needs_nobody_applied", "用人单位未在本条第一款规定的时限内提交"),
        ("authority/device", "经劳动能力鉴定委员会确认"),
        ("authority/paid_leave_extension", "经设区的市级劳动能力鉴定委员会确认"),
        ("non_agreement/payable_when", "情况紧急时可以先到就近的医疗机构急救"),
        ("employer/liable_after_succession", "承继单位应当承担"),
        ("employer/liable_when_seconded", "由原用人单位承担工伤保险责任"),
        ("scope/device", "直接结算"),
    ],
)
def test_the_cited_paragraph_of_the_statute_says_the_number(key, words, law_text):
    policy = load(WEIHAI)
    value = policy.value(key, date(2026, 3, 2))
    article, paragraph = PLACE.fullmatch(value.law.article).groups()
    paragraphs = paragraphs_of(law_text(policy.texts[value.law.text].title), article)
    assert words in paragraphs[chinese_number(paragraph or "一") - 1]


def test_every_national_value_cites_an_article_the_statute_has(law_text):
    policy = load(WEIHAI)
    for key in NATIONAL_KEYS:
        for value in policy.national[key].values:
            text = policy.texts[value.law.text]
            if text.kind is TextKind.NOTICE:
                assert value.weak, "no notice cited was read in the original"
                continue
            if text.key not in STATUTES:
                assert value.reading, "a statute of another subject is only ever our reading"
                continue
            article, paragraph = PLACE.fullmatch(value.law.article).groups()
            paragraphs = paragraphs_of(law_text(text.title), article)
            assert 1 <= chinese_number(paragraph or "一") <= len(paragraphs), key


@pytest.mark.parametrize(("text", "title"), STATUTES.items())
def test_texts_toml_knows_how_many_articles_a_statute_has(text, title, law_text):
    numerals = re.findall(r"^第([一二三四五六七八九十百]+)条 ", law_text(title), re.MULTILINE)
    assert load(WEIHAI).texts[text].articles == len(numerals)
    assert [chinese_number(one) for one in numerals] == list(range(1, len(numerals) + 1))


def whole_article(law, article):
    """One article with its paragraphs and items."""
    body = re.search(rf"^第{article}条 (.*?)(?=^第\S+条 |^## |\Z)", law, re.MULTILINE | re.DOTALL)
    return body.group(1)


def paragraphs_of(law, article):
    """The paragraphs 款 of one article, without its items 项."""
    lines = [line.strip() for line in whole_article(law, article).splitlines() if line.strip()]
    return [line for line in lines if not re.match(r"[（(]", line)]

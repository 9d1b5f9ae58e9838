"""The files that come with the project: what they say, and that their articles exist."""

import re
from datetime import date, timedelta

import pytest

from gateway.policy.citation import chinese_number
from gateway.policy.keys import KEYS
from gateway.policy.load import SHIPPED, archive, load, load_archive, regions
from gateway.policy.model import Capability, PolicyGap, TextKind

EXAMPLE, WEIHAI = "999900", "371000"
PLACE = re.compile(r"第([一二三四五六七八九十百]+)条(?:第([一二三四五六七八九十]+)款)?")
NATIONAL_KEYS = sorted(
    path.relative_to(SHIPPED / "national").as_posix().removesuffix(".toml")
    for path in (SHIPPED / "national").rglob("*.toml")
)


def test_the_shipped_regions_are_the_example_and_weihai():
    assert regions() == (WEIHAI, EXAMPLE)


@pytest.mark.parametrize("region", [WEIHAI, EXAMPLE])
def test_a_shipped_region_loads_and_comes_back_whole_from_its_archive(region):
    assert load_archive(archive(region)) == load(region)


@pytest.mark.parametrize("region", [WEIHAI, EXAMPLE])
def test_each_change_holds_from_its_day_and_not_the_day_before(region):
    for key, dated in load(region).parameters.items():
        with pytest.raises(PolicyGap):
            dated.on(dated.values[0].since - timedelta(days=1))
        for before, after in zip(dated.values, dated.values[1:], strict=False):
            assert dated.on(after.since - timedelta(days=1)) is before, key
            assert dated.on(after.since) is after, key
        assert dated.on(date(2099, 12, 31)) is dated.values[-1], key


def test_no_key_is_allowed_that_no_shipped_file_uses():
    used = {*load(EXAMPLE).parameters, *load(WEIHAI).parameters}
    assert used == set(KEYS)


def test_the_readme_lists_every_key_with_its_unit_and_words():
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_/]+)` (\|.*)$", readme, re.MULTILINE))
    assert set(rows) == set(KEYS)
    for key, spec in KEYS.items():
        picked_by = load(EXAMPLE).parameters[key].picked_by
        assert rows[key].startswith(f"| {spec.unit} | {picked_by} |"), key
        assert tuple(re.findall(r"`([A-Za-z_0-9]+)`", rows[key])) == spec.words, key


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
        "late/window_end_event",
    }
    for key in weak:
        assert "弱依据" in policy.value(key, KNOWN).note


# --- the law behind the national values ---------------------------------------------------


@pytest.mark.parametrize(
    ("key", "amount", "title", "article"),
    [
        ("employer/application_days", 30, "工伤保险条例", "第十七条第一款"),
        ("worker/application_years", 1, "工伤保险条例", "第十七条第二款"),
        ("litigation/policy", "CONTINUE", "工伤保险条例", "第三十一条"),
        ("line/ratio_drug", 10000, "工伤保险条例", "第三十条第三款"),
        ("meal/split_late_window", True, "工伤保险条例", "第十七条第四款"),
        ("manual/claim_working_days", 20, "社会保险经办条例", "第二十二条第二款"),
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
        for value in policy.parameters[key].values:
            text = policy.texts[value.law.text]
            if text.kind is TextKind.NOTICE:
                assert value.weak, "the only notice cited was not read in the original"
                continue
            article, paragraph = PLACE.fullmatch(value.law.article).groups()
            paragraphs = paragraphs_of(law_text(text.title), article)
            assert 1 <= chinese_number(paragraph or "一") <= len(paragraphs), key


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("gongshang_2010", "工伤保险条例"),
        ("shehui_baoxian_2018", "社会保险法"),
        ("jingban_2023", "社会保险经办条例"),
    ],
)
def test_texts_toml_knows_how_many_articles_a_statute_has(text, title, law_text):
    numerals = re.findall(r"^第([一二三四五六七八九十百]+)条 ", law_text(title), re.MULTILINE)
    assert load(WEIHAI).texts[text].articles == len(numerals)
    assert [chinese_number(one) for one in numerals] == list(range(1, len(numerals) + 1))


def paragraphs_of(law, article):
    """The paragraphs 款 of one article, without its items 项."""
    body = re.search(rf"^第{article}条 (.*?)(?=^第\S+条 |^## |\Z)", law, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for line in body.group(1).splitlines() if line.strip()]
    return [line for line in lines if not re.match(r"[（(]", line)]

"""Loading the dated files: all faults at once, one digest, an archive that comes back."""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.citation import chinese_number
from gateway.policy.faults import BadPolicy
from gateway.policy.keys import KEYS, LIFTABLE, picks
from gateway.policy.load import archive, load, load_archive, regions, strays
from gateway.policy.model import PolicyGap

FOLDER = "regions/999901_test"
MEAL = f"{FOLDER}/meal/per_day_fen.toml"
RATIO = f"{FOLDER}/line/ratio_item.toml"
NATIONAL = "national/employer/application_days.toml"
DIRECTORY = f"{FOLDER}/directory.toml"
SHADOW = f"{FOLDER}/employer/application_days.toml"
OVERRIDES = 'overrides = "national/employer/application_days"\n'


def test_national_and_regional_values_stand_side_by_side(tree):
    policy = load("999901", tree.root)
    assert policy.value("employer/application_days", date(2020, 1, 1)).number == 30
    assert policy.value("meal/per_day_fen", date(2025, 6, 30)).number == 1200
    assert policy.value("meal/per_day_fen", date(2025, 7, 1)).number == 1500
    assert policy.texts["local"].title == "办法（虚构）"


def test_a_ratio_is_kept_exactly_in_ten_thousandths(tree):
    assert load("999901", tree.root).value("line/ratio_item", date(2024, 1, 1)).number == 9500


def test_a_percent_is_kept_in_ten_thousandths_and_needs_an_agreement(tree):
    path = f"{FOLDER}/retention/percent.toml"
    clause = '{ agreement = "contract", clause = "第九条" }'
    tree.put(path, parameter("percent", "5.25", clause, "settlement_date"))
    policy = load("999901", tree.root)
    assert policy.value("retention/percent", date(2024, 1, 1)).number == 525
    tree.bend(path, clause, '{ text = "local", article = "第九条" }')
    assert tree.faults() == ["2024-01-01: only an agreement clause can give this"]


def test_a_divisor_of_a_month_is_kept_in_ten_thousandths(tree):
    tree.put(f"{FOLDER}/meal/index_divisor.toml", parameter("days/month", "21.75"))
    policy = load("999901", tree.root)
    assert policy.value("meal/index_divisor", date(2024, 1, 1)).number == 217500


def test_a_region_keeps_the_national_value_that_it_replaced_beside_its_own(tree):
    tree.put(SHADOW, OVERRIDES + parameter("days", "45", picked_by="injury_date"))
    policy = load("999901", tree.root)
    assert policy.national["employer/application_days"].on(date(2024, 1, 1)).number == 30
    assert set(policy.national) == {"employer/application_days"}


def test_a_folder_that_no_region_reads_is_told(tree):
    assert strays(tree.root) == ()
    tree.put("regions/99990_test/meal/per_day_fen.toml", MEAL)
    (stray,) = strays(tree.root)
    assert stray.path == "regions/99990_test"
    (fault,) = strays(tree.root / "national")
    assert fault.en == "there is no pooling region"


@pytest.mark.parametrize("key", LIFTABLE)
def test_none_with_an_article_means_that_the_law_sets_no_limit(tree, key):
    tree.put(
        f"{FOLDER}/{key}.toml", parameter(KEYS[key].unit, '"none"', picked_by=picks(key)[0].value)
    )
    value = load("999901", tree.root).value(key, date(2025, 7, 1))
    assert value.unlimited
    assert value.amount is None


@pytest.mark.parametrize("key", sorted({*KEYS} - {*LIFTABLE}))
def test_what_a_rule_counts_with_is_a_number_and_never_none(tree, key):
    """No text lifts what the rule multiplies or counts by: the number would be missing there."""
    tree.put(
        f"{FOLDER}/{key}.toml", parameter(KEYS[key].unit, '"none"', picked_by=picks(key)[0].value)
    )
    assert any(fault.startswith("is must be") for fault in tree.faults())


def test_a_key_that_may_have_no_limit_is_named_to_whoever_lifts_another(tree):
    tree.bend(MEAL, "is = 1500", 'is = "none"')
    *_, told = tree.faults()
    assert told == (
        "the rule of this key needs the number; only emergency/inpatient_days, "
        "emergency/report_hours, referral/validity_months, remote_residence/validity_months, "
        "cross_province/filing_months may have no limit"
    )


def test_what_has_ended_does_not_end_again_before_it_begins_anew(tree):
    law = 'law = { text = "local", article = "第九条" }'
    tree.bend(MEAL, "is = 1500", "ended = true")
    again = f"{(tree.root / MEAL).read_text()}\n[[value]]\nfrom = 2026-01-01\n"
    tree.put(MEAL, f"{again}ended = true\n{law}\n")
    assert tree.faults() == ["2026-01-01: what ended on 2025-07-01 cannot end again"]
    tree.put(MEAL, f"{again}is = 1600\n{law}\n")
    assert load("999901", tree.root).value("meal/per_day_fen", date(2026, 1, 1)).number == 1600


@pytest.mark.parametrize(
    ("confirmed_on", "faults"),
    [
        # The value begins on 2024-01-01; its text was published a month before.
        ("2023-12-01", []),
        ("2023-11-30", ["confirmed_on 2023-11-30 is before any text of it was published"]),
    ],
)
def test_a_value_may_be_confirmed_before_it_begins_but_not_before_its_text_is_public(
    tree, confirmed_on, faults
):
    tree.bend("texts.toml", 'kind = "regional"', 'kind = "regional"\npublished = 2023-12-01')
    tree.bend(MEAL, "[[value]]", f"confirmed_on = {confirmed_on}\n\n[[value]]")
    if faults:
        assert tree.faults() == faults
    else:
        assert load("999901", tree.root).parameters["meal/per_day_fen"].confirmed_on


def test_each_key_is_picked_by_the_days_that_its_rule_can_ask(tree):
    tree.bend(MEAL, '"service_date"', '"admission_date"')
    tree.bend(RATIO, '"service_date"', '"discharge_date"')
    assert load("999901", tree.root).parameters["line/ratio_item"].picked_by == "discharge_date"
    tree.bend(NATIONAL, '"injury_date"', '"settlement_date"')
    assert tree.faults() == [
        "employer/application_days is picked by injury_date and not by settlement_date"
    ]


def test_a_later_text_does_not_make_an_earlier_confirmation_wrong(tree):
    """Whoever enters a new value need not have looked at the others on the same day."""
    tree.bend("texts.toml", 'kind = "regional"', 'kind = "regional"\npublished = 2023-12-01')
    later = 'kind = "notice"\npublished = 2025-06-01'
    tree.bend("texts.toml", 'kind = "notice"', later)
    tree.bend(MEAL, '"local", article = "第四条"', '"notice", article = "四"')
    tree.bend(MEAL, "[[value]]", "confirmed_on = 2024-05-01\n\n[[value]]")
    assert load("999901", tree.root).parameters["meal/per_day_fen"].confirmed_on


def test_a_place_that_a_text_could_have_is_taken_though_nobody_counted_its_paragraphs(tree):
    tree.bend(MEAL, '"第三条"', '"第三十条第九十九款第（一百零一）项"')
    value = load("999901", tree.root).value("meal/per_day_fen", date(2024, 1, 1))
    assert value.law.place == "第三十条第九十九款第（一百零一）项"


def test_an_abolished_parameter_is_a_gap_from_its_last_day(tree):
    tree.bend(MEAL, "is = 1500", "ended = true")
    policy = load("999901", tree.root)
    assert policy.value("meal/per_day_fen", date(2025, 6, 30)).number == 1200
    with pytest.raises(PolicyGap):
        policy.value("meal/per_day_fen", date(2025, 7, 1))


def test_a_region_replaces_a_national_value_only_by_saying_so(tree):
    tree.put(SHADOW, OVERRIDES + parameter("days", "45", picked_by="injury_date"))
    policy = load("999901", tree.root)
    assert policy.value("employer/application_days", date(2024, 1, 1)).number == 45
    tree.bend(SHADOW, OVERRIDES, "")
    assert len(tree.faults()) == 1
    assert 'say overrides = "national/employer/application_days"' in tree.faults()[0]


def test_a_final_national_value_cannot_be_replaced(tree):
    tree.put(SHADOW, OVERRIDES + parameter("days", "45", picked_by="injury_date"))
    tree.bend(NATIONAL, 'unit = "days"', 'unit = "days"\nfinal = true')
    assert tree.faults() == ["the national value is final"]


def test_overriding_what_is_not_there_is_a_fault(tree):
    tree.put(MEAL, 'overrides = "national/meal/per_day_fen"\n' + (tree.root / MEAL).read_text())
    assert "else nothing" in tree.faults()[0]


def test_the_policy_cannot_be_changed(tree):
    policy = load("999901", tree.root)
    with pytest.raises(TypeError):
        policy.parameters["meal/per_day_fen"] = None
    with pytest.raises(AttributeError):
        policy.region = "370000"


def test_every_fault_of_every_file_is_reported_at_once(tree):
    tree.bend(MEAL, "is = 1200", "is = -1")
    tree.bend(RATIO, "第五条", "第五")
    tree.bend(NATIONAL, 'unit = "days"', 'unit = "weeks"')
    tree.bend(DIRECTORY, '"MEDICAL"', '"SURGERY"')
    with pytest.raises(BadPolicy) as caught:
        load("999901", tree.root)
    assert {fault.path for fault in caught.value.faults} == {MEAL, RATIO, NATIONAL, DIRECTORY}
    for fault in caught.value.faults:
        assert fault.zh in str(caught.value)
        assert fault.en in str(caught.value)


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (MEAL, "is = 1200", "is = -1", "is must be a whole number of fen/day, not negative"),
        (MEAL, "is = 1200", "is = 12.00", "is must be a whole number of fen/day, not negative"),
        (MEAL, "is = 1200", "is = true", "is must be a whole number of fen/day, not negative"),
        (MEAL, "is = 1200", 'is = "1200"', "is must be a whole number of fen/day, not negative"),
        (MEAL, "is = 1200", "is = nan", "is must be a whole number of fen/day, not negative"),
        (MEAL, "is = 1200", "is = 0x4B0", "numbers are written in decimal"),
        (MEAL, "is = 1200", '"is" = 0x4B0', "numbers are written in decimal"),
        (MEAL, "is = 1200", "'is' = 0b11", "numbers are written in decimal"),
        (MEAL, "is = 1200", "is\t= 0o17", "numbers are written in decimal"),
        ("texts.toml", "articles = 67", "articles = 0x43", "numbers are written in decimal"),
        (
            "texts.toml",
            "articles = 67",
            "articles = -3",
            "statute: articles is -3, and a text has one at least",
        ),
        ("texts.toml", "articles = 67", "articles = 0", "and a text has one at least"),
        (
            "texts.toml",
            "in_force = 2020-01-01",
            "in_force = 2020-01-01\npublished = 2020-01-02",
            "statute: in force on 2020-01-01, before it was published on 2020-01-02: a note must",
        ),
        (RATIO, "is = 0.95", "is = nan", "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = inf", "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = -0.95", "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = 1.05", "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = 0.95001", "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = 1e999999999", "is must be between 0 and 1 with at most 4"),
        (RATIO, "is = 0.95", 'is = "none"', "is must be between 0 and 1 with at most 4 decimals"),
        (RATIO, "is = 0.95", "is = true", "is must be between 0 and 1 with at most 4 decimals"),
        (MEAL, "from = 2025-07-01", "from = 2024-01-01", "start dates must ascend"),
        (MEAL, "from = 2025-07-01", "from = 2023-07-01", "start dates must ascend"),
        (MEAL, "from = 2024-01-01", "from = 2024-01-01T00:00:00", "from must be a date"),
        (MEAL, "from = 2024-01-01", 'from = "2024-01-01"', "from must be a date"),
        (MEAL, "from = 2024-01-01", "", "key from is missing"),
        (MEAL, "from = 2025-07-01", "from = 9999-01-01", "from 9999-01-01 is no day of any text"),
        (MEAL, "from = 2024-01-01", "from = 0024-01-01", "from 0024-01-01 is no day of any text"),
        (MEAL, "is = 1200", "ended = true", "the first value may not be an end"),
        (MEAL, "is = 1200", "", "give either is or ended = true"),
        (MEAL, "is = 1200", "is = 1200\nended = true", "give either is or ended = true"),
        (MEAL, 'law = { text = "local", article = "第三条" }', "", "key law is missing"),
        (MEAL, ', article = "第三条"', "", "key article is missing"),
        (MEAL, '"第三条"', '""', "article is empty: each value needs its place"),
        (MEAL, '"第三条"', '" "', "article is empty: each value needs its place"),
        (MEAL, '"第三条"', '"art. 3"', "'art. 3' is no article"),
        (MEAL, '"第三条"', '"第零条"', "'第零条': 零 is no canonical numeral"),
        (MEAL, '"第三条"', '"第一二条"', "'第一二条': 一二 is no canonical numeral"),
        (MEAL, '"第三条"', '"第三零十条"', "'第三零十条': 三零十 is no canonical numeral"),
        (MEAL, '"第三条"', '"第一十条"', "'第一十条': 一十 is no canonical numeral"),
        (MEAL, '"第三条"', '"第一百三条"', "'第一百三条': 一百三 is no canonical numeral"),
        (MEAL, '"第三条"', '"第九千九千条"', "'第九千九千条': 九千九千 is no canonical numeral"),
        (MEAL, '"第三条"', '"第三条第零款"', "'第三条第零款': 零 is no canonical numeral"),
        (MEAL, '"第三条"', '"第三条第（二二）项"', "二二 is no canonical numeral"),
        (MEAL, '"第三条"', '"零"', "'零': 零 is no canonical numeral"),
        (MEAL, '"local"', '"nowhere"', "texts.toml has no nowhere"),
        (MEAL, '"local"', '"contract"', "an agreement is cited by clause"),
        (MEAL, 'text = "local", article', 'agreement = "local", clause', "cited by clause, any"),
        (MEAL, "is = 1200", "is = 1200\nweak = true", "weak or reading needs a note"),
        (MEAL, "is = 1200", "is = 1200\nreading = true", "weak or reading needs a note"),
        (MEAL, '"local", article = "第三条"', '"mirror", article = "x"', "is weak = true"),
        (MEAL, "is = 1200", 'is = 1200\nnote = " "', "note says nothing"),
        (MEAL, '"伙食补助 / meals"', '""', "description says nothing"),
        (MEAL, "is = 1200", "is = 1200\nammount = 1", "key ammount is not known"),
        (MEAL, 'unit = "fen/day"', 'unit = "yuan"', "unit may not be 'yuan'"),
        (MEAL, 'unit = "fen/day"', 'unit = "fen"', "meal/per_day_fen is counted in fen/day"),
        (MEAL, '"service_date"', '"birth_date"', "picked_by may not be 'birth_date'"),
        (MEAL, 'picked_by = "service_date"', "", "key picked_by is missing"),
        (
            MEAL,
            '"service_date"',
            '"injury_date"',
            "picked by discharge_date, service_date, admission",
        ),
        (RATIO, '"service_date"', '"injury_date"', "is picked by service_date, discharge_date"),
        (MEAL, "[[value]]", "reference = 1\n[[value]]", "key reference is not known"),
        (MEAL, "[[value]]", "final = true\n[[value]]", "key final is not known"),
        (MEAL, 'unit = "fen/day"', 'unit = "fen/day"\nunit = "fen"', "not valid TOML"),
        (NATIONAL, "[[value]]", "[value]", "value must be an array of tables"),
        (NATIONAL, "[[value]]", 'overrides = "x"\n[[value]]', "key overrides is not known"),
        (NATIONAL, "from = 2020-01-01", "from = 2019-12-31", "is before its text came into force"),
        (NATIONAL, "第十七条第一款", "第六十八条", "statute has 67 articles and no 第六十八条"),
        (NATIONAL, "第十七条第一款", "六", "'六' is no article"),
        (NATIONAL, '"statute"', '"local"', "a national value must cite a national text"),
        ("texts.toml", 'kind = "notice"', 'kind = "rumour"', "text kind 'rumour' is not known"),
        ("texts.toml", 'kind = "notice"', 'kind = "notice"\nby = "x"', "key by is not known"),
        ("texts.toml", '"办法（虚构）"', '" "', "title says nothing"),
        (DIRECTORY, '"示例市（虚构）"', '" "', "name says nothing"),
        (DIRECTORY, '"甲医院（虚构）"', '" "', "code or name empty or given twice"),
        (DIRECTORY, '"示例经办（虚构）"', '""', "name says nothing"),
        (DIRECTORY, 'code = "D1"', 'code = ""', "code says nothing"),
        (DIRECTORY, "ended = 2026-01-01", "ended = 9999-01-01", "is no day of any text"),
        (DIRECTORY, '"MEDICAL"', '"SURGERY"', "capability 'SURGERY' is not known"),
        (DIRECTORY, "ended = 2025-03-01", "ended = 2024-01-01", "holds no day"),
        (DIRECTORY, 'code = "D1",', 'who = "D1",', "who"),
        (DIRECTORY, 'agency = "999901"', 'agency = "1"', "the directory has no agency '1'"),
        (DIRECTORY, '"tertiary"', '"best"', "hospital level 'best' is not known"),
        (DIRECTORY, "ended = 2026-01-01", "ended = 2024-01-01", "holds no day"),
        (DIRECTORY, 'code = "A1"', 'code = ""', "code or name empty or given twice"),
        (DIRECTORY, 'code = "A1"', 'code = "A1"\nbeds = 9', "key beds is not known"),
        (DIRECTORY, "from = 2024-01-01\n\n[[agency]]", "[[agency]]", "key from is missing"),
    ],
)
def test_a_planted_fault_is_found_and_named(tree, path, old, new, says):
    tree.bend(path, old, new)
    faults = tree.faults()
    assert any(says in fault for fault in faults), faults


def test_what_is_quoted_or_a_comment_is_no_number(tree):
    tree.bend(MEAL, '"伙食补助 / meals"', """'0x10' # 0b1""")
    tree.bend(RATIO, '"诊疗项目比例 / item ratio"', '"""is = 0x10 \\" """"')
    assert load("999901", tree.root).parameters["meal/per_day_fen"].description == "0x10"


def test_a_text_that_reaches_back_says_by_which_provision(tree):
    told = "in_force = 2020-01-01\npublished = 2020-06-01\nnote = '第六十七条：自一月一日起施行'"
    tree.bend("texts.toml", "in_force = 2020-01-01", told)
    assert load("999901", tree.root).texts["statute"].note
    tree.bend("texts.toml", "published = 2020-06-01", "published = 2020-01-01")
    tree.bend("texts.toml", "note = '第六十七条：自一月一日起施行'", "")
    assert load("999901", tree.root).texts["statute"].published == date(2020, 1, 1)


def lost(tree):
    with pytest.raises(BadPolicy) as caught:
        load("999901", tree.root)
    assert {fault.en for fault in caught.value.faults} == {
        "is no file that can be read: its value would be gone unseen"
    }
    return {fault.path for fault in caught.value.faults}


def test_a_name_that_no_file_is_read_from_is_told_and_does_not_vanish(tree):
    folder, facility = tree.root / FOLDER, "line/ratio_facility.toml"
    (tree.root / RATIO).rename(tree.root / "elsewhere.toml")
    (tree.root / RATIO).symlink_to("nowhere.toml")
    (folder / facility).mkdir()
    (folder / "audit").symlink_to(folder / "meal")
    assert lost(tree) == {RATIO, f"{FOLDER}/{facility}", f"{FOLDER}/audit"}


def test_a_link_to_a_file_is_read_as_the_file(tree):
    (tree.root / RATIO).rename(tree.root / "elsewhere.toml")
    (tree.root / RATIO).symlink_to(tree.root / "elsewhere.toml")
    assert "line/ratio_item" in load("999901", tree.root).parameters


def test_texts_that_cannot_be_read_are_told_as_such(tree):
    (tree.root / "texts.toml").unlink()
    (tree.root / "texts.toml").symlink_to("nowhere.toml")
    assert lost(tree) == {"texts.toml"}


def test_what_stands_where_a_regions_folder_should_is_no_folder(tree):
    (tree.root / FOLDER).rename(tree.root / "moved")
    (tree.root / FOLDER).write_text("")
    assert "only .toml with a path up to 100 long" in tree.faults()


def test_a_file_nested_deeper_than_anybody_can_read_is_a_fault(tree):
    tree.bend(MEAL, "[[value]]", f"x = {'[' * 100_000}{']' * 100_000}\n[[value]]")
    assert "not valid TOML: nested too deep" in tree.faults()


def parameter(unit, amount, law='{ text = "local", article = "第八条" }', picked_by="service_date"):
    return (
        f'description = "试 / trial"\nunit = "{unit}"\npicked_by = "{picked_by}"\n\n'
        f"[[value]]\nfrom = 2024-01-01\nis = {amount}\nlaw = {law}\n"
    )


@pytest.mark.parametrize(
    ("key", "unit", "amount", "says"),
    [
        ("meal/per_dya_fen", "fen/day", "1200", "meal/per_dya_fen is not in the closed list"),
        ("meal/channel", "word", '"POST"', "is must be one of: HOSPITAL, AGENCY"),
        ("line/no_consent_payer", "word", '"fund"', "is must be one of: employer, individual"),
        ("line/no_consent_payer", "word", '"none"', "is must be one of: employer, individual"),
        ("late/window_end_inclusive", "switch", "1", "is must be true or false"),
        ("audit/enabled", "words", '["A01", "A01"]', "is must be a list of: A01, A02"),
        ("audit/enabled", "words", '["A25"]', "is must be a list of: A01, A02"),
        ("audit/hold", "words", '"A01"', "is must be a list of: A01, A02"),
        ("filing/day", "day_of_month", "0", "is must be a whole number of day_of_month"),
        ("filing/day", "day_of_month", "32", "is is 32, more than 31, the most of day_of_month"),
        ("bmi_refund/year_end_month", "month", "0", "is must be a whole number of month"),
        ("bmi_refund/year_end_month", "month", "13", "is is 13, more than 12, the most of month"),
        ("audit/high_cost_fen", "fen", "9" * 23, "more than 99999999999999, the most of fen"),
        ("audit/high_cost_fen", "fen", "1" + "0" * 14, "more than 99999999999999, the most"),
        ("appeal/answer_days", "days", "36526", "is is 36526, more than 36525, the most of days"),
        ("payment/within_months", "months", "1201", "more than 1200, the most of months"),
        ("person/adult_years", "years", "101", "is is 101, more than 100, the most of years"),
        ("emergency/report_hours", "hours", "876601", "more than 876600, the most of hours"),
        ("bmi_refund/year_end_month", "month", '"none"', "is must be a whole number of month"),
        ("meal/index_divisor", "days/month", "0", "is must be between 1 and 31"),
        ("meal/index_divisor", "days/month", "31.01", "is must be between 1 and 31"),
        ("meal/index_divisor", "days/month", "21.755", "with at most 2 decimals"),
        ("referral/validity_months", "months", "-1", "is must be a whole number of months"),
        ("meal/" + "x" * 90, "fen/day", "1", "only .toml with a path up to 100 long"),
    ],
)
def test_a_key_admits_only_its_own_words_and_amounts(tree, key, unit, amount, says):
    tree.put(f"{FOLDER}/{key}.toml", parameter(unit, amount))
    faults = tree.faults()
    assert any(says in fault for fault in faults), faults


def test_a_ratio_below_one_needs_an_article_of_a_text_that_was_read(tree):
    tree.bend(RATIO, '{ text = "local", article = "第五条" }', '{ text = "mirror", article = "x" }')
    tree.bend(RATIO, "is = 0.95", 'is = 0.95\nweak = true\nnote = "转载"')
    assert tree.faults() == [
        "2024-01-01: a ratio below 1 and a lifted limit need an article of a text that was read"
    ]
    tree.bend(RATIO, "is = 0.95", "is = 1.00")
    assert load("999901", tree.root).value("line/ratio_item", date(2024, 1, 1)).number == 10000


def test_a_limit_is_not_lifted_by_an_agreement(tree):
    clause = '{ agreement = "contract", clause = "第一条" }'
    tree.put(
        f"{FOLDER}/emergency/inpatient_days.toml",
        parameter("days", '"none"', clause, "admission_date"),
    )
    assert len(tree.faults()) == 1
    assert "a lifted limit need an article" in tree.faults()[0]


def test_a_default_that_no_national_text_gives_is_refused(tree):
    law = '{ text = "statute", article = "第三十条" }'
    tree.put("national/line/no_consent_payer.toml", parameter("word", '"hospital"', law))
    assert tree.faults() == ["no national text gives this, only a region"]


def test_a_national_notice_may_be_cited_by_its_heading(tree):
    law = '{ text = "notice", article = "六" }'
    file = parameter("word", '"ACCEPTED"', law, "injury_date")
    tree.put("national/late/window_end_event.toml", file)
    policy = load("999901", tree.root)
    assert policy.value("late/window_end_event", date(2024, 1, 1)).word == "ACCEPTED"


def test_an_institution_named_twice_or_without_capability_is_refused(tree):
    institution = '[[institution]]\ncode = "A1"\nname = "乙医院（虚构）"\n'
    law = 'law = { agreement = "contract", clause = "第一条" }\ncapabilities = []\n'
    tree.put(DIRECTORY, (tree.root / DIRECTORY).read_text() + institution + law)
    assert tree.faults() == [
        "an institution has no capability",
        "code or name empty or given twice: A1",
    ]


def test_a_file_that_is_not_toml_or_not_utf8_is_a_fault_and_not_ignored(tree):
    tree.put(f"{FOLDER}/meal/per_day_fen.tml", "x = 1")
    (tree.root / RATIO).write_bytes(b"unit = '\xff'")
    faults = tree.faults()
    assert "only .toml with a path up to 100 long" in faults
    assert any("not valid TOML" in fault for fault in faults)


@pytest.mark.parametrize("mark", [BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE])
def test_a_byte_order_mark_is_named_as_what_it_is(tree, mark):
    (tree.root / RATIO).write_bytes(mark + (tree.root / RATIO).read_bytes())
    faults = tree.faults()
    assert "the file begins with a byte order mark (BOM): save it as UTF-8 without one" in faults
    assert not any("not valid TOML" in fault for fault in faults)


def test_the_most_that_a_file_may_say_is_taken(tree):
    tree.put(
        f"{FOLDER}/audit/high_cost_fen.toml", parameter("fen", "9" * 14, picked_by="discharge_date")
    )
    policy = load("999901", tree.root)
    assert policy.value("audit/high_cost_fen", date(2024, 1, 1)).number == 10**14 - 1


def test_a_rule_that_holds_bills_must_be_enabled_on_every_day_that_it_holds(tree):
    hold, enabled = f"{FOLDER}/audit/hold.toml", f"{FOLDER}/audit/enabled.toml"
    both = parameter("words", '["A01", "A24"]', picked_by="discharge_date")
    tree.put(hold, both)
    assert tree.faults() == [
        "2024-01-01: A01, A24 is not enabled (audit/enabled) and would hold no bill"
    ]
    tree.put(enabled, both)
    load("999901", tree.root)
    later = '\n[[value]]\nfrom = 2025-01-01\nis = ["A24"]\n'
    tree.put(
        enabled,
        both + later + 'law = { text = "local", article = "第八条" }\n',
    )
    assert tree.faults() == [
        "2025-01-01: A01 is not enabled (audit/enabled) and would hold no bill"
    ]


def test_a_tree_without_texts_names_every_value_that_cites_nothing(tree):
    (tree.root / "texts.toml").unlink()
    assert set(tree.faults()) == {
        "texts.toml has no statute",
        "texts.toml has no local",
        "texts.toml has no contract",
    }


def test_a_region_must_have_exactly_one_folder(tree):
    assert regions(tree.root) == ("999901",)
    with pytest.raises(BadPolicy, match="found 0"):
        load("371000", tree.root)
    tree.put("regions/999901_again/meal/per_day_fen.toml", parameter("fen/day", "1"))
    with pytest.raises(BadPolicy, match="found 2"):
        load("999901", tree.root)


def test_a_region_without_a_directory_loads_and_its_directory_is_a_gap(tree):
    (tree.root / DIRECTORY).unlink()
    with pytest.raises(PolicyGap):
        load("999901", tree.root).institution("A1", date(2025, 1, 1))


def test_the_digest_is_stable_and_one_byte_changes_it(tree):
    before = load("999901", tree.root).digest
    assert load("999901", tree.root).digest == before
    for path in (MEAL, NATIONAL, DIRECTORY, "texts.toml"):
        whole = (tree.root / path).read_bytes()
        (tree.root / path).write_bytes(whole + b"\n")
        assert load("999901", tree.root).digest != before
        (tree.root / path).write_bytes(whole)
    assert load("999901", tree.root).digest == before


def test_moving_a_value_to_another_key_changes_the_digest(tree):
    before = load("999901", tree.root).digest
    (tree.root / RATIO).rename(tree.root / FOLDER / "line/ratio_material.toml")
    assert load("999901", tree.root).digest != before


def test_another_regions_files_do_not_touch_the_digest(tree):
    before = load("999901", tree.root).digest
    tree.put("regions/999902_other/meal/per_day_fen.toml", parameter("fen/day", "1"))
    assert load("999901", tree.root).digest == before


def test_an_archive_brings_back_the_same_policy_under_the_same_digest(tree):
    raw = archive("999901", tree.root)
    policy = load("999901", tree.root)
    assert archive("999901", tree.root) == raw
    assert sha256(raw).hexdigest() == policy.digest
    assert load_archive(raw) == policy


def test_an_archive_keeps_the_exact_bytes_of_each_file(tree):
    tree.put(MEAL, (tree.root / MEAL).read_text().replace("\n", "\r\n"))
    kept = json.loads(archive("999901", tree.root))["files"]
    assert kept[MEAL].encode() == (tree.root / MEAL).read_bytes()


def test_faulty_files_are_never_archived(tree):
    tree.bend(MEAL, "is = 1200", "is = -1")
    with pytest.raises(BadPolicy):
        archive("999901", tree.root)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"files":[],"region":"999901"}',
        b'{"files":{"a":1},"region":"999901"}',
        b'{"files":{"a":"\\ud800"},"region":"999901"}',
        b'{"files":{},"format":"gs-policy-0","region":"999901"}',
        b'{"files":{},"format":"gs-policy-1","region":1}',
    ],
)
def test_what_archive_did_not_write_is_no_archive(raw):
    with pytest.raises(BadPolicy, match="archive"):
        load_archive(raw)


def test_an_archive_with_one_more_space_is_refused(tree):
    raw = archive("999901", tree.root)
    with pytest.raises(BadPolicy, match="not canonical"):
        load_archive(raw + b" ")


@given(st.integers(min_value=1, max_value=9_999))
def test_chinese_numerals_are_read_as_people_write_them(number):
    assert chinese_number(written_in_chinese(number)) == number


@given(st.text(alphabet="零一二三四五六七八九十百千", min_size=1, max_size=7))
def test_what_people_would_not_write_is_no_numeral(text):
    number = chinese_number(text)
    assert (number is not None) is (text in NUMERALS)
    assert number is None or text == written_in_chinese(number)


def written_in_chinese(number, before=""):
    """十 at the beginning and 一十 behind another place; 零 once for the places left out."""
    for size, place in ((1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            head, rest = divmod(number, size)
            digit = "" if size == 10 and head == 1 and not before else DIGITS[head]
            gap = "零" if 0 < rest < size // 10 else ""
            return written_in_chinese(rest, f"{before}{digit}{place}{gap}")
    return before + (DIGITS[number] if number else "")


DIGITS = "零一二三四五六七八九"
NUMERALS = frozenset(written_in_chinese(number) for number in range(1, 10_000))

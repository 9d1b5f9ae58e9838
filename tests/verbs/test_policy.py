"""gateway policy check, show and diff: what the files of the law say, told to a person."""

import asyncio
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from gateway import cli
from gateway.policy.load import SHIPPED, archive, load, regions
from gateway.settings import Settings
from gateway.store.migrate import migrate
from tests.verbs.ledger import insert

MEAL = "regions/999900_example/meal/per_day_fen.toml"
DEADLINE = "national/employer/application_days.toml"
DIRECTORY = "regions/999900_example/directory.toml"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may bend."""
    root = tmp_path / "policy"
    root.mkdir()
    shutil.copy(SHIPPED / "texts.toml", root)
    for folder in ("national", "regions"):
        shutil.copytree(SHIPPED / folder, root / folder)
    return root


def bend(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["policy", *arguments])
    return code, *capsys.readouterr()


# --- check -----------------------------------------------------------------------------------


def test_the_shipped_files_hold_no_fault_and_each_region_tells_its_digest(capsys):
    code, out, _ = ran(capsys, "check")
    assert code == 0
    assert [line[:6] for line in out.splitlines()[:-1]] == list(regions())
    assert all(load(code).digest in out for code in regions())
    assert out.endswith("没有错误 no fault\n")


def test_a_day_of_confirmation_ahead_is_a_fault_of_its_file(capsys, files):
    bend(files, MEAL, "confirmed_on = 2026-11-22", "confirmed_on = 2099-01-01")
    bend(files, DEADLINE, "confirmed_on = 2026-11-22", "confirmed_on = 2026-11-24")
    code, out, _ = ran(capsys, "check", "--dir", str(files), "--on", "2026-11-23")
    faults = [line for line in out.splitlines() if "confirmed_on" in line]
    assert code == 1
    assert len(faults) == 2
    assert faults[0].startswith(f"{DEADLINE}: confirmed_on 2026-11-24 在今天")
    assert faults[1].startswith(f"{MEAL}: confirmed_on 2099-01-01 在今天")
    assert faults[1].endswith("is after today (2026-11-23): nobody can have confirmed it")
    assert ran(capsys, "check", "--dir", str(files), "--on", "2099-01-01")[0] == 0


def test_one_region_may_be_checked_alone(capsys, files):
    bend(files, MEAL, "is   = 1200", "is   = nan")
    assert ran(capsys, "check", "--region", "371000", "--dir", str(files))[0] == 0
    assert ran(capsys, "check", "--region", "999900", "--dir", str(files))[0] == 1


def test_every_fault_is_told_once_with_its_file_also_one_that_all_regions_share(capsys, files):
    bend(files, DEADLINE, "第十七条第一款", "第六十八条")
    bend(files, MEAL, "from = 2026-01-01", "from = 2024-01-01")
    bend(files, MEAL, "is   = 1200", "is   = nan")
    code, out, _ = ran(capsys, "check", "--dir", str(files))
    lines = out.splitlines()
    assert code == 1
    assert sum(line.startswith(f"{DEADLINE}: ") for line in lines) == 1
    assert any("start dates must ascend" in line for line in lines)
    assert any("is must be a whole number of fen/day" in line for line in lines)
    assert lines[-1].startswith("4 处错误")


def test_a_folder_that_would_never_be_read_is_a_fault(capsys, files):
    (files / "regions" / "33080_quzhou").mkdir()
    code, out, _ = ran(capsys, "check", "--dir", str(files))
    assert code == 1
    assert "regions/33080_quzhou: " in out
    assert "it would never be read" in out


def test_a_folder_without_regions_is_no_policy(capsys, tmp_path):
    code, out, _ = ran(capsys, "check", "--dir", str(tmp_path))
    assert code == 1
    assert "there is no pooling region" in out


# --- show ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "value", "span"),
    [
        ("2025-12-31", "12.00 元/天 yuan/day", "2025-01-01 至 2025-12-31"),
        ("2026-01-01", "15.00 元/天 yuan/day", "自 2026-01-01 起"),
    ],
)
def test_a_value_is_shown_as_of_the_day_with_its_article_and_text(capsys, day, value, span):
    code, out, _ = ran(capsys, "show", "meal/per_day_fen", "--on", day)
    assert code == 0
    assert f"取值 value      {value}" in out
    assert span in out
    assert "《示例市工伤保险医疗费直接结算办法（虚构）》第十二条第一款" in out
    assert "虚构〔2024〕1号" in out
    assert "统筹地区 region 999900（全国没有规定 no national value）" in out


def test_a_regions_value_tells_which_national_value_it_replaces(capsys):
    _, out, _ = ran(
        capsys, "show", "late/window_end_event", "--on", "2026-03-02", "--region", "330800"
    )
    assert "取值 value      APPLIED" in out
    assert "替换 replaces national/late/window_end_event：ACCEPTED（自 2011-01-01 起" in out
    assert "弱 weak" in out


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("litigation/policy", "全国 national（地方不得替换 final）"),
        ("line/ratio_drug", "全国 national（地方可以替换 a region may replace it）"),
        ("line/ratio_drug", "本系统的理解 our reading"),
        ("recognition/accept_days", "弱依据：仅见网页转载 weak"),
        ("meal/index_percent", "没有人核对过 by nobody yet"),
        ("meal/index_percent", "35.00%\n"),
    ],
)
def test_readings_weak_sources_and_finality_are_said(capsys, key, says):
    code, out, _ = ran(capsys, "show", key, "--on", "2026-03-02", "--region", "330800")
    assert code == 0
    assert says in out


def test_a_national_value_that_a_region_replaced_before_any_text_is_told_as_a_gap(capsys):
    """2011-07-01 is before the present text of Zhejiang: nobody has said what held then."""
    code, out, _ = ran(
        capsys, "show", "late/window_end_event", "--on", "2011-07-01", "--region", "330800"
    )
    assert code == 1
    assert "has no value before 2020-09-24" in out


def test_a_gap_says_that_a_person_must_decide(capsys):
    code, out, _ = ran(
        capsys, "show", "meal/index_divisor", "--on", "2026-03-02", "--region", "330800"
    )
    assert code == 1
    assert out.count("\n") == 1
    assert "须由经办人员确定" in out
    assert "a person must decide" in out


def test_a_key_that_is_not_in_the_list_names_those_written_alike(capsys):
    code, out, _ = ran(capsys, "show", "meal/chanel", "--on", "2026-03-02")
    assert code == 1
    assert "written alike：meal/channel" in out


def test_a_region_without_files_is_told_and_not_shown(capsys):
    code, out, _ = ran(capsys, "show", "meal/channel", "--on", "2026-03-02", "--region", "110000")
    assert code == 1
    assert "the pooling region must have one folder, found 0" in out


def test_a_day_that_is_no_day_is_malformed(capsys):
    with pytest.raises(SystemExit) as stopped:
        ran(capsys, "show", "meal/channel", "--on", "2026-02-30")
    assert stopped.value.code == 2


# --- diff ------------------------------------------------------------------------------------


def test_a_policy_does_not_differ_from_itself(capsys):
    assert ran(capsys, "diff", "330800", load("330800").digest) == (0, "0 处不同 differences\n", "")


def test_two_regions_differ_in_what_their_texts_say(capsys):
    code, out, _ = ran(capsys, "diff", "371000", "330800", "--on", "2026-03-02")
    assert code == 0
    lines = out.splitlines()
    at = lines.index("meal/channel")
    assert lines[at + 1].startswith("  - discharge_date: HOSPITAL（自 2023-01-01 起")
    assert lines[at + 2].startswith("  + discharge_date: AGENCY（自 2020-09-24 起")
    assert "第三十一条" in lines[at + 2]
    assert "  + 没有规定 no value" in lines
    assert "employer/application_days" not in lines
    at = lines.index("名录 directory WH12")
    assert lines[at + 1].startswith("  - 山东省文登整骨医院：MEDICAL 2023-01-01–，REHABILITATION")
    assert lines[at + 2] == "  + 没有 none"


def stored_edition(tmp_path: Path, files: Path) -> Settings:
    """A store that keeps the bent files of the example region under their digest."""
    settings = Settings(data_dir=tmp_path / "data", region="999900")
    migrate(settings.database_path)
    raw = archive("999900", files)
    row = {"digest": sha256(raw).hexdigest(), "region": "999900", "content": raw}
    asyncio.run(insert(settings, {"policy_edition": [row]}))
    return settings


@pytest.fixture
def proposed(files, tmp_path, monkeypatch) -> str:
    """The digest of a stored edition with another meal rate and a hospital of another level."""
    bend(files, MEAL, "is   = 1500", "is   = 1800")
    bend(files, DIRECTORY, 'level = "secondary"', 'level = "primary"')
    settings = stored_edition(tmp_path, files)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(settings.data_dir))
    return load("999900", files).digest


def test_a_stored_edition_is_named_by_its_digest(capsys, proposed):
    code, out, _ = ran(capsys, "diff", "999900", proposed)
    assert code == 0
    assert "15.00 元/天 yuan/day（自 2026-01-01 起" in out
    assert "18.00 元/天 yuan/day（自 2026-01-01 起" in out
    assert "名录 directory H002" in out
    assert out.endswith("2 处不同 differences\n")


def test_a_day_on_which_both_say_the_same_shows_no_difference_of_value(capsys, proposed):
    _, out, _ = ran(capsys, "diff", "999900", proposed, "--on", "2025-12-31")
    assert "meal/per_day_fen" not in out
    _, out, _ = ran(capsys, "diff", "999900", proposed, "--on", "2026-01-01")
    assert "meal/per_day_fen" in out


def test_before_the_directory_and_the_values_nothing_differs(capsys, proposed):
    _, out, _ = ran(capsys, "diff", "999900", proposed, "--on", "2020-01-01")
    assert out == "0 处不同 differences\n"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("33080", "neither a region of six digits nor a digest"),
        ("0" * 64, "no policy edition 0000"),
    ],
)
def test_a_name_that_is_nothing_is_told(capsys, proposed, name, says):
    code, out, err = ran(capsys, "diff", "999900", name)
    assert (code, out) == (1, "")
    assert says in err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('level = "secondary"\n', 'level = "secondary"\ncity = true\n', "市区 city"),
        (
            'level = "secondary"\n',
            'level = "secondary"\ndoctors = [{ code = "D7", from = 2025-02-01 }]\n',
            "医生 doctor D7 2025-02-01–",
        ),
        ("from = 2025-01-01\n", "from = 2025-03-01\n", "自 2025-03-01 起 since 2025-03-01"),
    ],
    ids=["city", "doctors", "since"],
)
def test_whatever_the_directory_says_otherwise_is_a_difference(
    capsys, files, tmp_path, monkeypatch, old, new, told
):
    bend(files, DIRECTORY, old, new)
    settings = stored_edition(tmp_path, files)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(settings.data_dir))
    code, out, _ = ran(capsys, "diff", "999900", load("999900", files).digest)
    *changes, last = out.splitlines()
    assert (code, last) == (0, "1 处不同 differences")
    assert changes[0].startswith("名录 directory")
    assert told not in changes[1]
    assert told in changes[2]


def test_between_the_first_days_of_two_directories_one_of_them_knows_nobody(
    capsys, files, tmp_path, monkeypatch
):
    bend(files, DIRECTORY, "from = 2025-01-01\n", "from = 2025-03-01\n")
    settings = stored_edition(tmp_path, files)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(settings.data_dir))
    digest = load("999900", files).digest
    _, out, _ = ran(capsys, "diff", "999900", digest, "--on", "2025-02-01")
    assert out.splitlines()[:3] == ["名录 directory", "  - 有 known", "  + 没有 none"]
    assert out.endswith("4 处不同 differences\n")
    _, out, _ = ran(capsys, "diff", "999900", digest, "--on", "2025-03-01")
    assert out == "0 处不同 differences\n"


def test_a_region_without_files_cannot_be_compared(capsys):
    code, out, _ = ran(capsys, "diff", "999900", "110000")
    assert code == 1
    assert "found 0" in out

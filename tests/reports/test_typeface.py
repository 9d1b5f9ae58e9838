"""字体 Texts are drawn whole, and what a font lacks is said instead of left blank."""

from pathlib import Path

import pytest

from gateway.reports.typeface import UnusableFont, typeface


def drawn(text: str) -> str:
    return "".join(run.text for run in typeface().runs(text))


def test_chinese_and_latin_stand_each_in_a_font_that_has_them():
    fonts = {run.text: run.font for run in typeface().runs("维生素C注射液0.9%")}
    assert fonts == {
        "维生素": "STSong-Light",
        "C": "Helvetica",
        "注射液": "STSong-Light",
        "0.9%": "Helvetica",
    }


def test_bold_moves_the_latin_runs_only():
    fonts = [run.font for run in typeface().runs("合计 Total", bold=True)]
    assert fonts == ["STSong-Light", "Helvetica-Bold"]


@pytest.mark.parametrize("text", ["买买提·艾力", "10µg/m²", "（一）、《条例》〓℃①"])
def test_signs_of_names_and_units_are_drawn_as_they_are(text: str):
    assert drawn(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("王㛃", "王〓(U+36C3)"),
        ("\U00020000", "〓(U+20000)"),
        ("a\x00b", "a〓(U+0000)b"),
        ("名\u200b字", "名〓(U+200B)字"),
    ],
)
def test_a_character_the_font_lacks_is_told_by_its_number(text: str, told: str):
    assert drawn(text) == told


def test_blanks_of_every_kind_become_one_blank_each():
    assert drawn("a\u3000b\nc\td") == "a b c d"


@pytest.mark.parametrize(
    "text",
    ["一二三四五六七八九十" * 5, "a very long English sentence " * 4, "X" * 200, "药 A1 药B2 " * 9],
)
def test_a_wrapped_text_keeps_every_character_and_its_width(text: str):
    face = typeface()
    lines = face.wrapped(text, 8, 60)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) > 1
    assert all(face.width(line, 8) <= 60 for line in lines)


def test_latin_words_are_kept_whole_where_they_fit():
    assert typeface().wrapped("above the ceiling", 8, 45) == ("above the", "ceiling")


def test_an_empty_text_is_one_empty_line():
    assert typeface().wrapped("", 8, 60) == ("",)


def test_a_font_file_that_is_none_is_refused_in_words(tmp_path: Path):
    path = tmp_path / "font.ttf"
    path.write_bytes(b"not a font")
    for broken in (path, tmp_path / "absent.ttf"):
        with pytest.raises(UnusableFont, match="不能嵌入字体"):
            typeface(broken)

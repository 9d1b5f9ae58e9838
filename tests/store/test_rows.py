"""What rows and leaves commit to is one text for one value, whoever writes it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.rows import canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
)


@given(VALUES)
def test_another_writer_of_json_writes_the_same_text(value: object):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical(value) == text


def test_every_character_of_the_first_plane_is_written_alike():
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    assert canonical(every) == json.dumps(every, ensure_ascii=False)

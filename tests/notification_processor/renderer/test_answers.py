"""What comes from a renderer is a stranger's word: somebody may have broken out of a template in there."""

import pytest

from notification_processor import renderer_process
from notification_processor.renderer.wire import CHECK, CUT, OUTLINE, RENDER, is_answer
from notification_processor.renderer_jobs import AT_ONCE, TOO_SLOW, Job, answered

BABBLER = """
import os, struct
def say(words): os.write(1, struct.pack(">I", len(words)) + words)
say(b'{{"memory": 1}}')
while os.read(0, 65536): say({babble})
"""


@pytest.mark.parametrize(
    ("what", "given", "expected"),
    [
        (RENDER, [7, "done", ["", "X", ""]], True),
        (RENDER, [7, "done", ["", "X"]], False),
        (RENDER, [7, "done", ["", "X", None]], False),
        (RENDER, [7, "done", ["", "X\0", ""]], False),
        (RENDER, [7, "done", ["", "X" * 300_000, ""]], False),
        (RENDER, [7, "done", None], False),
        (RENDER, [7, "else", ["", "X", ""]], False),
        (RENDER, ["7", "done", ["", "X", ""]], False),
        (RENDER, ["done", ["", "X", ""]], False),
        (RENDER, {"done": 1}, False),
        (RENDER, [7, "fault", ["words", "body", 1, None]], True),
        (RENDER, [7, "fault", ["words", "soul", 1, None]], False),
        (RENDER, [7, "fault", ["words", "body", "1", None]], False),
        (RENDER, [7, "fault", "words"], False),
        (OUTLINE, [7, "done", None], True),
        (CUT, [7, "done", [["a", ["b", "c"]], [], []]], True),
        (OUTLINE, [7, "done", [["a", ["b", 1]], [], []]], False),
        (OUTLINE, [7, "done", [["a", {"b": 1}], [], []]], False),
        (OUTLINE, [7, "done", ["a", [], []]], False),
        (CHECK, [7, "done", ["a", "b"]], True),
        (CHECK, [7, "done", [["a"]]], False),
    ],
)
def test_answer_is_taken_for_what_it_may_be_only(what, given, expected):
    assert is_answer(what, given) is expected


@pytest.mark.parametrize("babble", [b"[]", b"[[7]]", b"7", b"{}", b"[" * 5_000, b"x", b"[[7,1,2],[7,1,2]]"])
def test_renderer_that_answers_nonsense_is_ended(pool, monkeypatch, tmp_path, babble):
    program = tmp_path / "babbler.py"
    program.write_text(BABBLER.format(babble=babble))
    monkeypatch.setattr(renderer_process, "PROGRAM", program)

    (answer,) = answered([Job(RENDER, ("", "{{ a|upper }}", ""), {"a": "x"})], effort=AT_ONCE)

    assert answer == TOO_SLOW

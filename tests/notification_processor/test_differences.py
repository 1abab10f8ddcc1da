import time

import pytest

from notification_processor.differences import Line, lines_between


def shown(before: str, after: str) -> list[str]:
    """ "-2:one {two}" is line 2, removed, with a word that has changed."""
    return [
        line.sign
        + str(line.before or line.after or "")
        + ":"
        + "".join(f"{{{text}}}" if is_changed else text for text, is_changed in line.pieces)
        for line in lines_between(before, after)
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("same", "same", []),
        ("", "new", ["-1:", "+1:{new}"]),
        ("Hi Ann, bye", "Hi Bob, bye", ["-1:Hi {Ann}, bye", "+1:Hi {Bob}, bye"]),
        ("a\nb", "a\nb\nc", [" 1:a", " 2:b", "+3:c"]),
        ("a\nb\nc", "a\nc", [" 1:a", "-2:b", " 3:c"]),
        ("a\nx y\nz\nd", "a\nx w\nq\nd", [" 1:a", "-2:x {y}", "-3:{z}", "+2:x {w}", "+3:{q}", " 4:d"]),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n!\n6\n7\n8\n9",
         ["…:", " 2:2", " 3:3", " 4:4", "-5:{5}", "+5:{!}", " 6:6", " 7:7", " 8:8", "…:"]),
    ],
)  # fmt: skip
def test_changes_are_shown_with_what_is_around_them(before: str, after: str, expected: list[str]) -> None:
    assert shown(before, after) == expected


def test_line_that_is_there_in_both_has_both_numbers() -> None:
    assert lines_between("b", "a\nb")[-1] == Line(" ", 1, 2, (("b", False),))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 30_000, "a\nb\n" * 15_000),
        ("\n".join(map(str, range(6_000))), "\n".join(map(str, range(6_000, 0, -1)))),
        ("a " * 30_000, "b a " * 15_000),
        ("x\n" * 500, "x\ny\n" * 250),
    ],
)
def test_large_texts_take_no_long_time(before: str, after: str) -> None:
    began = time.process_time()

    assert lines_between(before, after)

    assert time.process_time() - began < 2

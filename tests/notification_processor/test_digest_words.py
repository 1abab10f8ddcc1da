"""What a digest says, on each channel that may be quiet. No database."""

import uuid
from typing import Any

import pytest

from delivery_gateway.models import NotificationLog
from delivery_gateway.registry import CHANNELS
from notification_processor.context import context_for
from notification_processor.digest_layout import built_in_digest
from notification_processor.digest_texts import TITLE, title_of
from notification_processor.rendering import render
from notification_processor.starter_templates import QUIET_HOURS_DIGEST
from user_preferences.quiet_hours import NEVER_QUIET

QUIET = sorted(CHANNELS.keys() - NEVER_QUIET)
HELD = {"count": 52, "more": 50, "items": [{"title": "<a href=x>{{ 7 * 7 }}"}, {"title": "Second"}]}


@pytest.mark.parametrize("channel", QUIET)
def test_built_in_words_take_titles_as_they_are(channel):
    text = render(built_in_digest(channel), context_for(payload=HELD, tenant_name="Acme"))

    assert text.subject == "52 messages came in while you were away"
    assert text.body.endswith("- <a href=x>{{ 7 * 7 }}\n- Second\nand 50 more.\n")
    assert ("<li>&lt;a href=x&gt;{{ 7 * 7 }}</li>" in text.html) is (channel == "email")


def test_new_tenant_has_a_starter_for_each():
    assert sorted(QUIET_HOURS_DIGEST.channels) == QUIET


@pytest.mark.parametrize(
    ("subject", "opening", "title"),
    [
        ("Yours", "Text", "Yours"),
        ("", "\n  First  line\nsecond", "First line"),
        ("a\x00b\x1b[31m", "", "a b [31m"),
        ("x" * 998, "", "x" * TITLE),
        ("", "", "order paid"),
    ],
)
def test_title_is_one_line(subject, opening, title):
    row: Any = NotificationLog(id=uuid.uuid4(), subject=subject, event_type="order_paid")
    row.opening = opening  # as it is claimed

    assert title_of(row) == title

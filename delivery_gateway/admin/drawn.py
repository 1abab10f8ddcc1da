"""A message as its reader would see it: a mail, a chat, a bubble, an item of the inbox."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tenants.admin_display import html_frame, json_block

KINDS = {"email": "mail", "slack": "chat", "teams": "chat", "telegram": "bubble", "sms": "bubble", "in_app": "item"}

WITH_MARKUP = ("mail", "bubble")  # of a bubble only Telegram's, which replaces the body


def drawn(row: Any, *, title: str = "") -> SafeString:
    """Of a notification, a sandbox message or an inbox item. Without its address, which not everybody may see."""
    html = getattr(row, "html", "")
    kind = KINDS.get(getattr(row, "channel", "in_app"), "data")
    facts = {
        "kind": kind,
        "subject": title or getattr(row, "subject", ""),
        "body": row.body,
        "frame": html_frame(html) if kind in WITH_MARKUP and html else "",
        "payload": json_block(row.payload) if row.payload else "",
    }
    return render_to_string("delivery_gateway/drawn.html", facts)

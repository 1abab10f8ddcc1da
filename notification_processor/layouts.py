"""The built-in text for events without a template: plain, complete, and good enough to send."""

from notification_processor.rendering import Source

SUBJECT = "{{ event.type|replace('_', ' ')|replace('.', ' ')|capitalize }}"

BODY = """\
{% if customer.name %}Hi {{ customer.name }},

{% endif %}{{ event.type|replace('_', ' ')|replace('.', ' ')|capitalize }}{% if event.payload %}:

{% for key, value in event.payload|dictsort %}{{ key|replace('_', ' ') }}: {{ value }}
{% endfor %}{% endif %}"""

PAGE_TOP = """\
<!doctype html>
<html lang="en"><body style="margin:0;background:#f4f4f5;font:16px/1.5 system-ui,sans-serif;color:#18181b">
<div style="max-width:560px;margin:24px auto;padding:24px;background:#fff;border-radius:8px">
"""

HTML_PAYLOAD = """\
{% if customer.name %}<p>Hi {{ customer.name }},</p>
{% endif %}<h1 style="font-size:20px">{{ event.type|replace('_', ' ')|replace('.', ' ')|capitalize }}</h1>
{% if event.payload %}<table style="border-collapse:collapse;width:100%">
{% for key, value in event.payload|dictsort %}<tr><td style="padding:6px 12px 6px 0;color:#71717a;vertical-align:top">
{{ key|replace('_', ' ') }}</td><td style="padding:6px 0">{{ value }}</td></tr>
{% endfor %}</table>
{% endif %}"""

PAGE_END = """\
<p style="color:#71717a;font-size:13px">Sent by {{ tenant.name }}</p>
</div></body></html>
"""

HTML = PAGE_TOP + HTML_PAYLOAD + PAGE_END


def built_in(channel: str) -> Source:
    """The layout of the payload for one channel; only email has an HTML part."""
    html = HTML if channel == "email" else ""
    return Source(key=f"built-in:{channel}", channel=channel, subject=SUBJECT, body=BODY, html=html, name="(built-in)")

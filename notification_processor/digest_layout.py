"""The words of a digest of what quiet hours held, for tenants that have none of their own."""

from notification_processor.layouts import PAGE_END, PAGE_TOP
from notification_processor.rendering import Source

SUBJECT = "{{ count }} messages came in while you were away"

BODY = """\
{% if customer.name %}Hi {{ customer.name }},

{% endif %}this is what came in during your quiet hours:

{% for item in items %}- {{ item.title }}
{% endfor %}{% if more %}and {{ more }} more.
{% endif %}"""

HTML = (
    PAGE_TOP
    + """\
{% if customer.name %}<p>Hi {{ customer.name }},</p>
{% endif %}<p>This is what came in during your quiet hours:</p>
<ul>
{% for item in items %}<li>{{ item.title }}</li>
{% endfor %}</ul>
{% if more %}<p>and {{ more }} more.</p>
{% endif %}"""
    + PAGE_END
)


def built_in_digest(channel: str) -> Source:
    """For one channel; only email has an HTML part."""
    html = HTML if channel == "email" else ""
    return Source(f"built-in-digest:{channel}", channel, SUBJECT, BODY, html, name="(built-in)")

"""The words a new tenant starts with: ready to send, and examples to edit.

An event without what its starter speaks of (an ORDER_CREATED that has no items) is shown in the built-in layout, so a
tenant may send any payload before it has read about any of this.
"""

from dataclasses import dataclass

from delivery_gateway import digests
from notification_processor import digest_layout
from notification_processor.layouts import PAGE_END, PAGE_TOP

EVERY_TEXT = ("email", "slack", "teams", "telegram", "in_app")


@dataclass(frozen=True, slots=True)
class StarterTemplate:
    """One text for several channels; only email has HTML."""

    name: str
    channels: tuple[str, ...]
    subject: str
    body: str
    html: str


@dataclass(frozen=True, slots=True)
class StarterWorkflow:
    """Sent on the channels that the customer chose."""

    event_type: str
    template: str
    category: str


HI = "Hi{% if customer.name %} {{ customer.name }}{% endif %},\n\n"
HTML_HI = "<p>Hi{% if customer.name %} {{ customer.name }}{% endif %},</p>\n"
HI_NAME = "Hi{% if name|default(customer.name) %} {{ name|default(customer.name) }}{% endif %},\n\n"
HTML_HI_NAME = "<p>Hi{% if name|default(customer.name) %} {{ name|default(customer.name) }}{% endif %},</p>\n"

ITEMS = """\
{% for item in items %}{{ item.quantity }} × {{ item.name }}, {{ item.unit_price }} {{ currency }} each
{% endfor %}
Total: {{ total }} {{ currency }}
"""
HTML_ITEMS = """\
<table style="border-collapse:collapse;width:100%">
{% for item in items %}<tr><td style="padding:6px 0">{{ item.quantity }} × {{ item.name }}</td>
<td style="padding:6px 0;text-align:right">{{ item.unit_price }} {{ currency }} each</td></tr>
{% endfor %}<tr style="border-top:1px solid #e4e4e7"><td style="padding:6px 0"><b>Total</b></td>
<td style="padding:6px 0;text-align:right"><b>{{ total }} {{ currency }}</b></td></tr>
</table>
"""
ORDER_CREATED = StarterTemplate(
    name="order_created",
    channels=EVERY_TEXT,
    subject="Your order {{ order_number }}",
    body=HI + "thank you for your order {{ order_number }}.\n\n" + ITEMS,
    html=PAGE_TOP + HTML_HI + "<p>Thank you for your order <b>{{ order_number }}</b>.</p>\n" + HTML_ITEMS + PAGE_END,
)

IS_NOW = "your order {{ order_number }} is now {{ new_status }}; it was {{ old_status }}.\n\n"
HTML_IS_NOW = "<p>Your order <b>{{ order_number }}</b> is now <b>{{ new_status }}</b>; it was {{ old_status }}.</p>\n"
ORDER_STATUS_CHANGED = StarterTemplate(
    name="order_status_changed",
    channels=EVERY_TEXT,
    subject="Your order {{ order_number }} is {{ new_status }}",
    body=HI + IS_NOW + ITEMS,
    html=PAGE_TOP + HTML_HI + HTML_IS_NOW + HTML_ITEMS + PAGE_END,
)

BUTTON = """\
<p><a href="{{ url }}" style="display:inline-block;padding:10px 18px;background:#18181b;color:#fff;border-radius:6px;\
text-decoration:none">"""
WELCOME = StarterTemplate(
    name="welcome",
    channels=("email", "in_app"),
    subject="Welcome to {{ tenant.name }}",
    body=HI_NAME
    + "welcome to {{ tenant.name }}. It is good to have you here.\n"
    + "{% if url is defined %}\nStart here: {{ url }}\n{% endif %}",
    html=PAGE_TOP
    + HTML_HI_NAME
    + "<p>Welcome to {{ tenant.name }}. It is good to have you here.</p>\n"
    + "{% if url is defined %}" + BUTTON + "Start here</a></p>\n{% endif %}"
    + PAGE_END,
)  # fmt: skip

ASKED = "somebody, you we hope, asked for a new password for your account at {{ tenant.name }}. Choose one here:\n\n"
HTML_ASKED = "<p>Somebody, you we hope, asked for a new password for your account at {{ tenant.name }}.</p>\n"
UNLESS = "If it was not you, do nothing: your password stays as it is."
LASTS = "{% if expires_in is defined %}The link works for {{ expires_in }}. {% endif %}"
PASSWORD_RESET = StarterTemplate(
    name="password_reset",
    channels=("email",),
    subject="Choose a new password",
    body=HI_NAME + ASKED + "{{ url }}\n\n" + LASTS + UNLESS + "\n",
    html=PAGE_TOP
    + HTML_HI_NAME
    + HTML_ASKED
    + BUTTON + "Choose a new password</a></p>\n"
    + "<p>" + LASTS + UNLESS + "</p>\n"
    + PAGE_END,
)  # fmt: skip

PLAIN = StarterTemplate(
    name="plain",
    channels=EVERY_TEXT,
    subject="{{ subject|default('A message from ' ~ tenant.name) }}",
    body="{{ message }}\n",
    html=PAGE_TOP + '<p style="white-space:pre-line">{{ message }}</p>\n' + PAGE_END,
)

QUIET_HOURS_DIGEST = StarterTemplate(
    name=digests.NAME,
    channels=("email", "slack", "teams", "telegram", "webhook"),  # an inbox is never quiet
    subject=digest_layout.SUBJECT,
    body=digest_layout.BODY,
    html=digest_layout.HTML,
)

TEMPLATES = (ORDER_CREATED, ORDER_STATUS_CHANGED, WELCOME, PASSWORD_RESET, PLAIN, QUIET_HOURS_DIGEST)
WORKFLOWS = (
    StarterWorkflow("ORDER_CREATED", template="order_created", category="orders"),
    StarterWorkflow("ORDER_STATUS_CHANGED", template="order_status_changed", category="orders"),
)

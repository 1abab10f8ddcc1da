"""What strangers say may be where a link leads, but not what it runs."""

from typing import Any

import pytest

from notification_processor.renderer.compiling import Texts
from notification_processor.renderer.outlines import outline
from notification_processor.renderer.targets import LINK, followable
from notification_processor.rendering import Order, Rendered, Source, TemplateFault, render, render_many

EVIL = "javascript:alert(1)"
LINK_TO = '<a href="{{ url }}">Go</a>'


def html_of(template, **names):
    return render(Source(key=template, channel="email", html=template), names).html


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/a:b?c=javascript:d", "http://example.com", "/orders/7", "orders:7", "#top", "", "?q=a:b",
        "mailto:ann@example.com", "tel:+48123456789", "myapp://reset/1", "data:image/png;base64,AAAA", "//example.com",
        "https://example.com/data:text", "a/javascript:x", "metadata", "javascript",
    ],
)  # fmt: skip
def test_address_that_leads_somewhere_stays(address):
    assert followable(address) == address


@pytest.mark.parametrize(
    "address",
    [
        EVIL, "JavaScript:alert(1)", " \n javascript:x", "java\tscript:x", "java\r\nscript:x", "\x01javascript:x",
        "javascript\n:x", "javascript://example.com/%0aalert(1)", "vbscript:x", "data:text/html,x", "DATA:x",
        "data:image/svg+xml,x", "data:,x", "script:x", ":alert(1)",
    ],
)  # fmt: skip
def test_address_that_runs_leads_nowhere(address):
    assert followable(address) == "#"


@pytest.mark.parametrize(
    "template",
    [
        LINK_TO, "<a href='{{ url }}'>", "<a href={{ url }}>", '<A HREF = " {{ url }}">', '<a xlink:href="{{ url }}">',
        '<img src="{{ url }}">', '<form action="{{ url }}">', '<a href="{% if url %}{{ url }}{% endif %}">',
        '<a href="{% if not url %}x{% elif url %}{{ url }}{% else %}{% endif %}">', '<a href="{{ url|trim }}">',
        '<a href="{{ url|default("x") }}">', '<a href="{{ url|e }}">', '<a href="{{ "" ~ url }}">',
        '<a href="{% with u = url %}{{ u }}{% endwith %}">', '<a href="{% set u = url %}{{ u }}">',
        '<a href="{% for u in [url] %}{{ u }}{% endfor %}">', '<a href="{% for u in [] %}{% endfor %}{{ url }}">',
        '{% for u in [url, url] %}{% if loop.last %}{{ u }}">{% else %}<a href="{% endif %}{% endfor %}',
        '<a href="{{ "" }}{{ url }}">', '<a href={% if url %}"{{ url }}"{% endif %}>',
    ],
)  # fmt: skip
def test_value_that_begins_an_address_is_looked_at(template):
    assert "javascript" not in html_of(template, url=EVIL)
    assert "https://example.com/?a=1&amp;b=2" in html_of(template, url="https://example.com/?a=1&b=2")


def test_address_in_pieces_is_no_way_around():
    assert html_of('<a href="{{ a }}{{ b }}{{ c }}">', a="java", b="script", c=":x") == '<a href="javascript#">'
    assert html_of('<a href="{{ a }}{{ b }}">', a="java", b="script:x") == '<a href="java#">'


def test_other_places_stay_as_they_are():
    template = '<a href="https://example.com/?q={{ url }}" title="{{ url }}">{{ url }}</a>'

    assert html_of(template, url=EVIL).count(EVIL) == 3


def test_plain_text_stays_as_it_is():
    source = Source(key="plain links", channel="email", subject='href="{{ url }}"', body='href="{{ url }}"')

    assert render(source, {"url": EVIL}).body == f'href="{EVIL}"'


def test_link_that_is_missing_is_told():
    with pytest.raises(TemplateFault, match='the variable "url" is missing'):
        html_of(LINK_TO)


def test_words_with_a_link_are_still_only_filled():
    assert outline(Texts("", "", LINK_TO)) == [[], [], ['<a href="', [LINK, "url"], '">Go</a>']]


def test_link_of_each_of_many_customers_is_looked_at():
    html = '{% if 1 %}!{% endif %}<a href="{{ customer.attributes.u }}">'
    people = [{"attributes": {"u": EVIL if at % 2 else f"/{at}"}} for at in range(6)]
    context: dict[str, Any] = {"customer": {}}

    made = render_many([Order(Source(key="many", channel="email", html=html), context, one) for one in people])

    found = [text.html for text in made if isinstance(text, Rendered)]
    assert found == [f'!<a href="{target}">' for target in ("/0", "#", "/2", "#", "/4", "#")]

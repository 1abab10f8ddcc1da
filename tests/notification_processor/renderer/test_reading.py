"""What a template reads, as its author would say it."""

import pytest

from notification_processor.renderer.compiling import Texts
from notification_processor.renderer.reading import reads


def found(text):
    """Path → line, with "?" behind what the template does without."""
    listed = reads(Texts("", text, ""))
    assert {part for part, *_ in listed} <= {"body"}
    return {".".join(path) + ("?" if is_optional else ""): line for _, line, is_optional, path in listed}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("Hi {{ name }},\n{{ order.id }} {{ order['city'] }}", {"name": 1, "order.id": 2, "order.city": 2}),
        ("{{ a|upper }}{{ b ~ c }}{{ d + 1 if e > 2 else f }}", dict.fromkeys("abcdef", 1)),
        ("{{ a|default('x') }}{{ b|d }}", {"a?": 1, "b?": 1}),
        ("{% if url is defined %}{{ url }}{% endif %}", {"url?": 1}),
        ("{% if url %}{{ url }}{% endif %}", {"url": 1}),
        ("{% for i in items %}{{ i.name }}{{ loop.index }}\n{{ i.price }}{% endfor %}",
         {"items": 1, "items.[].name": 1, "items.[].price": 2}),
        ("{% for i in items|sort(attribute='x') %}{{ i }}{% endfor %}", {"items": 1, "items.[]": 1}),
        ("{% for o in orders %}{% for i in o.items %}{{ i.n }}{% endfor %}{% endfor %}",
         {"orders": 1, "orders.[].items": 1, "orders.[].items.[].n": 1}),
        ("{% for k, v in order|dictsort %}{{ k }}{{ v.x }}{% endfor %}", {"order": 1}),
        ("{% for i in range(n) %}{{ i }}{% endfor %}", {"n": 1}),
        ("{% set o = order %}{{ o.id }}{% with p = o.person %}{{ p.name }}{% endwith %}",
         {"order": 1, "order.id": 1, "order.person": 1, "order.person.name": 1}),
        ("{{ items[0].name }}{{ items[n] }}{{ (items|first).x }}", {"items.[].name": 1, "items": 1, "n": 1}),
        ("{% if not items %}{{ a }}{% elif b %}{% else %}{{ c }}{% endif %}", {"items": 1, "a": 1, "b": 1, "c": 1}),
        ("{% for i in a if i.ok %}{% else %}{{ i }}{% endfor %}", {"a": 1, "a.[].ok": 1, "i": 1}),
    ],
)  # fmt: skip
def test_reads_are_paths_from_the_top(text, expected):
    assert found(text) == expected


def test_links_are_read_like_everything_else():
    assert [path for *_, path in reads(Texts("", "", '<a href="{{ order.url }}">'))] == [("order", "url")]

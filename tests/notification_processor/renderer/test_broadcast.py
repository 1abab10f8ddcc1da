"""A text for many is, for each of them, what rendering the whole template for that one gives."""

import pytest

from notification_processor.layouts import built_in
from notification_processor.renderer import broadcast
from notification_processor.renderer.broadcast import Broadcast
from notification_processor.renderer.compiling import Texts
from notification_processor.renderer.faults import Fault
from notification_processor.renderer.sandbox import MAX_LOOP_STEPS
from notification_processor.renderer.wire import MAX_TEXT
from notification_processor.rendering import Order, Source, TemplateFault, render, render_many

CONTEXT = {
    "customer": {"name": "nobody"},
    "order": {"id": "A<1>", "items": [{"name": "pen & ink", "qty": 2}, {"name": "paper", "qty": 3}]},
    "many": list(range(1_000)),
    "event": {"type": "order.paid", "payload": {"order_id": 7}},
    "tenant": {"name": "Acme"},
}
PEOPLE = [
    {"name": "Ann", "user_id": "ann", "email": "", "attributes": {"city": "Köln", "vip": True}},
    {"name": "<b>Bob</b> & Co", "user_id": "bob", "email": "b@example.com", "attributes": {"city": 7}},
    {"name": "", "user_id": "eve", "email": "", "attributes": {}},
]
TEMPLATES = {
    "no customer": "Order {{ order.id }}",
    "nothing": "",
    "a gap": "Dear {{ customer.name }}, order {{ order.id }} is on its way.",
    "gaps side by side": "{{ customer.name }}{{ customer.email }}{{ customer.user_id }}",
    "an attribute": "From {{ customer.attributes.city }}.",
    "a key in brackets": "{{ customer['name'] }}",
    "a filter": "Dear {{ customer.name|upper|default('you') }}",
    "a condition": "{% if customer.name %}Hi {{ customer.name }},\n{% else %}Hi,\n{% endif %}{{ order.id }}",
    "a loop that names the customer": "{% for i in order['items'] %}{{ customer.name }}: {{ i.name }}\n{% endfor %}",
    "a loop that does not": (
        "{% for i in order['items'] %}{{ loop.index }}/{{ loop.length }} {{ i.name|upper }}"
        "{{ '.' if loop.last }} {% endfor %}{{ customer.name }}"
    ),
    "a loop variable called customer": "{% for customer in order['items'] %}{{ customer.name }}{% endfor %}",
    "a name that is set": "{% set who = customer.name %}{{ order.id }} for {{ who }}",
    "a scope": "{% with who = customer.name %}{{ who }}{% endwith %} {{ order.id }}",
    "a range": "{% for n in range(3) %}{{ n }}{% endfor %}{{ customer.name }}{{ range(2)|list }}",
    "the whole customer": "{{ customer|tojson }}",
    "an unknown key of the customer": "Hi\n{{ customer.nmae }}",
    "an unknown name": "Hi {{ customer.name }}\n{{ ordr.id }}",
    "a fault for some": "{{ 10 / (customer.name|length) }}",
    "too long a text": "{{ customer.name }}{% for n in many %}{{ 'x' * 0 }}" + "y" * (MAX_TEXT // 900) + "{% endfor %}",
    "too many steps": "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}{{ customer.name }}",
}  # fmt: skip


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except TemplateFault as fault:
        return str(fault)


def for_each(source):
    """What many customers of one event are told."""
    orders = [Order(source, CONTEXT, person) for person in [*PEOPLE, PEOPLE[0]]]
    return [str(made) if isinstance(made, TemplateFault) else made for made in render_many(orders)[:-1]]


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES.keys())
@pytest.mark.parametrize("part", ["subject", "body", "html"])
def test_text_for_each_is_that_of_the_whole_template(part, text):
    source = Source(key=f"{part}: {text}", channel="email", **{part: text})

    found = for_each(source)

    assert found == [outcome(render, source, CONTEXT | {"customer": person}) for person in PEOPLE]


def test_built_in_layout_for_each_is_that_of_the_whole():
    source = built_in("email")

    assert for_each(source) == [render(source, CONTEXT | {"customer": p}) for p in PEOPLE]


def test_what_is_the_same_for_all_is_rendered_once(monkeypatch):
    for_many = Broadcast(Texts("", TEMPLATES["a loop that does not"], ""), CONTEXT)
    monkeypatch.setattr(broadcast, "rendered", None)
    monkeypatch.setattr(broadcast, "written", None)

    bodies = [for_many.rendered(person).body for person in PEOPLE]

    assert bodies == [f"1/2 PEN & INK 2/2 PAPER. {person['name']}" for person in PEOPLE]
    assert for_many.outline() == [[], ["1/2 PEN & INK 2/2 PAPER. ", ["customer", "name"]], []]


def test_steps_of_all_pieces_count_together():
    """Half of the budget where it is the same for all, and the other half, and one more, where it is not."""
    half = MAX_LOOP_STEPS // 2
    loop = "{% for n in many %}{% for m in few %}%s{% endfor %}{% endfor %}"
    context = {"many": list(range(1_000)), "few": list(range(half // 1_000 - 1)), "customer": {}}
    fits = Texts("", loop.replace("%s", "") + loop.replace("%s", "{{ customer.x }}"), "")
    passes = Texts("", fits.body + "{% for n in many %}{{ customer.x }}{% endfor %}", "")

    assert Broadcast(fits, context).rendered({"x": ""}).body == ""
    with pytest.raises(Fault, match="steps"):
        Broadcast(passes, context).rendered({"x": ""})

"""Words under way: everything that is wrong with them is said at once, and the rest is shown."""

from typing import Any

import pytest

from notification_processor import samples
from notification_processor.trying_out import Flaw, reads_of, tried

SAMPLE: dict[str, Any] = {
    "customer": {"name": "Ann"},
    "order": {"id": "A1", "items": [{"name": "pen", "price": 3}]},
    "few": [],
}


def tell(*, subject: str = "", body: str = "", html: str = "", sample: dict[str, Any] = SAMPLE) -> Any:
    text = (subject, body, html)
    reads, flaws = reads_of(text, owner="")
    return tried(text, reads, flaws, sample, owner="")


def test_every_part_is_made() -> None:
    found = tell(subject="{{ order.id }}\n!", body="{{ customer.name }}", html="<b>{{ '<' }}</b>")

    assert (found.text.subject, found.text.body, found.text.html, found.flaws) == ("A1 !", "Ann", "<b>&lt;</b>", [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{{ customer.nmae }}", 'the variable "customer.nmae" is missing. Did you mean "customer.name"?'),
        ("{{ ordr.id }}", 'the variable "ordr.id" is missing. Did you mean "order"?'),
        ("{% for i in order['items'] %}{{ i.prise }}{% endfor %}",
         'the variable "order.items[].prise" is missing. Did you mean "order.items[].price"?'),
        ("{{ zebra }}", 'the variable "zebra" is missing.'),
    ],
)  # fmt: skip
def test_missing_variable_is_named_with_the_nearest(body: str, told: str) -> None:
    assert tell(body="\n" + body).flaws == [Flaw("body", 2, told)]


def test_all_that_is_missing_is_told_at_once() -> None:
    assert [flaw.line for flaw in tell(subject="{{ a }}", body="{{ b }}\n{{ c }}").flaws] == [1, 1, 2]


def test_fault_of_one_part_hides_no_other() -> None:
    found = tell(subject="{% if %}", body="{{ gone }}", html="<p>{{ customer.name }}</p>")

    assert found.text.html == "<p>Ann</p>"
    assert [(flaw.part, flaw.line) for flaw in found.flaws] == [("subject", 1), ("body", 1)]


def test_variable_that_was_not_needed_is_no_fault() -> None:
    found = tell(body="{% if 0 %}{{ gone }}{% endif %}{{ perhaps|default('x') }}")

    assert (found.text.body, [(flaw.detail, flaw.is_fatal) for flaw in found.flaws]) == (
        "x", [('the variable "gone" is not in the sample, and was not needed.', False)]
    )  # fmt: skip


@pytest.mark.parametrize(
    "body", ["{% for i in few %}{{ i.name }}{% endfor %}", "{% for key in customer %}{{ key }}{% endfor %}"]
)
def test_items_of_an_empty_list_and_keys_are_not_missed(body: str) -> None:
    assert tell(body=body).flaws == []


def test_fault_that_is_no_missing_variable_is_told() -> None:
    (flaw,) = tell(body="Hi\n{{ 1 / 0 }}").flaws

    assert (flaw.part, flaw.line, flaw.is_fatal) == ("body", 2, True)


def test_part_that_is_too_long_is_told_and_not_made() -> None:
    assert [flaw.detail for flaw in tell(body="x" * 70_000).flaws] == ["longer than 65,536 characters"]


def test_made_up_sample_fills_what_it_was_made_up_for() -> None:
    body = (
        "{{ customer.name }}{{ customer.attributes.city }}{{ order.number }}{{ order.items[0].price }}{{ tenant.x|d }}"
        "{% for i in lines %}{{ i.name }}{% for t in i.tags %}{{ t }}{% endfor %}{% endfor %}{{ event.type }}{{ url }}"
    )
    reads, flaws = reads_of(("", body, ""), owner="")
    sample = samples.made_up([read.path for read in reads])

    found = tried(("", body, ""), reads, flaws, {**sample, "tenant": {}, "event": {"type": "T"}}, owner="")

    assert found.flaws == []
    assert found.text.body == "Ann ExamplecityA-100712.50Ann ExampletagsThttps://example.com/start"
    assert (sample["customer"]["attributes"], sample["order"]["items"]) == ({"city": "city"}, [{"price": "12.50"}])


def test_sample_is_masked_wherever_an_address_stands() -> None:
    sample = {"customer": {"email": "ann@example.com", "phone": "12"}, "said": ["Write to bob@example.com", 7]}

    assert samples.masked(sample) == {
        "customer": {"email": "a•••@example.com", "phone": "•••"},
        "said": ["Write to b•••@example.com", 7],
    }

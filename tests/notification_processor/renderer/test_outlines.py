"""What is filled without a renderer is what Jinja makes of it, or is left to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notification_processor.filling import MAX_STEPS, Unfillable, filled
from notification_processor.renderer.compiling import Texts, rendered
from notification_processor.renderer.faults import Fault
from notification_processor.renderer.outlines import outline
from notification_processor.renderer.wire import MAX_BLOCK_DEPTH, MAX_TEXT, OUTLINE, is_answer

NAMES = st.sampled_from(["a", "b", "c", "loop"])
PATHS = st.lists(NAMES, min_size=1, max_size=2).map(".".join) | st.just("a['b']")
FILTERS = st.sampled_from(
    ["", "|upper", "|lower", "|round", "|round(2)", "|round(-1)", "|default('<x>')", "|default('y')|upper"]
)
TEXTS = st.sampled_from(["", " ", "\n", "word", "<b>&", "é", '<a href="', '"> '])
SAID = st.builds("{{{{ {}{} }}}}".format, PATHS, FILTERS)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("{{% if {} %}}{}{{% endif %}}".format, PATHS, inner)
        | st.builds(
            "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format, PATHS, inner, PATHS, inner, inner
        )
        | st.builds("{{% for {} in {} -%}}{}{{% endfor %}}".format, st.sampled_from("abx"), PATHS, inner)
        | st.builds("{}{}".format, inner, inner)
    )


TEMPLATES = st.lists(st.recursive(TEXTS | SAID, blocks, max_leaves=5), max_size=4).map("".join)
WORDS = st.sampled_from(["", "Ann", "<i>", "javascript:x", "ß"])
VALUES = st.recursive(
    WORDS | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
CONTEXTS = st.dictionaries(NAMES, VALUES, max_size=4)


def of_jinja(source: Texts, context: dict[str, object]) -> list[str] | None:
    try:
        return list(rendered(source, context))
    except Fault:
        return None


def made(text: str, context: dict[str, object]) -> str:
    words = outline(Texts("", text, ""))
    assert words is not None
    return filled(words, context)[1]


@given(TEMPLATES, TEMPLATES, CONTEXTS)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_filled_outline_is_what_jinja_makes(body, html, context):
    source = Texts("", body, html)
    words = outline(source)
    assert is_answer(OUTLINE, [1, "done", words])
    if words is None:
        return
    try:
        texts = filled(words, context)
    except Unfillable:
        return
    assert texts == of_jinja(source, context)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{% for i in items %}{{ i.q }} x {{ i.name|upper }}\n{% endfor %}", "1 x PEN\n2 x INK & CO\n"),
        ("{% if items %}some{% else %}none{% endif %}", "some"),
        ("{% if nothing %}some{% elif items %}else{% endif %}", "else"),
        ("{{ total|round(2) }} {{ total|round }} {{ name|lower }}", "12.35 12.0 ann"),
        ("{{ note|default('-') }} {{ customer.city|default('nowhere')|upper }}", "- NOWHERE"),
        (
            "{% for i in items %}{% for r in i.rest %}{% if r %}{{ r }}{{ name }}{% endif %}{% endfor %}{% endfor %}",
            "7Ann",
        ),
    ],
)
def test_conditions_loops_and_filters_need_no_renderer(text, says):
    items = [{"q": 1, "name": "Pen", "rest": []}, {"q": 2, "name": "Ink & Co", "rest": [7]}]
    context = {"items": items, "nothing": [], "total": 12.345, "name": "Ann", "customer": {}}

    assert made(text, context) == says
    assert of_jinja(Texts("", text, ""), context) == ["", says, ""]


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in items %}{{ loop.index }}{% endfor %}",
        "{% for k, v in items %}{{ k }}{% endfor %}",
        "{% for i in items if i %}{{ i }}{% endfor %}",
        "{% for i in items %}{{ i }}{% else %}none{% endfor %}",
        "{% if a == 1 %}x{% endif %}",
        "{% if not a %}x{% endif %}",
        "{% set a = 1 %}{{ a }}",
        "{{ a|default('x', true) }}",
        "{{ a|upper|default('x') }}",
        "{{ a|round(2, 'ceil') }}",
        "{{ a|round(99) }}",
        "{{ a|replace('x', 'y') }}",
        "{{ a[0] }}",
        "{% if a %}" * (MAX_BLOCK_DEPTH + 1) + "{% endif %}" * (MAX_BLOCK_DEPTH + 1),
    ],
)
def test_more_than_that_is_the_renderers(text):
    assert outline(Texts("", text, "")) is None


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("{{ a.b|default('x') }}", {}),
        ("{{ a|round }}", {"a": "1"}),
        ("{{ a|round(2) }}", {"a": True}),
        ("{% if a.b %}{% endif %}", {"a": {}}),
        ("{% for x in a %}{{ x }}{% endfor %}", {"a": "abc"}),
        ("{% for x in a %}{% for y in a %}.{% endfor %}{% endfor %}", {"a": [0] * MAX_STEPS}),
        ("{% for x in a %}{{ b }}{% endfor %}", {"a": [0] * 500, "b": "b" * (MAX_TEXT // 400)}),
    ],
)
def test_what_cannot_be_filled_is_left_to_the_renderer(text, context):
    with pytest.raises(Unfillable):
        made(text, context)


@pytest.mark.parametrize(
    "words",
    [
        [{"if": ["a"], "then": ["x"]}],
        [{"if": [], "then": [], "else": []}],
        [{"each": 1, "in": ["a"], "do": []}],
        [{"value": ["a"], "through": [["__class__"]]}],
        [{"value": ["a"], "through": [["round", "2"]]}],
        [{"value": ["a"], "through": [[]]}],
        [{"value": ["a"], "through": [[["upper"]]]}],
        [[]],
        [None],
    ],
)
def test_outline_of_another_shape_is_no_answer(words):
    assert not is_answer(OUTLINE, [1, "done", [[], words, []]])


def test_outline_nested_too_deeply_is_no_answer():
    words: list[object] = ["x"]
    for _ in range(MAX_BLOCK_DEPTH + 1):
        words = [{"if": ["a"], "then": words, "else": []}]

    assert not is_answer(OUTLINE, [1, "done", [[], words, []]])

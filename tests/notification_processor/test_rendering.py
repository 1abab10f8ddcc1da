import pytest

from notification_processor.rendering import Source, TemplateFault, check, inline_source, render


def rendered(text, data=None, *, part="body", channel="email"):
    source = inline_source(channel=channel, **({"subject": "", "body": "", "html": ""} | {part: text}))
    return getattr(render(source, data or {}), part)


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        ("Hi {{ name }}", {"name": "Ann"}, "Hi Ann"),
        ("{{ nickname|default('you') }}", {}, "you"),
        (
            "{% for i in order.items %}{{ loop.index }}.{{ i.name }} {% endfor %}",
            {"order": {"items": [{"name": "x"}]}},
            "1.x ",
        ),
        ("{{ total|round(2) }} {{ 2 * 3 }} {{ 'a' ~ 1 }}", {"total": 12.3456}, "12.35 6 a1"),
        ("{{ tags|join(', ') }}", {"tags": ["a", "b"]}, "a, b"),
        ("{{ rows|join('-', attribute='id') }}", {"rows": [{"id": 1}, {"id": 2}]}, "1-2"),
        ("{{ data|tojson }}", {"data": {"a": [1]}}, '{"a":[1]}'),
        ("{% if x is defined %}a{% else %}b{% endif %}", {}, "b"),
    ],
)
def test_render_fills_in_values(text, data, expected):
    assert rendered(text, data) == expected


@pytest.mark.parametrize(("part", "expected"), [("html", "&lt;b&gt;&amp;"), ("body", "<b>&"), ("subject", "<b>&")])
def test_render_escapes_html_only(part, expected):
    assert rendered("{{ x }}", {"x": "<b>&"}, part=part) == expected


def test_render_subject_is_one_line():
    assert rendered("a\r\nBcc: {{ x }}", {"x": "b\nc"}, part="subject") == "a Bcc: b c"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Hi\n{{ user.first_nme }}", 2, ['the variable "first_nme" is missing', 'Did you mean "first_name"?']),
        ("{{ usr }}", 1, ['the variable "usr" is missing', 'Did you mean "user"?']),
        ("a\nb\n{{ 1 / 0 }}", 3, ["division by zero"]),
    ],
)
def test_render_fault_names_line_and_variable(text, line, words):
    with pytest.raises(TemplateFault) as caught:
        rendered(text, {"user": {"first_name": "Ann"}})
    assert caught.value.line == line
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("text", ["{{", "{% if %}", "{% foo %}", "{{ x|nosuch }}", "{% for %}", "{{ 'a'|center(9) }}"])
def test_check_refuses_bad_syntax_with_its_line(text):
    with pytest.raises(TemplateFault) as caught:
        check(Source("", "email", body=f"fine\n{text}"))
    assert caught.value.line == 2


def test_variables_of_a_template_are_its_top_level_names():
    source = Source("k", "email", subject="{{ a }}", body="{% for i in b %}{{ i.c }}{% endfor %}{{ customer.name }}")
    assert check(source) == {"a", "b", "customer"}

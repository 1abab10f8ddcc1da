"""The template editor's own pages: who may use them, and what they say and do."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from delivery_gateway.models import NotificationLog
from monitoring.models import AuditEntry
from notification_processor import template_trials, templates
from notification_processor.models import Event, MessageTemplate
from notification_processor.rendering import Rendered
from notification_processor.template_trials import Editor
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import form_of, messages_of, page_of
from tests.admin.world import World
from traffic_control.errors import Problem
from user_preferences.models import Customer

ROOT = "admin:notification_processor_messagetemplate"
NO_VERSIONS = {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}
WORDS = {"subject": "Hi", "body": "Dear {{ name }}", "html": ""}


def url(name: str, template: MessageTemplate, *further: Any) -> str:
    return reverse(f"{ROOT}_{name}", args=[template.pk, *further])


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def deeds(world: World) -> list[str]:
    return list(AuditEntry.objects.filter(tenant=world.tenant).order_by("-id").values_list("action", flat=True)[:2])


# --- Who may ---


@pytest.mark.parametrize(("name", "further"), [("pane_of", ()), ("test", ()), ("versions", ()), ("restore", (1,))])
@pytest.mark.parametrize("method", ["get", "post"])
def test_template_of_another_tenant_is_not_there(
    name: str, further: tuple[int, ...], method: str, operator: Client, globex_world: World
) -> None:
    response = getattr(operator, method)(url(name, globex_world.template, *further), WORDS)

    assert response.status_code == 404
    assert globex_world.template.versions.count() == 1
    assert not NotificationLog.objects.filter(event_type=template_trials.EVENT_TYPE).exists()


@pytest.mark.parametrize(("name", "further"), [("pane_of", ()), ("test", ()), ("versions", ()), ("restore", (1,))])
def test_pages_need_the_permission_to_see_templates(
    name: str, further: tuple[int, ...], acme_world: World, db: None
) -> None:
    client = logged_in(staff(acme_world.tenant))

    assert client.post(url(name, acme_world.template, *further), WORDS).status_code == 403


@pytest.mark.parametrize(("name", "further"), [("test", ()), ("restore", (1,))])
def test_whoever_may_only_look_changes_and_sends_nothing(
    name: str, further: tuple[int, ...], viewer: Client, acme_world: World
) -> None:
    templates.revise(acme_world.template, {"body": "New"})

    assert viewer.post(url(name, acme_world.template, *further), WORDS).status_code == 403
    assert acme_world.template.versions.count() == 2


def test_whoever_may_only_look_sees_the_stored_words(viewer: Client, acme_world: World) -> None:
    page = text_of(viewer.get(page_of(acme_world.template)))
    pane = text_of(viewer.post(url("pane_of", acme_world.template), WORDS | {"subject": "Typed"}))

    assert "Publish" not in page
    assert "Send test to me" not in page
    assert "Hi from acme" in pane
    assert "Typed" not in pane


def test_pane_of_a_new_template_needs_the_permission_to_add(viewer: Client, operator: Client) -> None:
    assert viewer.post(reverse(f"{ROOT}_pane"), WORDS).status_code == 403
    assert "Dear Ann Example" in text_of(operator.post(reverse(f"{ROOT}_pane"), WORDS | {"channel": "slack"}))


# --- The sample ---


def test_sample_is_the_last_event_of_the_templates_workflow(operator: Client, acme_world: World) -> None:
    acme_world.workflow.template = acme_world.template.name
    acme_world.workflow.save()
    now = timezone.now()
    for mode, order in (("live", "acme-8"), ("test", "acme-9")):
        Event.objects.create(
            tenant=acme_world.tenant, event_type="acme.created", recipients=["acme-user"], mode=mode,
            payload={"order": order, "by": "bob@acme.test"}, occurred_at=now, due_at=now, received_at=now,
        )  # fmt: skip

    page = operator.get(page_of(acme_world.template))

    sample = page.context["sample"]
    assert (sample.data["order"], sample.data["customer"]["name"]) == ("acme-8", "acme person")
    assert (sample.data["by"], sample.data["customer"]["email"]) == ("b•••@acme.test", "p•••@acme.test")
    assert sample.told.startswith("The last acme.created, of ")


def test_sample_is_made_up_for_whoever_may_not_see_events(acme_world: World) -> None:
    acme_world.workflow.template = acme_world.template.name
    acme_world.workflow.save()
    client = logged_in(staff(acme_world.tenant, Permission.objects.get(codename="view_messagetemplate")))

    sample = client.get(page_of(acme_world.template)).context["sample"]

    assert (sample.event_id, sample.data["name"]) == (None, "Ann Example")


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (
            '{\n"a": }',
            "The sample cannot be used. It is not valid JSON: unexpected character, expected a JSON value (line 2,",
        ),
        ("[" * 3_000, "The JSON is nested deeper than"),
        ('{"a": 1, "a": 2}', "the same name twice"),
        ('{"a": "\\ud800"}', "It is not valid JSON"),
        ("[1]", "The sample has to be an object"),
    ],
)
def test_sample_that_cannot_be_used_is_told(sample: str, told: str, operator: Client, acme_world: World) -> None:
    assert told in text_of(operator.post(url("pane_of", acme_world.template), WORDS | {"sample": sample}))


def test_pane_draws_strangers_html_in_a_closed_frame(operator: Client, acme_world: World) -> None:
    words = {"subject": "<b>", "body": "x", "html": "<script>alert(1)</script>{{ name }}", "sample": '{"name": "<i>"}'}

    pane = text_of(operator.post(url("pane_of", acme_world.template), words))

    assert "<script>" not in pane
    assert '<iframe class="letter" sandbox=""' in pane
    assert "&amp;lt;i&amp;gt;" in pane


def test_page_runs_and_loads_nothing_but_its_own(operator: Client, acme_world: World) -> None:
    for page in (page_of(acme_world.template), url("versions", acme_world.template)):
        policy = operator.get(page)["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval';" in policy
        assert "default-src 'self';" in policy


@pytest.mark.parametrize(("channel", "has_html"), [("slack", False), ("telegram", True)])
def test_html_is_asked_for_where_there_is_any(
    channel: str, has_html: bool, operator: Client, acme_world: World
) -> None:
    chat = templates.create(acme_world.tenant, name="chat", channel=channel, locale="en", parts=WORDS)

    assert ('name="html"' in text_of(operator.get(page_of(chat)))) == has_html
    operator.post(page_of(chat), {**NO_VERSIONS, "body": "{% if"})
    operator.post(page_of(chat), {**NO_VERSIONS, "body": "New"})
    assert list(chat.versions.order_by("number").values_list("body", flat=True)) == [WORDS["body"], "New"]


def test_markup_of_a_telegram_message_is_drawn(operator: Client, acme_world: World) -> None:
    words = {"body": "Hi", "html": "<b>Hi</b> {{ name }}"}
    chat = templates.create(acme_world.tenant, name="chat", channel="telegram", locale="en", parts=WORDS)

    pane = text_of(operator.post(url("pane_of", chat), words | {"sample": '{"name": "Ann"}'}))

    assert "6 of at most 4096 characters" in pane
    assert "drawn-bubble" in pane
    assert "&lt;b&gt;Hi&lt;/b&gt; Ann" in pane


# --- Publishing, comparing, putting back ---


def test_words_are_not_published_over_those_of_somebody_else(operator: Client, acme_world: World) -> None:
    page = page_of(acme_world.template)
    typed = form_of(operator.get(page)) | {"body": "Mine"}
    templates.revise(acme_world.template, {"body": "Theirs"})

    refused = operator.post(page, typed)

    assert "Somebody has published version 2 since you opened version 1." in text_of(refused)
    again = form_of(refused) | {"body": "Mine"}
    assert "Version 3 is in use" in messages_of(operator.post(page, again, follow=True))


def test_versions_are_compared(viewer: Client, acme_world: World) -> None:
    templates.revise(acme_world.template, {"body": "Dear {{ name }}!"})

    page = text_of(viewer.get(url("versions", acme_world.template)))

    assert "Dear {{ name }}<b>!</b></ins>" in page
    assert "Put version" not in page


@pytest.mark.parametrize("query", ["?before=2&after=1", "?before=1&after=1", "?before=x&after=99", "?before=99"])
def test_any_versions_may_be_asked_for(query: str, operator: Client, acme_world: World) -> None:
    templates.revise(acme_world.template, {"body": "New"})

    assert operator.get(url("versions", acme_world.template) + query).status_code == 200


def test_earlier_version_is_put_back_as_a_new_one(operator: Client, acme_world: World) -> None:
    templates.revise(acme_world.template, {"body": "New"})

    response = operator.post(url("restore", acme_world.template, 1), follow=True)

    third = MessageTemplate.objects.get(pk=acme_world.template.pk).current
    assert (third and third.number, third and third.body) == (3, "Dear {{ name }}")
    assert "Version 3, with the words of version 1, is in use" in messages_of(response)
    assert deeds(acme_world) == ["template.restored", "template.versioned"]


def test_version_that_never_was_is_not_put_back(acme_world: World) -> None:
    with pytest.raises(Problem, match="has no version 7"):
        templates.restore(acme_world.template, 7)


def test_words_in_use_are_not_put_back_again(acme_world: World) -> None:
    templates.restore(acme_world.template, 1)

    assert acme_world.template.versions.count() == 1


# --- A test to oneself ---


def test_test_message_is_marked_goes_to_its_author_and_is_noted(operator: Client, acme_world: World) -> None:
    User.objects.filter(username__startswith="staff-").update(email="me@acme.test")

    told = text_of(operator.post(url("test", acme_world.template), WORDS | {"sample": '{"name": "Ann"}'}))

    row = NotificationLog.objects.get(event_type="template.test")
    assert (row.to, row.mode, row.subject, row.body) == ("me@acme.test", "live", "[Test] Hi", "Dear Ann")
    assert (row.template_name, row.template_version, row.event_id) == ("acme_hello", None, None)
    assert "On its way to me@acme.test" in told
    assert page_of(row) in told
    assert deeds(acme_world)[0] == "template.tested"


def test_test_message_of_published_words_names_their_version(operator: Client, acme_world: World) -> None:
    User.objects.filter(username__startswith="staff-").update(email="me@acme.test")
    words = {"subject": "Hi from acme", "body": "Dear {{ name }}"}

    operator.post(url("test", acme_world.template), words)

    assert NotificationLog.objects.get(event_type="template.test").template_version == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (WORDS, "Your account has no mail address"),
        (WORDS | {"body": "{{ gone.x }}", "sample": "{}"}, "Your account has no mail address"),
        (WORDS | {"body": "{{ gone }}", "sample": '{"a": 1}'}, "Not sent: these words cannot be made"),
        (WORDS | {"body": "{% if"}, "Not sent: these words cannot be made"),
    ],
)
def test_test_message_that_cannot_be_sent_says_why(
    words: dict[str, str], told: str, operator: Client, acme_world: World
) -> None:
    assert told in text_of(operator.post(url("test", acme_world.template), words))
    assert not NotificationLog.objects.filter(event_type="template.test").exists()


def test_test_message_on_another_channel_goes_to_the_customer_that_its_author_is(acme_world: World) -> None:
    chat = templates.create(acme_world.tenant, name="chat", channel="telegram", locale="en", parts=WORDS)
    words, me = Rendered("", "Hello", ""), Editor("ops", "ops@acme.test")
    with pytest.raises(Problem, match=r'user_id is "ops" or "ops@acme\.test"'):
        template_trials.send_test(chat, words, me, payload={}, version=1)
    Customer.objects.create(tenant=acme_world.tenant, user_id="ops", addresses={"telegram": "4711"})

    new = template_trials.send_test(chat, words, me, payload={}, version=1)

    assert (new.to, new.user_id, new.is_critical, new.body) == ("4711", "ops", True, "[Test] Hello")

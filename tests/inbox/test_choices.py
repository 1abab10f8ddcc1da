"""`/v1/inbox/preferences/`: what users choose about themselves, from a page that embeds it."""

import time

import pytest
from rest_framework.test import APIClient

from inbox import tokens
from tenants import inbox_secrets
from tests.inbox.conftest import page_of
from user_preferences.models import ConsentEntry, Customer, Preference

PATH = "/v1/inbox/preferences/"
OFF = {"categories": {"news": {"email": False}}}
WORKFLOWS = (
    {"event_type": "SALE", "channels": ["email", "in_app"], "category": "news"},
    {"event_type": "SIGN_IN", "channels": ["email"], "category": "security", "critical": True},
)
QUIET = {"days": {"mon": [["22:00", "07:00"]]}}


@pytest.fixture
def ann(live):
    live.post("/api/v1/customers/", {"user_id": "ann", "email": "ann@example.com"})
    for workflow in WORKFLOWS:
        assert live.post("/v1/workflows/", workflow).status_code == 201
    return Customer.objects.get(user_id="ann")


@pytest.fixture
def page(acme, ann):
    return page_of(acme, "ann")


def told(answer, *path):
    found = answer.json()
    for name in path:
        found = next(one for one in found if one["key"] == name) if isinstance(found, list) else found[name]
    return found


def test_what_there_is_to_choose_is_shown(page):
    answer = page.get(PATH)

    assert told(answer, "sender") == "Acme"
    assert told(answer, "channels") == {name: {"enabled": True, "default": True} for name in ("email", "in_app")}
    assert told(answer, "categories", "news", "channels", "email") == {"enabled": True, "default": True, "muted": False}
    security = told(answer, "categories", "security")
    assert (security["name"], security["locked"], security["channels"]) == ("Security", True, {})
    assert not ConsentEntry.objects.exists()


def test_choice_is_that_of_every_other_door_and_in_the_same_log(live, page, ann, django_capture_on_commit_callbacks):
    answer = page.patch(PATH, OFF | {"text_version": "de-0123456789ab"})

    assert (answer.status_code, told(answer, "categories", "news", "channels", "email")["enabled"]) == (200, False)
    assert live.get("/v1/preferences/ann/").json()["categories"] == {"news": {"email": False}}
    with django_capture_on_commit_callbacks(execute=True):
        event = live.post("/api/events/", {"event_type": "SALE", "user_id": "ann", "payload": {}}).json()["id"]
    rows = live.get(f"/v1/notifications/?event_id={event}").json()["data"]
    assert {row["channel"]: row["reason"] for row in rows} == {"email": "category_channel_choice", "in_app": None}
    entry = ConsentEntry.objects.get()
    assert (entry.source, entry.actor_kind, entry.actor_id) == ("inbox", "recipient", str(ann.pk))
    assert (entry.text_version, len(entry.ip_hash)) == ("de-0123456789ab", 32)
    assert Preference.objects.get().source == "inbox"


def test_undo_brings_back_exactly_what_was(live, page):
    live.put("/v1/preferences/ann/", {"categories": {"news": {"email": True}}, "channels": {"in_app": False}})
    before = live.get("/v1/preferences/ann/").json()
    changed = page.patch(PATH, OFF | {"channels": {"in_app": None}, "quiet_hours": QUIET})
    assert told(changed, "undo") == {
        "channels": {"in_app": False}, "categories": {"news": {"email": True}}, "quiet_hours": None,
    }  # fmt: skip

    undone = page.patch(PATH, told(changed, "undo"))

    assert undone.status_code == 200
    assert live.get("/v1/preferences/ann/").json() == before


def test_declining_all_mutes_everything_and_can_be_undone(live, page):
    live.patch("/v1/preferences/ann/", {"channels": {"email": True}})
    body = told(page.get(PATH), "decline_all")

    declined = page.patch(PATH, body)

    assert [one["enabled"] for one in told(declined, "channels").values()] == [False, False]
    assert told(declined, "categories", "news", "channels", "email") == {
        "enabled": True, "default": True, "muted": True,
    }  # fmt: skip
    page.patch(PATH, told(declined, "undo"))
    assert live.get("/v1/preferences/ann/").json()["channels"] == {"email": True}


def test_put_replaces_all_choices(live, page):
    page.patch(PATH, OFF)

    page.put(PATH, {"channels": {"in_app": False}})

    told_now = live.get("/v1/preferences/ann/").json()
    assert (told_now["channels"], told_now["categories"]) == ({"in_app": False}, {})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"categories": {"security": {"email": False}}}, "preference_locked"),
        ({"categories": {"security": None}}, "preference_locked"),
        ({"categories": {"made-up": {"email": False}}}, "unknown_category"),
        ({"channels": {"pigeon": False}}, "unknown_channel"),
        ({"quiet_hours": {"timezone": "Mars/Base"}}, "required"),
        ({"text_version": "<b>"}, "invalid"),
        ({"pigeon": 1}, "unknown_field"),
        ([], "not_an_object"),
    ],
)
def test_what_cannot_be_chosen_changes_nothing(page, body, code):
    answer = page.patch(PATH, body)

    codes = [answer.json()["code"], *(error["code"] for error in answer.json().get("errors", ()))]
    assert (answer.status_code, code in codes) == (400, True), answer.json()
    assert not Preference.objects.exists()


def test_choices_that_changed_meanwhile_are_not_overwritten(page):
    seen = page.get(PATH)["ETag"]
    assert page.patch(PATH, OFF, headers={"If-Match": seen}).status_code == 200

    late = page.patch(PATH, {"channels": {"in_app": False}}, headers={"If-Match": seen})

    assert (late.status_code, late.json()["code"]) == (412, "preferences_changed")
    assert page.patch(PATH, {"channels": {"in_app": False}}, headers={"If-Match": "*"}).status_code == 200
    one_of_two = f'"other", {page.get(PATH)["ETag"]}'
    assert page.patch(PATH, {"channels": {"in_app": None}}, headers={"If-Match": one_of_two}).status_code == 200


def test_user_who_is_no_customer_yet_sees_and_chooses(acme, ann):
    new = tokens.sign(inbox_secrets.newest_of(acme.tenant), "new", now=time.time(), seconds=60)
    page = APIClient(headers={"Authorization": f"Bearer {new}"})
    page.default_format = "json"
    assert list(told(page.get(PATH), "channels")) == ["in_app"]
    assert not Customer.objects.filter(user_id="new").exists()

    assert page.patch(PATH, {"channels": {"in_app": False}}).status_code == 200

    assert Preference.objects.get().customer.user_id == "new"


def test_choices_are_the_token_holders_own(acme, globex, ann):
    for stranger in (page_of(acme, str(ann.pk)), page_of(globex, "ann")):
        stranger.patch(PATH, {"channels": {"in_app": False}})

    assert not Preference.objects.filter(customer=ann).exists()


def test_choosing_needs_its_scope(acme, ann):
    reader = page_of(acme, "ann", tokens.READ)

    assert reader.get(PATH).status_code == 200
    for method in (reader.patch, reader.put):
        answer = method(PATH, OFF)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert page_of(acme, "ann", tokens.CHOOSE).get(PATH).status_code == 403

"""A user's inbox over HTTP: what is shown, and what the user does with it."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from delivery_gateway.models import Inbox, InboxItem
from tests.inbox.conftest import arrive, page_of

COUNTS, LIST, MARK = "/v1/inbox/counts/", "/v1/inbox/notifications/", "/v1/inbox/notifications/mark/"


def ids(answer):
    assert answer.status_code == 200, answer.json()
    return [item["id"] for item in answer.json()["data"]]


def counts(page):
    answer = page.get(COUNTS).json()
    return answer["total"], answer["unread"], answer["unseen"]


def test_newest_arrivals_come_first_page_by_page(page, ann):
    arrived = arrive(ann, 5)

    first = page.get(f"{LIST}?limit=3")
    second = page.get(f"{LIST}?limit=3&cursor={quote(first.json()['next_cursor'])}")

    assert ids(first) + ids(second) == arrived[::-1]
    assert (first.json()["has_more"], second.json()["has_more"]) == (True, False)


def test_arrivals_between_two_pages_shift_nothing(page, ann):
    arrived = arrive(ann, 4)
    first = page.get(f"{LIST}?limit=2")
    arrive(ann, 3)

    second = page.get(f"{LIST}?limit=2&cursor={quote(first.json()['next_cursor'])}")

    assert ids(second) == arrived[1::-1]


def test_message_is_read_and_seen_with_it(page, ann):
    [message] = arrive(ann)

    read = page.patch(f"{LIST}{message}/", {"read": True}).json()

    assert read["read_at"] == read["seen_at"] is not None
    assert counts(page) == (1, 0, 0)


def test_mark_that_is_there_changes_nothing(page, ann):
    [message] = arrive(ann)
    first = page.patch(f"{LIST}{message}/", {"read": True}).json()
    version = page.get(COUNTS).json()["version"]

    second = page.patch(f"{LIST}{message}/", {"read": True}).json()

    assert (second, page.get(COUNTS).json()["version"]) == (first, version)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"seen": True}, (1, 1, 0)),
        ({"read": True}, (1, 0, 0)),
        ({"archived": True}, (0, 0, 0)),
        ({"read": True, "archived": True}, (0, 0, 0)),
        ({"archived": False}, (1, 1, 1)),
    ],
)
def test_marks_are_counted(page, ann, marks, expected):
    [message] = arrive(ann)

    page.patch(f"{LIST}{message}/", marks)

    assert counts(page) == expected


def test_marks_can_be_taken_back(page, ann):
    [message] = arrive(ann)
    page.patch(f"{LIST}{message}/", {"read": True, "archived": True})

    page.patch(f"{LIST}{message}/", {"archived": False, "read": False})
    assert counts(page) == (1, 1, 0)
    page.patch(f"{LIST}{message}/", {"seen": False})

    assert counts(page) == (1, 1, 1)


def test_archived_message_is_where_it_is_looked_for(page, ann):
    old, new = arrive(ann, 2)
    page.patch(f"{LIST}{old}/", {"archived": True})

    assert (ids(page.get(LIST)), ids(page.get(f"{LIST}?status=archived"))) == ([new], [old])


def test_filters_narrow_the_list(page, ann):
    [bill] = arrive(ann, category="billing")
    [order] = arrive(ann, category="orders", event_type="ORDERED")
    page.patch(f"{LIST}{bill}/", {"read": True})

    assert ids(page.get(f"{LIST}?status=unread")) == [order]
    assert ids(page.get(f"{LIST}?category=billing")) == [bill]
    assert ids(page.get(f"{LIST}?workflow=ORDERED")) == [order]
    assert ids(page.get(f"{LIST}?since=1")) == [order]


@pytest.mark.parametrize(
    "query", ["status=new", "since=x", "since=-1", "limit=0", "limit=x", "cursor=x", "colour=red", "category=%00"]
)
def test_filter_that_makes_no_sense_is_an_error(page, ann, query):
    assert page.get(f"{LIST}?{query}").status_code == 400


def test_mark_all_leaves_what_came_meanwhile(page, ann):
    arrive(ann, 3)
    shown = page.get(COUNTS).json()["version"]
    [meanwhile] = arrive(ann)

    answer = page.post(MARK, {"filter": {}, "up_to": shown, "read": True})

    assert answer.json()["counts"]["unread"] == 1
    assert ids(page.get(f"{LIST}?status=unread")) == [meanwhile]


def test_mark_all_before_a_time(page, ann):
    [old, late] = arrive(ann, 2)
    InboxItem.objects.filter(id=old).update(created_at=timezone.now() - timedelta(hours=2))
    before = (timezone.now() - timedelta(hours=1)).isoformat()

    page.post(MARK, {"filter": {"status": "unread"}, "before": before, "read": True})

    assert ids(page.get(f"{LIST}?status=unread")) == [late]


def test_mark_some_by_id(page, ann):
    one, two, three = arrive(ann, 3)

    page.post(MARK, {"ids": [one, three], "archived": True})

    assert ids(page.get(LIST)) == [two]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"read": True}, {"filter": {}, "read": True}, {"filter": {}, "up_to": 1}, {"ids": [], "read": True},
        {"ids": ["x"], "read": True}, {"filter": {"status": "new"}, "up_to": 1, "read": True},
        {"filter": {}, "before": "soon", "read": True}, {"filter": {}, "up_to": -1, "read": True}, {"reed": True},
    ],
)  # fmt: skip
def test_mark_that_makes_no_sense_is_an_error(page, ann, body):
    arrive(ann)

    assert page.post(MARK, body).status_code == 400
    assert counts(page) == (1, 1, 1)


def test_action_counts_once_and_reads(page, ann):
    [message] = arrive(ann, payload={"inbox": {"actions": [{"key": "ok", "label": "OK"}]}})
    path = f"{LIST}{message}/actions"

    first = page.post(f"{path}/ok/").json()
    second = page.post(f"{path}/ok/").json()

    assert first["actions"][0]["completed_at"] == second["actions"][0]["completed_at"] is not None
    assert counts(page) == (1, 0, 0)
    assert page.post(f"{path}/other/").status_code == 404


def test_poll_costs_nothing_until_something_changes(page, ann):
    arrive(ann)
    for path in (COUNTS, LIST):
        tag = page.get(path)["ETag"]
        again = page.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)

    arrive(ann)

    for path in (COUNTS, LIST):
        changed = page.get(path, headers={"If-None-Match": tag})
        assert (changed.status_code, changed["ETag"] == tag) == (200, False)


def test_poll_of_an_unchanged_inbox_asks_two_questions(page, ann, django_assert_num_queries):
    arrive(ann)
    tag = page.get(COUNTS)["ETag"]

    with django_assert_num_queries(2):
        assert page.get(COUNTS, headers={"If-None-Match": tag}).status_code == 304


def test_user_nobody_has_written_to_has_an_empty_inbox(acme, ann):
    bob = page_of(acme, "bob")

    assert counts(bob) == (0, 0, 0)
    assert bob.get(LIST).json() == {
        "data": [], "counts": {"total": 0, "unread": 0, "unseen": 0, "version": 0}, "has_more": False,
        "next_cursor": None,
    }  # fmt: skip


def test_customer_who_was_forgotten_has_no_messages(acme, ann, page):
    from user_preferences.models import Customer

    arrive(ann)
    Customer.objects.all().delete()

    assert counts(page) == (0, 0, 0)
    assert page.post(MARK, {"filter": {}, "up_to": 9, "read": True}).status_code == 200


def test_counts_are_those_of_the_messages(page, ann):
    messages = arrive(ann, 6)
    page.patch(f"{LIST}{messages[0]}/", {"read": True})
    page.patch(f"{LIST}{messages[1]}/", {"seen": True})
    page.patch(f"{LIST}{messages[2]}/", {"archived": True})
    arrive(ann, 2)

    state, items = Inbox.objects.get(), InboxItem.objects.filter(archived_at=None)

    assert (state.total, state.unread, state.unseen) == (
        items.count(), items.filter(read_at=None).count(), items.filter(seen_at=None).count(),
    )  # fmt: skip
    assert sorted(InboxItem.objects.values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6, 10, 11]

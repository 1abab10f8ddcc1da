"""A message as its reader sees it: what of it leaves the house, and which links a page may follow."""

import pytest

from tests.inbox.conftest import arrive

LIST = "/v1/inbox/notifications/"


def test_message_is_shown_as_it_was_written(page, ann):
    said = {
        "secret": "between the tenant and us",
        "inbox": {
            "url": "/orders/7", "severity": "success", "tags": ["a"], "data": {"order": 7},
            "actions": [{"key": "go", "label": "Go", "url": "https://a.example/7", "style": "primary"}],
        },
    }  # fmt: skip
    arrive(ann, payload=said, category="orders")

    [item] = page.get(LIST).json()["data"]

    created = item.pop("created_at")
    assert created.endswith("Z")
    assert item.pop("id")
    assert item == {
        "seq": 1, "workflow": "GREETED", "category": "orders", "tags": ["a"], "title": "Hello", "body": "World",
        "avatar": None, "severity": "success", "redirect_url": "/orders/7", "data": {"order": 7}, "seen_at": None,
        "actions": [
            {"key": "go", "label": "Go", "url": "https://a.example/7", "style": "primary", "completed_at": None}
        ],
        "read_at": None, "archived_at": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "\\\\e",
        " javascript:alert(1)", "java\nscript:alert(1)", "/\t/evil.example", "https:evil", "http:///evil", "vbscript:x",
        7, ["/"], {"href": "/"}, "", "/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_link_that_a_page_must_not_follow_is_not_there(page, ann, url):
    said = {"url": url, "avatar": url, "actions": [{"key": "go", "label": "Go", "url": url}]}
    arrive(ann, payload={"inbox": said})

    [item] = page.get(LIST).json()["data"]

    assert (item["redirect_url"], item["avatar"], item["actions"][0]["url"]) == (None, None, None)


@pytest.mark.parametrize("url", ["https://a.example/x?y=1#z", "HTTP://a.example", "/", "/a/b", "?a=1", "#here", "/ä"])
def test_link_that_leads_to_a_page_is_kept(page, ann, url):
    arrive(ann, payload={"inbox": {"url": url}})

    assert page.get(LIST).json()["data"][0]["redirect_url"] == url


@pytest.mark.parametrize(
    "said",
    [None, [], "x", 7, {"actions": 7}, {"actions": [7, {}, {"key": 7}]}, {"tags": {}, "data": 1, "severity": []}],
)
def test_payload_of_any_shape_is_shown(page, ann, said):
    arrive(ann, payload={"inbox": said})
    arrive(ann, payload=None)
    arrive(ann, payload=[1])

    assert [item["actions"] for item in page.get(LIST).json()["data"]] == [[], [], []]

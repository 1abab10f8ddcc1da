"""Sends mail, and does with it what recipients and their providers do."""

import re

BASE = "https://notify.example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def notify(live, **fields):
    body = {"channel": "email", "to": "bob@example.com", "subject": "News", "body": "Hello", "category": "news"}
    answer = live.post("/v1/notify/", {k: v for k, v in (body | fields).items() if v is not None})
    assert answer.status_code == 202, answer.json()
    return answer.json()


def status_of(live, receipt):
    row = live.get(receipt["links"]["self"]).json()
    return row["status"], row["reason"]


def link_in(received):
    """The path of the https link of a mail's header, as a mailbox provider would find it."""
    found = re.fullmatch(rf"<{re.escape(BASE)}(/u/[A-Za-z0-9_-]+)>", received.message["List-Unsubscribe"])
    assert found is not None
    return found[1]


def press(browser, link):
    return browser.post(link, ONE_CLICK)

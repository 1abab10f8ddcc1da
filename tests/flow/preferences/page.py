"""What a browser makes of the page, and what came of it at the router."""

import re

from delivery_gateway.models import NotificationLog

BASE = "https://notify.example.com"


def form_of(page):
    """What a browser would send when nothing is touched but the button."""
    html = page.content.decode().partition('name="quiet_was"')
    ticked = re.findall(r'name="on" value="([^"]+)" checked', page.content.decode())
    was = re.findall(r'name="was" value="([^"]+)"', html[0])
    values = dict(re.findall(r'name="(quiet_(?:from|to|zone|was))" value="([^"]*)"', page.content.decode()))
    days = re.findall(r'name="quiet_day" value="(\w+)" checked', page.content.decode())
    on = {"quiet_on": "yes"} if 'name="quiet_on" value="yes" checked' in page.content.decode() else {}
    return {"do": "save", "on": ticked, "was": was, "quiet_day": days} | values | on


def undo_of(page):
    fields = re.findall(r'type="hidden" name="(back\w*)" value="([^"]*)"', page.content.decode())
    form = {"do": "undo", "back": [value for name, value in fields if name == "back"]}
    return form | {name: value.replace("&quot;", '"') for name, value in fields if name == "back_quiet"}


def saved(browser, link, *, off=(), on=(), **further):
    form = form_of(browser.get(link))
    form["on"] = [name for name in [*form["on"], *on] if name not in off]
    return browser.post(link, form | further)


def sent(live, event_type="SALE", **fields):
    event = live.post("/api/events/", {"event_type": event_type, "user_id": "ann", "payload": {}} | fields).json()
    return NotificationLog.objects.filter(event_id=event["id"])


def reason(live, event_type="SALE"):
    return sent(live, event_type).get(channel="email").reason

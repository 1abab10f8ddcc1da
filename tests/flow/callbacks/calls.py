"""A mail that was sent, and what its service tells of it."""

from tests.peers.mail_services import BODIES, Call

SERVICES = tuple(BODIES)


def sent(live, **fields):
    """The id of a notification that the mail server has taken."""
    body = {"channel": "email", "to": "bob@example.com", "subject": "News", "body": "Hello"} | fields
    receipt = live.post("/v1/notify/", body).json()
    assert story(live, receipt["id"])["status"] == "sent"
    return receipt["id"]


def story(live, notification):
    return live.get(f"/v1/notifications/{notification}/").json()


def tell(provider, url, told: Call):
    return provider.generic("POST", url, told.body, content_type="application/json", headers=told.headers)

"""Earlier versions of a template over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

WORDS = {"name": "parcel", "channel": "email", "subject": "One", "body": "Hi {{ name }}"}


@pytest.fixture
def path(sandbox: APIClient) -> str:
    """Of a template in its third version."""
    at = f"/v1/templates/{sandbox.post('/v1/templates/', WORDS).json()['id']}/"
    for subject in ("Two", "Three"):
        sandbox.patch(at, {"subject": subject})
    return at


def listed(api: APIClient, path: str, **query: Any) -> Any:
    return api.get(f"{path}versions/", query).json()


def test_versions_are_listed_newest_first_and_by_page(sandbox: APIClient, path: str) -> None:
    first = listed(sandbox, path, limit=2)
    rest = listed(sandbox, path, limit=2, cursor=first["next_cursor"])

    told = [(one["version"], one["subject"]) for one in first["data"] + rest["data"]]
    assert told == [(3, "Three"), (2, "Two"), (1, "One")]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert first["data"][0].keys() == {"version", "subject", "body", "html", "is_starter", "created_at"}


def test_earlier_words_become_the_next_version(sandbox: APIClient, path: str) -> None:
    answer = sandbox.post(f"{path}restore/", {"version": 1})

    assert (answer.status_code, answer.json()["version"], answer.json()["subject"]) == (200, 4, "One")
    assert sandbox.get(path).json() == answer.json()
    actions = [one["action"] for one in sandbox.get("/v1/audit/").json()["data"]]
    assert actions[:2] == ["template.restored", "template.versioned"]


def test_words_that_are_current_stay_as_they_are(sandbox: APIClient, path: str) -> None:
    sandbox.post(f"{path}restore/", {"version": 1})

    assert sandbox.post(f"{path}restore/", {"version": 1}).json()["version"] == 4
    assert len(listed(sandbox, path)["data"]) == 4


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": 9}, 404, "not_found"), ({"version": 0}, 400, "validation_error"), ({}, 400, "validation_error"),
        ({"version": 10**12}, 400, "validation_error"), ({"version": 1, "x": 1}, 400, "validation_error"),
    ],
)  # fmt: skip
def test_version_that_is_not_there_is_told(
    body: dict[str, Any], status: int, code: str, sandbox: APIClient, path: str
) -> None:
    answer = sandbox.post(f"{path}restore/", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(listed(sandbox, path)["data"]) == 3

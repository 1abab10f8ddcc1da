"""Every code that the product raises leads somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from traffic_control.error_catalogue import CATALOGUE, markdown
from traffic_control.errors import DRF_CODES

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "traffic_control",
    "tenants",
    "user_preferences",
    "delivery_gateway",
    "notification_processor",
    "event_intake",
    "inbox",
    "monitoring",
)
CODE_AT = {"Problem": 0, "refused": 0, "problem_response": 2, "problem_body": 1}  # position of the code in the call


def raised() -> Iterator[str]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield from code_of(node)
    yield from DRF_CODES.values()
    yield from re.findall(r'"code":"(\w+)"', (ROOT / "deploy/nginx/product.conf").read_text())


def code_of(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    position = CODE_AT.get(name)
    if position is not None and len(call.args) > position:
        given = call.args[position]
        if isinstance(given, ast.Constant) and str(given.value).isidentifier():  # egress has a "refused" of its own
            yield str(given.value)


def test_catalogue_has_every_code_raised_and_no_other() -> None:
    known = {entry.code for entry in CATALOGUE}

    assert known == set(raised()) | {"error"}, "error: what DRF raises besides its usual"


def test_catalogue_is_sorted_and_says_each_once() -> None:
    codes = [entry.code for entry in CATALOGUE]

    assert codes == sorted(set(codes))


def test_errors_md_is_the_catalogue() -> None:
    assert (ROOT / "docs/errors.md").read_text() == markdown(), "run manage.py error_docs --write"


@pytest.mark.django_db
def test_error_page_has_the_anchor_that_a_problem_names(client: Client) -> None:
    problem = client.get("/v1/notifications/").json()

    page, _, anchor = problem["type"].partition("#")
    answer = client.get(page)

    assert answer.status_code == 200
    assert f'<section id="{anchor}">' in answer.content.decode()

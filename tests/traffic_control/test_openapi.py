"""The OpenAPI document: complete, and true about keys, scopes and problems."""

from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def operations() -> dict[str, dict[str, Any]]:
    """By method and path."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return {f"{method.upper()} {path}": what for path, calls in paths.items() for method, what in calls.items()}


def test_document_is_valid(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_operations_have_one_tag_a_summary_and_an_id_of_their_own(operations):
    incomplete = [name for name, what in operations.items() if len(what["tags"]) != 1 or not what.get("summary")]
    ids = [what["operationId"] for what in operations.values()]

    assert incomplete == []
    assert len(ids) == len(set(ids))


def test_posts_that_are_idempotent_say_so(operations):
    def takes_key(name: str) -> bool:
        return "Idempotency-Key" in [parameter["name"] for parameter in operations[name].get("parameters", [])]

    assert takes_key("POST /api/v1/customers/")
    assert operations["POST /api/v1/customers/"]["responses"].keys() >= {"201", "400", "401", "403", "409", "422"}
    assert not takes_key("POST /v1/api-keys/")
    assert not takes_key("GET /api/v1/customers/")


def test_calls_name_their_scope_and_scheme(operations):
    retrieve = operations["GET /api/v1/customers/{customer}/"]

    assert retrieve["security"] == [{"ApiKey": []}]
    assert "Needs the scope `read`." in retrieve["description"]
    assert "404" in retrieve["responses"]
    assert operations["POST /v1/tenants/register/"].get("security", [{}]) == [{}]


def test_batch_of_customers_refused_as_a_whole_and_item_by_item_are_both_described(operations):
    refused = operations["POST /api/v1/customers/batch/"]["responses"]["400"]["content"]

    assert refused.keys() == {"application/json", "application/problem+json"}


def test_calls_that_change_an_object_say_that_its_state_may_refuse_them(operations):
    changing = {
        name: what for name, what in operations.items() if "{" in name and not name.startswith(("GET ", "HEAD "))
    }

    assert "POST /v1/integrations/{integration_id}/test/" in changing
    assert [name for name, what in changing.items() if "409" not in what["responses"]] == []


def test_page_sizes_are_bounded_in_the_document_as_they_are_in_the_lists(operations):
    parameters = [one for what in operations.values() for one in what.get("parameters", []) if one["name"] == "limit"]

    assert parameters
    assert {(one["schema"]["minimum"], one["schema"]["maximum"]) for one in parameters} == {(1, 200)}

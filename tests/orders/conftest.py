from typing import Any

import pytest

ANN = {"user_id": "ann", "name": "Ann", "email": "ann@example.com"}
ORDER = {
    "customer_id": "ann",
    "order_number": "A-7",
    "items": [
        {"sku": "tea-1", "name": "Green tea", "quantity": 2, "unit_price": "12.50"},
        {"sku": "cup-3", "name": "Cup", "quantity": 1, "unit_price": 0.99},
    ],
    "currency": "EUR",
}


@pytest.fixture
def ann(sandbox: Any) -> dict[str, Any]:
    """Ann as the tenant's customer."""
    answer = sandbox.post("/api/v1/customers/", ANN)
    assert answer.status_code == 201
    created: dict[str, Any] = answer.json()
    return created

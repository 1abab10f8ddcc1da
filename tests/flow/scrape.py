"""What a running product says of itself: any of its answers, and its metrics by name and label."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "scraper"  # the METRICS_TOKEN it has to be started with


def ask(url, *, key="", body=None, token="", method=None, headers=None):
    """Status and text."""
    data = json.dumps(body).encode() if body is not None else None
    shown = {"Content-Type": "application/json", "X-API-KEY": key, "Authorization": f"Bearer {token}" if token else ""}
    named = shown | (headers or {})
    request = Request(url, data=data, headers={name: value for name, value in named.items() if value}, method=method)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


class Scrape:
    def __init__(self, url):
        status, text = ask(f"{url}/metrics/", token=TOKEN)
        assert status == 200, text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        self.text, self.samples = text, [(s.name.removeprefix("traffic_control_"), s.labels, s.value) for s in samples]

    def __call__(self, name: str, **labels: str) -> Any:
        """The sum of the samples that have these labels; None when there are none."""
        found = [value for known, own, value in self.samples if known == name and labels.items() <= own.items()]
        return sum(found) if found else None

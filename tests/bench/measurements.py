"""Slices as a run would take them."""

from dataclasses import replace

from bench.designs import PLAIN, PRODUCT
from bench.load import Slice
from bench.memory import Memory
from bench.rounds import Measured
from bench.scenario import Amount, Scenario
from bench.servers import DatabaseWork

CLEAN = Slice(
    path="/v1/notify/",
    connections=16,
    requests=100,
    messages=100,
    seconds=1.0,
    accepted_per_s=100.0,
    p50_ms=5.0,
    p99_ms=9.0,
    statuses={202: 100},
    hang_ups=0,
    client_share=0.02,
    expected=100,
    delivered=100,
    delivered_per_s=50.0,
    cpu_seconds={"web": 0.2, "worker": 0.5, "dispatcher": 0.1, "postgres": 0.2},
    cpu_ms_per_message=10.0,
    foreign_cores=0.0,
    steal_cores=0.0,
)
EMAIL = Scenario(
    name="email", title="emails/s", kind="email", amount=Amount(rounds=2, requests={}), order=(PRODUCT, PLAIN)
)


def measured(design: str, rate: float, *, number: int = 1, fault: str = "", growth: float = 0.0) -> Measured:
    return Measured(
        scenario="email",
        round=number,
        design=design,
        slice=replace(CLEAN, delivered_per_s=rate),
        database=DatabaseWork(statements=250, wal_bytes=20_000, commits=100),
        memory={"web": Memory(peak_mb=80.0 + growth, growth_mb=growth)},
        fault=fault,
    )

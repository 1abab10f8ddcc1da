"""What carries the wake-ups: Redis as it is set up, RabbitMQ as it answers, and our own settings of both."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from delivery_gateway.leases import LEASE
from monitoring.doctor.verdict import Check, Level, Verdict, fail, good, warn
from traffic_control.celery import app

SECONDS = 2.0
FULL = 0.9  # of maxmemory
LOST = "What Redis loses is found again by the dispatcher, but late."


def client(url: str) -> redis.Redis:
    """Of our own: the product's does not wait for half a second, and does not ask a Redis that was away just now."""
    return redis.Redis.from_url(
        url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=Retry(NoBackoff(), 0)
    )


def redis_urls() -> dict[str, str]:
    """By what they are for; one entry where one Redis is both."""
    urls = {"redis": settings.REDIS_URL, "broker": settings.CELERY_BROKER_URL if settings.BROKER_IS_REDIS else ""}
    if settings.CELERY_TASK_ALWAYS_EAGER or urls["broker"] == urls["redis"]:
        del urls["broker"]
    return {name: url for name, url in urls.items() if url}


def redis_checks() -> list[Check]:
    return [
        Check(
            name,
            lambda name=name, url=url: redis_is_well(name, url),  # type: ignore[misc]
            "Intake goes on, but workers hear of no work, and limits and circuits are off.",
            "Look at REDIS_URL and CELERY_BROKER_URL, the server and the network between.",
            silent=Level.FAIL,
        )
        for name, url in redis_urls().items()
    ]


def redis_is_well(name: str, url: str) -> Iterator[Verdict]:
    with client(url) as asked:
        info: Mapping[str, Any] = asked.info()
        faults = list(_faults(name, info))
        try:
            asked.set(f"{settings.REDIS_KEY_PREFIX}doctor", 1, ex=1)
        except RedisError as exc:
            faults.append(fail(name, f"it takes no writes: {exc}"[:200], LOST, "Make room, or mend its disk."))
    product = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    yield from faults or [good(name, f"{product} {version}, {info['maxmemory_policy']}, writable")]


def _faults(name: str, info: Mapping[str, Any]) -> Iterator[Verdict]:
    most, used, policy = int(info.get("maxmemory", 0)), int(info["used_memory"]), info["maxmemory_policy"]
    if policy != "noeviction":
        level = Level.FAIL if most else Level.WARN
        why = "When memory is short it would drop queues and limits without a word."
        yield Verdict(name, level, f"maxmemory-policy is {policy}", why, "Set maxmemory-policy noeviction.")
    if most and used > most * FULL:
        found = f"{used / most:.0%} of maxmemory is in use"
        yield warn(name, found, "When it is full it takes no more wake-ups.", "Raise maxmemory.")
    if info.get("role") != "master":
        found = f"it is a {info.get('role')}"
        yield fail(name, found, "A replica takes no writes.", "Point the URL at the primary, or promote this one.")
    for job in ("aof_last_write_status", "rdb_last_bgsave_status"):
        if info.get(job, "ok") != "ok":
            yield fail(name, f"{job} is {info[job]}", "It may refuse writes (MISCONF).", "Mend its disk.")


def rabbitmq() -> Iterator[Verdict]:
    """Each queue is there and somebody takes from it. Declares nothing."""
    if settings.CELERY_TASK_ALWAYS_EAGER or not settings.CELERY_BROKER_URL.startswith(("amqp", "pyamqp")):
        return
    patience = {"read_timeout": SECONDS, "write_timeout": SECONDS, "max_retries": 0}
    with app.connection_for_read(transport_options=patience, connect_timeout=SECONDS) as connection:
        channel: Any = connection.default_channel
        states = {name: channel.queue_declare(name, passive=True) for name in settings.QUEUES}
    if idle := [name for name, state in states.items() if not state.consumer_count]:
        found = f"nobody takes from {', '.join(idle)}"
        yield fail("rabbitmq", found, "Their messages wait.", "Start a worker with these queues (WORKER_QUEUES).")
    else:
        yield good("rabbitmq", f"{len(states)} queues, each with a consumer")


def tasks_fit() -> Iterator[Verdict]:
    """Our own settings: a message comes back only when the task that has it must have ended, and so does a row."""
    conf = app.conf
    if settings.CELERY_TASK_ALWAYS_EAGER:
        yield good("celery", "tasks run inside the request (CELERY_TASK_ALWAYS_EAGER)")
        return
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    limits = {task.name: float(task.time_limit or conf.task_time_limit or "inf") for task in ours}
    faults = list(_misfits(conf, limits))
    found = f"acknowledges late, prefetch {conf.worker_prefetch_multiplier}, {max(limits.values()):.0f} s for a task"
    yield from faults or [good("celery", found)]


def _misfits(conf: Any, limits: Mapping[str, float]) -> Iterator[Verdict]:
    if not (conf.task_acks_late and conf.task_reject_on_worker_lost):
        found, do = "messages are acknowledged before the work", "Set task_acks_late and task_reject_on_worker_lost."
        yield warn("celery", found, "A worker that dies then leaves it to the dispatcher, half a minute later.", do)
    if conf.worker_prefetch_multiplier != 1:
        found = f"worker_prefetch_multiplier is {conf.worker_prefetch_multiplier}"
        yield warn("celery", found, "Busy workers keep wake-ups that idle ones could take.", "Set it to 1.")
    seconds = conf.broker_transport_options.get("visibility_timeout", 3600)
    if settings.BROKER_IS_REDIS and seconds <= max(limits.values()):
        found = f"visibility_timeout is {seconds} s, and a task may take {max(limits.values()):.0f} s"
        yield fail("celery", found, "The broker hands work out a second time while it is done.", "Raise it.")
    sends = limits.get("delivery_gateway.send_message", 0.0)
    if timedelta(seconds=sends) >= LEASE:
        found = f"a delivery task may take {sends:.0f} s, and its lease ends after {LEASE.total_seconds():.0f} s"
        yield fail("celery", found, "Messages would be sent twice.", "Lower its time limit below the lease.")


CHECKS = (
    Check(
        "rabbitmq",
        rabbitmq,
        "Workers hear of no work; the dispatcher cannot tell them either.",
        "Look at CELERY_BROKER_URL, the server and the network between; queues are declared by the first worker.",
        silent=Level.FAIL,
    ),
    Check("celery", tasks_fit, "The settings of Celery could not be read.", "Look at the error."),
)

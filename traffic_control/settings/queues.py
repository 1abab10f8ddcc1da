"""Celery and Redis: they carry wake-ups only."""

from kombu import Queue

from .install import IS_EMBEDDED, env

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", env.str("REDIS_URL", ""))
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", IS_EMBEDDED and not CELERY_BROKER_URL)
if not CELERY_BROKER_URL:
    CELERY_BROKER_URL = "memory://" if CELERY_TASK_ALWAYS_EAGER else "redis://127.0.0.1:6379/0"
BROKER_IS_REDIS = CELERY_BROKER_URL.startswith(("redis:", "rediss:"))
REDIS_URL = env.str("REDIS_URL", CELERY_BROKER_URL if BROKER_IS_REDIS else "")
CELERY_RESULT_BACKEND = env.str("CELERY_RESULT_BACKEND", "") or None
CELERY_TASK_IGNORE_RESULT = CELERY_RESULT_BACKEND is None
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "process"
_quorum = {"x-queue-type": "quorum"} if CELERY_BROKER_URL.startswith(("amqp", "pyamqp")) else None
LANES = ("email", "chat", "webhook", "in_app")
QUEUES = ("process", *(f"deliver.{lane}" for lane in LANES))
CELERY_TASK_QUEUES = [Queue(name, routing_key=name, queue_arguments=_quorum) for name in QUEUES]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE = "classic"  # Celery makes 28 of them, and we never use one
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_VISIBILITY_TIMEOUT = 120
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 120,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 3,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        # With True a broken line is mended inside redis-py, in the middle of a read that then waits for ever for what
        # the old line would have said: a worker's main loop stood still. Celery connects anew by itself.
        "retry_on_timeout": False,
        "health_check_interval": 10,
        "global_keyprefix": env.str("REDIS_KEY_PREFIX", "tc:"),
    }
    if BROKER_IS_REDIS
    # A RabbitMQ that has just come back may never answer; a worker that waits for it must come to try again.
    else {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
    if _quorum
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
# By memory only: processes that count tasks are replaced all at the same time, each when its last send has landed.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 250_000  # kB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_DB_REUSE_MAX = 1_000_000  # by default Celery reconnects to the database after every task
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", "tc:")

"""Every setting, read from the environment (`.env.example` lists them all).

The small default needs no configuration: a SQLite file, DEBUG on, tasks run inline. Naming a database with
DATABASE_URL makes it a service: DEBUG off, Celery workers, and a SECRET_KEY of your own.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- What kind of install this is -------------------------------------------------------------------------------
IS_EMBEDDED = not env.str("DATABASE_URL", "")
DEBUG = env.bool("DEBUG", IS_EMBEDDED)
INSECURE_KEY = "insecure-development-key-never-for-production"
SECRET_KEY = env.str("SECRET_KEY", INSECURE_KEY if DEBUG else "")
if not SECRET_KEY or (SECRET_KEY == INSECURE_KEY and not DEBUG):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set, and DEBUG is off. Set it to 50 random characters: "
        'python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] + ([".localhost"] if DEBUG else [])
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")

# --- Applications -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "traffic_control",
    "tenants",
    "user_preferences",
    "delivery_gateway",
    "notification_processor",
    "event_intake",
    "monitoring",
]
MIDDLEWARE = [
    "traffic_control.log_context.RequestIdMiddleware",
    "monitoring.middleware.HttpMetricsMiddleware",
    "traffic_control.audit.AuditMiddleware",
    "tenants.quota.QuotaHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "traffic_control.body_limits.BodyLimitMiddleware",
    "traffic_control.wakeup.EagerDispatchMiddleware",
    "traffic_control.console_middleware.ConsoleSessions",
    "traffic_control.slashes.AppendSlashInPlaceMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "event_intake.wicket.Wicket",  # what stands above holds for its requests as for all others
    "django.middleware.csrf.CsrfViewMiddleware",
    "traffic_control.console_middleware.ConsoleUsers",
    "traffic_control.console_middleware.ConsoleMessages",
]
ROOT_URLCONF = "traffic_control.urls"
WSGI_APPLICATION = "traffic_control.wsgi.application"
ASGI_APPLICATION = "traffic_control.asgi.application"
APPEND_SLASH = True
TEST_RUNNER = "traffic_control.test_runner.PytestRunner"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database: the record of truth ------------------------------------------------------------------------------
_database = environ.Env.db_url_config(env.str("DATABASE_URL", "") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASES = {"default": _database}
IS_SQLITE = _database["ENGINE"].endswith("sqlite3")
_database.setdefault("OPTIONS", {})
if IS_SQLITE:
    # One writer at a time: take the write lock at BEGIN, or two readers that both want to write would deadlock.
    _database["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000",
    }
else:
    _database["ENGINE"] = _database["ENGINE"].replace("django.db.backends.postgresql", "traffic_control.postgresql")
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 600)
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {"connect_timeout": 3, "application_name": "traffic_control"} | _database["OPTIONS"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery and Redis: wake-ups only ----------------------------------------------------------------------------
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

# --- The door ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["traffic_control.renderers.ProblemAwareJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["traffic_control.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "traffic_control.negotiation.QuickNegotiation",
    "DEFAULT_SCHEMA_CLASS": "traffic_control.openapi.Schema",
    "EXCEPTION_HANDLER": "traffic_control.errors.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
REGISTRATION = env.str("REGISTRATION", "open" if DEBUG else "closed")
REGISTRATION_TOKEN = env.str("REGISTRATION_TOKEN", "")
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 256 * 1024)
MAX_BATCH_BODY_BYTES = env.int("MAX_BATCH_BODY_BYTES", 4 * 1024 * 1024)
WEB_THREADS = env.int("WEB_THREADS", 4)  # of each web process; about half of them may wait for slow bodies
MAX_JSON_DEPTH = env.int("MAX_JSON_DEPTH", 20)
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", 24)
RETENTION_DAYS = env.int("RETENTION_DAYS", 0)  # for `manage.py partitions`, which is told to drop; 0: told how old, too
CONTENT_DAYS = env.int("CONTENT_DAYS", 30)  # after which addresses and texts are cleared; 0: never
DATA_UPLOAD_MAX_MEMORY_SIZE = max(MAX_BODY_BYTES, MAX_BATCH_BODY_BYTES)
BACKLOG_LIMIT = env.int("BACKLOG_LIMIT", 1_000_000)
API_RATE_LIMIT = env.str("API_RATE_LIMIT", "")
RECIPIENT_RATE_LIMIT = env.str("RECIPIENT_RATE_LIMIT", "")
CALLBACK_RATE_LIMIT = env.str("CALLBACK_RATE_LIMIT", "6000/m")

# --- Delivery ---------------------------------------------------------------------------------------------------
RETRY_SCHEDULE = [float(s) for s in env.list("RETRY_SCHEDULE", default=[5, 30, 120, 600, 900, 900, 900])]
RETRY_MAX_BACKOFF = env.int("RETRY_MAX_BACKOFF", 900)
EGRESS_ALLOW = env.list("EGRESS_ALLOW", default=["127.0.0.0/8", "::1/128"] if DEBUG else [])
EGRESS_ALLOW_HTTP = env.bool("EGRESS_ALLOW_HTTP", bool(EGRESS_ALLOW))
# Where workers keep their journals, on the machine's own disk or in its memory; empty: nowhere.
JOURNAL_DIR = env.str("JOURNAL_DIR", "" if CELERY_TASK_ALWAYS_EAGER else str(BASE_DIR / ".journal"))
DELIVERY_CONCURRENCY = env.int("DELIVERY_CONCURRENCY", 200)
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", bool(EMAIL_HOST_USER) and not env.bool("EMAIL_USE_SSL", False))
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
EMAIL_BACKEND = env.str(
    "EMAIL_BACKEND",
    "django.core.mail.backends.console.EmailBackend"
    if DEBUG and not env.str("EMAIL_HOST", "")
    else "delivery_gateway.channels.smtp.SmtpBackend",
)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Traffic Control <notifications@localhost>")
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", "")
TELEGRAM_CHAT_ID = env.str("TELEGRAM_CHAT_ID", "")
TELEGRAM_BASE_URL = env.str("TELEGRAM_BASE_URL", "https://api.telegram.org").rstrip("/")

# --- Secrets at rest --------------------------------------------------------------------------------------------
# Earlier ones: what was signed with them still counts.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
API_KEY_PEPPER = env.str("API_KEY_PEPPER", SECRET_KEY)
# First key encrypts, all decrypt: "id:base64-of-32-bytes, …". Unset: one key derived from SECRET_KEY.
CREDENTIALS_KEYS = env.list("CREDENTIALS_KEYS", default=[])

# --- The console, and its way through a proxy -------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG or not STATIC_ROOT.is_dir()
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "traffic_control.formats"
TIME_ZONE = "UTC"
USE_TZ = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_SECURE", not DEBUG)
# Django sends HSTS over https only, so a month of it is safe where the proxy alone knows about TLS.
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0 if DEBUG else 30 * 24 * 3600)
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", BEHIND_PROXY)
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|health|metrics)(/|$)"]  # probes and scrapers come past the proxy, in http
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains, and for browsers' built-in lists: the domain may not be ours alone
    "security.W021",
    *(() if BEHIND_PROXY else ("security.W008",)),  # no redirect to https: nobody has said that https is there
]
ALLOW_UNSAFE_POSTGRES = env.bool("ALLOW_UNSAFE_POSTGRES", DEBUG)

SPECTACULAR_SETTINGS = {
    "TITLE": "Traffic Control",
    "DESCRIPTION": "Multi-tenant notifications: say what happened, or what to send.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/(api/)?v?1?",
    "ENUM_NAME_OVERRIDES": {"OrderStatusEnum": "event_intake.models.Order.Status"},
}

# --- Metrics ----------------------------------------------------------------------------------------------------
# Under DEBUG everybody may read /metrics/; else whoever has the token, or comes straight from these networks.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
METRICS_ALLOW = env.list("METRICS_ALLOW", default=[])

# --- Logs: ids only, never addresses or bodies ------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "traffic_control.log_context.ContextFilter"},
        "secret_paths": {"()": "traffic_control.log_context.SecretPathFilter"},
    },
    "formatters": {
        "plain": {"format": "{asctime} {levelname:<7} {name} {message} {context}", "style": "{", "datefmt": "%H:%M:%S"},
        "json": {"()": "traffic_control.log_context.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["context"],
            "formatter": "json" if env.str("LOG_FORMAT", "plain") == "json" else "plain",
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        **{
            name: {"level": LOG_LEVEL}
            for name in (
                "traffic_control",
                "tenants",
                "user_preferences",
                "notification_processor",
                "delivery_gateway",
                "event_intake",
                "monitoring",
            )
        },
        "django.request": {"filters": ["secret_paths"]},
        "django.server": {
            "handlers": ["console"],
            "level": "INFO",
            "propagate": False,
            "filters": ["secret_paths"],
        },
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "kombu.transport.native_delayed_delivery": {"level": "ERROR"},  # warns of delays, which we do not use
    },
}

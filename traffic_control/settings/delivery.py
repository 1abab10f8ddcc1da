"""What goes out: retries, egress and the providers of the install itself."""

from .install import BASE_DIR, DEBUG, env
from .queues import CELERY_TASK_ALWAYS_EAGER

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
EMAIL_CONN_MAX_AGE = env.float("EMAIL_CONN_MAX_AGE", 60.0)
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

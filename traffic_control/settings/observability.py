"""Metrics, and logs with ids only: never addresses or bodies."""

from .install import env

# Under DEBUG everybody may read /metrics/; else whoever has the token, or comes straight from these networks.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
METRICS_ALLOW = env.list("METRICS_ALLOW", default=[])

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
                "inbox",
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

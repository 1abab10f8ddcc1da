"""Applications, middleware and pages."""

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates and site it replaces
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
    "inbox",
    "monitoring",
]
MIDDLEWARE = [
    "traffic_control.log_context.RequestIdMiddleware",
    "traffic_control.scope.ScopeMiddleware",
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
    "tenants.console_scope.ConsoleScope",
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

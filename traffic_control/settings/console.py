"""The console, and its way through a proxy."""

from .install import BASE_DIR, DEBUG, env

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

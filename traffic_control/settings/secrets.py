"""Secrets at rest."""

from .install import SECRET_KEY, env

# Earlier ones: what was signed with them still counts.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
API_KEY_PEPPER = env.str("API_KEY_PEPPER", SECRET_KEY)
# First key encrypts, all decrypt: "id:base64-of-32-bytes, …". Unset: one key derived from SECRET_KEY.
CREDENTIALS_KEYS = env.list("CREDENTIALS_KEYS", default=[])

"""Tokens of end users: what is believed, and what is refused."""

import base64
import hmac
import json

import pytest
from django.utils import timezone

from inbox import tokens
from inbox.tokens import Refused
from tenants.inbox_secrets import Signer
from tenants.models import Tenant

NOW = 1_800_000_000.0
KID = "00112233445566aa"
SIGNER = Signer(KID, Tenant(slug="acme", name="Acme"), b"isk_secret")
HEADER = {"alg": "HS256", "typ": "JWT", "kid": KID}
CLAIMS = {"iss": "acme", "sub": "ann", "aud": "inbox", "iat": NOW, "exp": NOW + 3_600}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header=HEADER, claims=CLAIMS, *, secret=b"isk_secret", digest="sha256"):
    """As a tenant's own JWT library would."""
    parts = [part if isinstance(part, str) else encoded(json.dumps(part).encode()) for part in (header, claims)]
    said = ".".join(parts)
    return f"{said}.{encoded(hmac.digest(secret, said.encode(), digest))}"


def read(token, now=NOW):
    return tokens.read(token, signer_of={KID: SIGNER}.get, now=now)


def without(name, values):
    return {key: value for key, value in values.items() if key != name}


def test_signature_is_that_of_the_standard():
    """RFC 7515, appendix A.1."""
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    said = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )

    signature = tokens._signature(base64.urlsafe_b64decode(key + "=="), said)

    assert encoded(signature) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_token_says_who_it_is():
    claims = read(signed())

    assert (claims.user_id, claims.signer, claims.expires) == ("ann", SIGNER, NOW + 3_600)
    assert claims.scopes == {"inbox:read", "inbox:write", "prefs:write"}


def test_token_of_our_own_is_read_again():
    token = tokens.sign(SIGNER, "ann/ö", now=NOW, seconds=60, scopes=("inbox:read",))

    claims = read(token)

    assert (claims.user_id, claims.expires, claims.scopes) == ("ann/ö", NOW + 60, {"inbox:read"})


FORGED = {
    "no text": "",
    "no token": "a.b",
    "four parts": signed() + ".x",
    "alg none": signed(HEADER | {"alg": "none"}),
    "alg none, unsigned": ".".join(signed(HEADER | {"alg": "none"}).split(".")[:2]) + ".",
    "alg in another case": signed(HEADER | {"alg": "hs256"}),
    "alg HS512, signed so": signed(HEADER | {"alg": "HS512"}, digest="sha512"),
    "alg RS256": signed(HEADER | {"alg": "RS256"}),
    "no alg": signed(without("alg", HEADER)),
    "another secret": signed(secret=b"isk_other"),
    "no secret": signed(secret=b""),
    "secret of nobody": signed(HEADER | {"kid": "f" * 16}, secret=b"nobody"),
    "claims changed": signed().replace(signed().split(".")[1], encoded(json.dumps(CLAIMS | {"sub": "bob"}).encode())),
    "no kid": signed(without("kid", HEADER)),
    "kid that is a path": signed(HEADER | {"kid": "../../dev/null"}, secret=b""),
    "kid that is SQL": signed(HEADER | {"kid": "x' UNION SELECT 'isk_other"}, secret=b"isk_other"),
    "kid that is a list": signed(HEADER | {"kid": [KID]}),
    "extension": signed(HEADER | {"crit": ["exp"]}),
    "unencoded payload": signed(HEADER | {"b64": False}),
    "key of its own": signed(HEADER | {"jwk": {"kty": "oct", "k": "AA"}}, secret=b"\0"),
    "another type": signed(HEADER | {"typ": "at+jwt"}),
    "another tenant's name": signed(claims=CLAIMS | {"iss": "globex"}),
    "another audience": signed(claims=CLAIMS | {"aud": "api"}),
    "no audience": signed(claims=without("aud", CLAIMS)),
    "no user": signed(claims=without("sub", CLAIMS)),
    "user that is a number": signed(claims=CLAIMS | {"sub": 7}),
    "empty user": signed(claims=CLAIMS | {"sub": ""}),
    "no expiry": signed(claims=without("exp", CLAIMS)),
    "expiry that is true": signed(claims=CLAIMS | {"exp": True}),
    "endless": signed(claims=CLAIMS | {"exp": float("inf")}),
    "no number": signed(claims=CLAIMS | {"exp": float("nan")}),
    "expiry that is a text": signed(claims=CLAIMS | {"exp": str(NOW + 60)}),
    "no issue time": signed(claims=without("iat", CLAIMS)),
    "longer than a day": signed(claims=CLAIMS | {"exp": NOW + 86_401}),
    "expiry before issue": signed(claims=CLAIMS | {"exp": NOW - 1}),
    "issued in a minute": signed(claims=CLAIMS | {"iat": NOW + 60}),
    "valid in a minute": signed(claims=CLAIMS | {"nbf": NOW + 60}),
    "nbf that is a text": signed(claims=CLAIMS | {"nbf": "now"}),
    "scope that is a list": signed(claims=CLAIMS | {"scope": ["inbox:read"]}),
    "name that stands twice": signed(claims=encoded(json.dumps(CLAIMS)[:-1].encode() + b', "sub": "bob"}')),
    "claims that are a list": signed(claims=encoded(b"[1]")),
    "claims that are deep": signed(claims=encoded(b"[" * 1_000 + b"]" * 1_000)),
    "padding": signed() + "=",
    "another spelling": signed()[:-1] + chr(ord(signed()[-1]) + 1),
    "very long": signed(claims=CLAIMS | {"x": "x" * 4_096}),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_token_that_proves_nothing_is_refused(token):
    with pytest.raises(Refused) as refused:
        read(token)

    assert not refused.value.is_expired


@pytest.mark.parametrize("late", [0, 29])
def test_clocks_may_differ_a_little(late):
    assert read(signed(), now=NOW + 3_600 + late)
    assert read(signed(), now=NOW - late)


@pytest.mark.parametrize("late", [30, 86_400])
def test_expired_token_asks_for_a_fresh_one(late):
    with pytest.raises(Refused) as refused:
        read(signed(), now=NOW + 3_600 + late)

    assert refused.value.is_expired


def test_audience_may_be_one_of_several():
    assert read(signed(claims=CLAIMS | {"aud": ["shop", "inbox"]}))


def test_time_of_issue_is_ours():
    token = tokens.sign(SIGNER, "ann", now=timezone.now().timestamp(), seconds=60)

    assert read(token, now=timezone.now().timestamp())

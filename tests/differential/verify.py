"""A second verifier of Cognito's tokens, and a second route table.

It shares no line with the first: signatures are checked by joserfc, JSON is read
by Python, and what a token must say is written here once more, from

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
https://www.rfc-editor.org/rfc/rfc7515, 7519 and 8725

The first line of standard input is the configuration, every other one a token
with a method and a path; each is answered by one line: `-` for a token that is
not believed, or who calls, and whether the route lets him pass.
"""

import base64
import json
import re
import sys

from joserfc import jws
from joserfc.jwk import RSAKey

LONGEST = 8192  # the largest header that a distribution lets through
LONGEST_LIFE = 24 * 60 * 60  # a pool's longest access and ID tokens
SKEW = 60
NEVER = {"crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "cty", "zip", "enc"}

SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")
TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z", re.ASCII)
ROLE = re.compile(r"[a-z][a-z0-9-]{0,31}\Z", re.ASCII)
SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,128}\Z", re.ASCII)
PLAIN = re.compile(r"[A-Za-z0-9\-_.~:@+=,]+\Z", re.ASCII)

# Method, path, and what the caller needs beside a tenant and an access token.
ROUTES = [
    ("GET", "/items", {}),
    ("GET", "/items/*", {}),
    ("DELETE", "/items/*", {"role": "admin"}),
    ("GET", "/users/*", {}),
    ("GET", "/users/*/orders", {"role": "admin"}),
    ("GET", "/me", {"tenant": False}),
    ("GET", "/profile", {"kind": "id"}),
    ("GET", "/scoped", {"scope": "items/admin"}),
    ("GET", "/staff", {"group": "staff"}),
    ("GET", "/admin/members", {"role": "admin"}),
    ("GET", "/tenants/<own>", {}),
    ("POST", "/robots", {"tenant": False, "machine": True}),
]


class Refused(Exception):
    """The token is not believed."""


def need(condition):
    if not condition:
        raise Refused


def segment(text):
    need(SEGMENT.match(text))
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else None
    # One signed text has one spelling.
    need(data is not None and base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text)
    return data


def unique(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs))
    return members


def no_constant(_):
    raise Refused


def finite(text):
    value = float(text)
    need(abs(value) != float("inf"))
    return value


def document(data):
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_constant, parse_float=finite
        )
        # Half a character has no UTF-8.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Refused from error
    need(isinstance(value, dict))
    return value


def seconds(claims, name):
    value = claims.get(name)
    if name not in claims:
        return None
    need(type(value) is int and 0 <= value < 2**64)
    return value


def texts(value):
    need(isinstance(value, list) and all(isinstance(item, str) for item in value))
    return set(value)


def one(value):
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


class Verifier:
    def __init__(self, config):
        self.now = config["now"]
        self.clients = set(config["clients"])
        self.keys = {
            issuer: {key["kid"]: RSAKey.import_key(key) for key in keys} for issuer, keys in config["issuers"].items()
        }
        self.algorithms = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        self.algorithms.max_header_length = self.algorithms.max_payload_length = LONGEST

    def verify(self, token):
        need(len(token) <= LONGEST)
        parts = token.split(".")
        need(len(parts) == 3)
        header, claims = document(segment(parts[0])), document(segment(parts[1]))
        segment(parts[2])
        need(not NEVER & header.keys())
        need(header.get("alg") == "RS256")
        need("typ" not in header or isinstance(header["typ"], str) and header["typ"].lower() == "jwt")
        kid = header.get("kid")
        need(isinstance(kid, str))
        issuer = claims.get("iss")
        need(isinstance(issuer, str) and issuer in self.keys)
        need(kid in self.keys[issuer])
        try:
            jws.deserialize_compact(token, self.keys[issuer][kid], registry=self.algorithms)
        except Exception as error:
            raise Refused from error
        return self.caller(claims)

    def caller(self, claims):
        begin, end, not_before = (seconds(claims, name) for name in ("iat", "exp", "nbf"))
        need(begin is not None and end is not None and 0 < end - begin <= LONGEST_LIFE)
        need(self.now < end and begin <= self.now + SKEW)
        need(not_before is None or not_before <= self.now + SKEW)
        kind = claims.get("token_use")
        need(kind in ("access", "id") if isinstance(kind, str) else False)
        if kind == "access":
            client = claims.get("client_id")
            need(isinstance(client, str))
            need("aud" not in claims or one(claims["aud"]) == client)
        else:
            client = one(claims.get("aud"))
            need(client is not None)
            need("client_id" not in claims or claims["client_id"] == client)
        need(client in self.clients)
        subject = claims.get("sub")
        need(isinstance(subject, str) and SUBJECT.match(subject))
        machine = subject == client
        need(not machine or kind == "access" and not {"username", "cognito:username"} & claims.keys())
        tenant = None
        if "tenant" in claims:
            tenant = claims["tenant"]
            need(isinstance(tenant, str) and TENANT.match(tenant))
        roles = claims.get("roles", [])
        roles = texts(roles.split(" ") if isinstance(roles, str) and roles else [] if roles == "" else roles)
        need(all(ROLE.match(role) for role in roles))
        groups = texts(claims.get("cognito:groups", []))
        scopes = claims.get("scope", "")
        need(isinstance(scopes, str))
        scopes = scopes.split(" ") if scopes else []
        need(all(scopes))
        return {
            "kind": kind,
            "client": client,
            "subject": subject,
            "machine": machine,
            "tenant": tenant,
            "roles": roles,
            "groups": groups,
            "scopes": set(scopes),
            "end": end,
        }


def fits(pattern, path):
    """How many places of a pattern are open, or None."""
    pattern, path = pattern[1:].split("/"), path[1:].split("/")
    if len(pattern) != len(path):
        return None
    if any(here not in ("*", "<own>", there) for here, there in zip(pattern, path)):
        return None
    return sum(here in ("*", "<own>") for here in pattern)


def may(caller, method, path):
    if not path.startswith("/") or len(path) > 1024:
        return False
    if not all(PLAIN.match(part) and part not in (".", "..") for part in path[1:].split("/")):
        return False
    found = [(fits(pattern, path), pattern, needs) for verb, pattern, needs in ROUTES if verb == method]
    found = [route for route in found if route[0] is not None]
    if not found:
        return False
    _, pattern, needs = min(found, key=lambda route: route[0])
    return (
        caller["kind"] == needs.get("kind", "access")
        and caller["machine"] == needs.get("machine", False)
        and (caller["tenant"] is not None or not needs.get("tenant", True))
        and needs.get("role") in caller["roles"] | {None}
        and needs.get("group") in caller["groups"] | {None}
        and needs.get("scope") in caller["scopes"] | {None}
        and ("<own>" not in pattern or path.split("/")[pattern.split("/").index("<own>")] == caller["tenant"])
    )


def main():
    verifier = Verifier(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            caller = verifier.verify(asked["token"])
        except Refused:
            print("-")
            continue
        passes = may(caller, asked["method"], asked["path"])
        parts = (caller["kind"], caller["client"], caller["subject"], caller["machine"], caller["tenant"] or "")
        sets = (" ".join(sorted(caller[name])) for name in ("roles", "groups", "scopes"))
        print(json.dumps([*parts, *sets, caller["end"], passes], separators=(",", ":")))


main()

"""An authorizer for a REST API as one writes it with PyJWT."""

import json
import os
import ssl

import jwt

ISSUER = os.environ["ISSUERS"]
CLIENT_IDS = set(os.environ["CLIENT_IDS"].split(","))
KEYS = jwt.PyJWKClient(
    os.environ["KEY_SET_URL"],
    lifespan=3600,
    ssl_context=ssl.create_default_context(cafile=os.environ["EXTRA_CA_CERTS"]),
)
# In the init phase, as ours does.
KEYS.get_jwk_set()


def handle(event, context):
    header = next((v for k, v in event["headers"].items() if k.lower() == "authorization"), "")
    scheme, _, token = header.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise jwt.InvalidTokenError("no token")
        key = KEYS.get_signing_key_from_jwt(token).key
        options = {"require": ["exp", "iat", "iss", "sub"], "verify_aud": False}
        claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options=options)
        if claims.get("token_use") != "access" or claims.get("client_id") not in CLIENT_IDS:
            raise jwt.InvalidTokenError("not an access token of ours")
    except jwt.PyJWTError:
        raise Exception("Unauthorized") from None
    allowed = bool(claims.get("tenant"))
    return {
        "principalId": claims["sub"],
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow" if allowed else "Deny", "Action": "execute-api:Invoke", "Resource": [event["methodArn"]]}
            ],
        },
        "context": {"tenant": claims.get("tenant", ""), "roles": json.dumps(claims.get("roles", []))},
    }

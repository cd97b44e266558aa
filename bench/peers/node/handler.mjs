// An authorizer for a REST API as one writes it with aws-jwt-verify.
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { SimpleFetcher } from "aws-jwt-verify/https";

const pool = process.env.ISSUERS.split("/").pop();
const verifier = CognitoJwtVerifier.create({
  userPoolId: pool,
  tokenUse: "access",
  clientId: process.env.CLIENT_IDS.split(","),
});
// In the init phase, as ours does, and from where ours are.
const keys = await new SimpleFetcher().fetch(process.env.KEY_SET_URL);
verifier.cacheJwks(JSON.parse(Buffer.from(keys)));

export const handle = async (event) => {
  const name = Object.keys(event.headers).find((key) => key.toLowerCase() === "authorization");
  const [scheme, token] = (event.headers[name] ?? "").split(" ");
  let claims;
  try {
    if (scheme.toLowerCase() !== "bearer") throw new Error("no token");
    claims = await verifier.verify(token);
  } catch {
    throw new Error("Unauthorized");
  }
  const allowed = Boolean(claims.tenant);
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: allowed ? "Allow" : "Deny", Action: "execute-api:Invoke", Resource: [event.methodArn] }],
    },
    context: { tenant: claims.tenant ?? "", roles: JSON.stringify(claims.roles ?? []) },
  };
};

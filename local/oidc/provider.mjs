// The sign-in service of another company: a real OpenID Connect provider, with
// its own pages for signing in and consenting. It keeps everything in memory and
// listens on the loopback only.
//
//   node provider.mjs <folder of the package> <port> <callback address>

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, port, callback] = process.argv.slice(2);
const found = createRequire(join(folder, 'package.json')).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found));

// Its people, by the name that they type, which is also their `sub`. It has
// capitals on purpose: user pools lower the case of user names, and a link must
// not depend on that. A password is asked for and never looked at.
const people = {
  'Nora-7QxK': { name: 'Nora', email: 'nora@acme.example', email_verified: true },
  'Ann-4ZtV': { name: 'Ann', email: 'ann@acme.example', email_verified: true },
  'Mallory-X9': { name: 'Mallory', email: 'alice@acme.example', email_verified: false },
};

// Which client is which: one is the user pool, one is an app that the identity
// pool trusts directly. The secret opens nothing but this process.
const clients = [
  { client_id: 'user-pool', redirect_uris: [callback], grant_types: ['authorization_code'] },
  { client_id: 'direct-app', redirect_uris: ['http://localhost:3000/callback'], grant_types: ['authorization_code'] },
].map((client) => ({
  ...client,
  client_secret: 'local-only',
  token_endpoint_auth_method: 'client_secret_post',
}));

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'local', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  // User pools read the ID token, so it says all that was agreed to.
  conformIdTokenClaims: false,
  // A user pool is a confidential client that uses no PKCE of its own.
  pkce: { required: () => false },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
});
provider.listen(Number(port), '127.0.0.1');

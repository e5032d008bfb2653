// An OpenID provider for tests of our side, run beside its package. It signs in whom the header X-Person of the request
// to its page names, without asking.
// usage: node provider.mjs REDIRECT_URI ALGORITHM   (RS256, ES256 or EdDSA)
// Prints its issuer once it listens, on a free port of this machine. The client is `platform` with the secret below.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [redirectUri, algorithm] = process.argv.slice(2);
const keyPairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

// The provider cannot do without a key for RS256, its standard's default.
function jwkOf(name) {
  return { ...keyPairs[name]().privateKey.export({ format: 'jwk' }), alg: name, use: 'sig', kid: randomUUID() };
}
const keys = [...new Set(['RS256', algorithm])].map(jwkOf);

const accounts = {
  jane: { sub: 'jane', name: 'Jane Doe', email: 'jane@example.com', email_verified: true },
  ann: { sub: 'ann', name: 'Ann Lee', email: 'ann@example.com', email_verified: true },
  jan: { sub: 'jan', name: 'Jan Doe', email: 'jane@example.com', email_verified: true },
  joe: { sub: 'joe', name: 'Joe Roe', email: 'admin@localhost', email_verified: false },
  max: { sub: 'max', name: 'Max Moe', email: 'admin@localhost', email_verified: true },
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'platform',
        client_secret: 'a secret: of 100% & more',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: algorithm,
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
    jwks: { keys },
    cookies: { keys: [randomUUID()] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    // Else the claims of the scopes are at the userinfo endpoint only.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => ({ accountId: id, claims: () => accounts[id] }),
    // Consent to all that is asked.
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    return provider.interactionFinished(request, response, { login: { accountId: request.headers['x-person'] } });
  });
  console.log(issuer);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

const user = { saslPlainUsername: 'alice', saslPlainPassword: 'the-secret' };

function problemsOf(options: object): readonly string[] {
  try {
    parseConfig({ securityProtocol: 'SASL_PLAINTEXT', ...options } as KafkaClientOptions);
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    assert.ok(!error.message.includes('the-secret'), error.message);
    return error.problems;
  }
  return [];
}

describe('SASL options', () => {
  const provider = { token: () => 't' };
  const good: Readonly<Record<string, object>> = {
    PLAIN: { saslMechanism: 'PLAIN', ...user },
    'PLAIN with empty texts': { saslMechanism: 'PLAIN', saslPlainUsername: '', saslPlainPassword: '' },
    'SCRAM-SHA-256': { saslMechanism: 'SCRAM-SHA-256', ...user },
    'SCRAM-SHA-512 with a delegation token': { saslMechanism: 'SCRAM-SHA-512', ...user, saslDelegationToken: true },
    OAUTHBEARER: { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: provider },
    'OAUTHBEARER with a module': { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: new URL('file:///tokens.js') },
    GSSAPI: { saslMechanism: 'GSSAPI', saslKerberosDomainName: 'kafka.test' },
    'a version that has SASL': { saslMechanism: 'PLAIN', ...user, apiVersion: [0, 10] },
  };
  for (const [what, options] of Object.entries(good))
    test(`take ${what}`, () => assert.deepEqual(problemsOf(options), []));

  const bad: readonly (readonly [what: string, options: object, says: readonly RegExp[]])[] = [
    ['no mechanism', {}, [/saslMechanism must be given .* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI/]],
    ['an unknown mechanism', { saslMechanism: 'plain' }, [/saslMechanism must be one of PLAIN/]],
    [
      'PLAIN without a user',
      { saslMechanism: 'PLAIN' },
      [/saslPlainUsername must be given/, /saslPlainPassword must be given/],
    ],
    [
      'SCRAM without a password',
      { saslMechanism: 'SCRAM-SHA-512', saslPlainUsername: 'a' },
      [/saslPlainPassword must be given/],
    ],
    [
      'null characters',
      { saslMechanism: 'PLAIN', saslPlainUsername: 'a\0', saslPlainPassword: 'the-secret\0' },
      [/Username .* NUL/, /Password .* NUL/],
    ],
    [
      'a password that is no text',
      { saslMechanism: 'PLAIN', ...user, saslPlainPassword: 7 },
      [/saslPlainPassword must be a string, not a value of type number/],
    ],
    ['OAUTHBEARER without a provider', { saslMechanism: 'OAUTHBEARER' }, [/saslOauthTokenProvider must be given/]],
    [
      'a provider without token',
      { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: { key: 'the-secret' } },
      [/must be an object with a function token/],
    ],
    [
      'a provider that is a path',
      { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: './tokens.js' },
      [/must be the URL of a module/],
    ],
    [
      'GSSAPI without a service',
      { saslMechanism: 'GSSAPI', saslKerberosServiceName: '' },
      [/saslKerberosServiceName must not be empty/],
    ],
    [
      'a delegation token for PLAIN',
      { saslMechanism: 'PLAIN', ...user, saslDelegationToken: true },
      [/saslDelegationToken needs saslMechanism SCRAM/],
    ],
    [
      'a broker before SASL',
      { saslMechanism: 'PLAIN', ...user, apiVersion: [0, 9] },
      [/apiVersion is 0\.9; SASL needs brokers of 0\.10/],
    ],
  ];
  for (const [what, options, says] of bad) {
    test(`refuse ${what}`, () => {
      const problems = problemsOf(options);
      assert.equal(problems.length >= says.length, true, problems.join('\n'));
      for (const pattern of says)
        assert.ok(
          problems.some((problem) => pattern.test(problem)),
          problems.join('\n'),
        );
    });
  }

  test('are not required without SASL', () => {
    assert.deepEqual(problemsOf({ securityProtocol: 'PLAINTEXT' }), []);
  });

  const oidc = { tokenEndpointUrl: 'https://x.test/token', clientId: 'id', clientSecret: 'the-secret' };
  const badOidc: readonly (readonly [what: string, oidc: unknown, says: RegExp])[] = [
    ['no object', 'the-secret', /oidc must be an object/],
    ['no secret', { ...oidc, clientSecret: undefined }, /clientSecret must be a string that is not empty/],
    ['an endpoint without encryption', { ...oidc, tokenEndpointUrl: 'http://x.test' }, /must begin with https/],
    [
      'an endpoint with credentials',
      { ...oidc, tokenEndpointUrl: 'https://a:the-secret@x.test' },
      /must not hold credentials/,
    ],
    ['an endpoint that is no URL', { ...oidc, tokenEndpointUrl: 'the-secret' }, /must be a URL/],
    ['an unknown key', { ...oidc, secret: 'the-secret' }, /unknown key 'secret'/],
    ['parameters that are no text', { ...oidc, parameters: { a: 1 } }, /parameters must map strings to strings/],
    ['a limit that is none', { ...oidc, timeoutMs: 0 }, /timeoutMs must be an integer from 1/],
    ['an unknown place', { ...oidc, credentialsIn: 'query' }, /must be 'header' or 'body'/],
    ['a scope that is a list', { ...oidc, scope: ['a'] }, /scope must be a string/],
  ];
  for (const [what, given, says] of badOidc) {
    test(`refuse OIDC with ${what}`, () => {
      const problems = problemsOf({ saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: { oidc: given } });
      assert.ok(
        problems.some((problem) => says.test(problem)),
        problems.join('\n'),
      );
    });
  }
});

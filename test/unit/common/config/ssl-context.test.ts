import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { inspect } from 'node:util';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

function problemsOf(options: object): readonly string[] {
  try {
    parseConfig({ securityProtocol: 'SSL', ...options });
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    return error.problems;
  }
  return [];
}

test('plain TLS settings are accepted, as a copy that can be structured-cloned', () => {
  const ca = Buffer.from('-----BEGIN');
  const given = {
    ca: [ca, 'more'],
    key: [{ pem: 'key', passphrase: 'hush' }],
    minVersion: 'TLSv1.3',
    secureOptions: 4,
  } as const;
  const taken = parseConfig({ securityProtocol: 'SSL', sslContext: given }).sslContext?.reveal();
  ca.fill(0);
  assert.deepEqual(structuredClone(taken), { ...given, ca: [Uint8Array.from(Buffer.from('-----BEGIN')), 'more'] });
  // A pooled Buffer would bring its whole pool along.
  const [copy] = taken!.ca as [Uint8Array];
  assert.equal(copy.buffer.byteLength, 10);
});

test('a setting that cannot be sent to another thread is refused, with the reason and without the value', () => {
  const cases: [unknown, RegExp][] = [
    [createSecureContext(), /^sslContext must be a plain object of TLS settings, not an object of class SecureContext/],
    [{ checkServerIdentity: () => undefined }, /^sslContext.checkServerIdentity: a function cannot cross/],
    [{ key: createSecretKey(Buffer.from('hush')) }, /^sslContext.key must be .*not an object of class SecretKeyObject/],
    [{ passphrase: () => 'hush' }, /^sslContext.passphrase must be a string, not a value of type function/],
    [{ ca: ['fine', 7] }, /^sslContext.ca\[1\] must be a string, a Buffer/],
    [{ minVersion: 'TLSv1' }, /^sslContext.minVersion must be one of TLSv1.2, TLSv1.3/],
    [{ password: 'hush' }, /^sslContext.password: no such setting; known are ca, /],
    [{ rejectUnauthorized: 'no' }, /^sslContext.rejectUnauthorized must be a boolean/],
  ];
  for (const [sslContext, pattern] of cases) {
    const problems = problemsOf({ sslContext });
    assert.equal(problems.length, 1, inspect(problems));
    assert.match(problems[0]!, pattern);
    assert.doesNotMatch(problems[0]!, /hush/);
  }
});

test('an empty setting is refused, because it looks like a restriction and restricts nothing', () => {
  const cases: [object, RegExp][] = [
    [{ ca: '' }, /^sslContext\.ca is empty/],
    [{ ca: [] }, /^sslContext\.ca is empty/],
    [{ ca: new Uint8Array(0) }, /^sslContext\.ca is empty/],
    [{ ca: ['fine', '\n'] }, /^sslContext\.ca\[1\] is empty/],
    [{ crl: '' }, /^sslContext\.crl is empty/],
    [{ crl: [] }, /^sslContext\.crl is empty/],
    [{ cert: '' }, /^sslContext\.cert is empty/],
    [{ key: [{ pem: '', passphrase: '' }] }, /^sslContext\.key\[0\]\.pem is empty/],
    [{ pfx: [] }, /^sslContext\.pfx is empty/],
    [{ ciphers: '' }, /^sslContext\.ciphers is empty/],
    [{ sigalgs: ' ' }, /^sslContext\.sigalgs is empty/],
    [{ ecdhCurve: '' }, /^sslContext\.ecdhCurve is empty/],
    [{ servername: '' }, /^sslContext\.servername is empty/],
    [{ ALPNProtocols: [] }, /^sslContext\.ALPNProtocols must be a list of strings, not an empty one/],
    [{ ca: null }, /^sslContext\.ca must be a string.*not null/],
    [{ rejectUnauthorized: null }, /^sslContext\.rejectUnauthorized must be a boolean, not null/],
    [{ secureOptions: Number.NaN }, /^sslContext\.secureOptions must be an integer from 0 to 4294967295, not NaN/],
    [{ minDHSize: 0 }, /^sslContext\.minDHSize must be an integer from 1/],
    [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /minVersion is newer than sslContext\.maxVersion/],
  ];
  for (const [sslContext, pattern] of cases) {
    const problems = problemsOf({ sslContext });
    assert.equal(problems.length, 1, inspect(problems));
    assert.match(problems[0]!, pattern);
  }
  for (const sslCiphers of ['', ':', ' : '])
    assert.match(problemsOf({ sslCiphers })[0]!, /^sslCiphers is empty: name ciphers/);
  assert.deepEqual(problemsOf({ sslContext: { passphrase: '', secureOptions: 0 } }), []);
});

test('every setting of Node that is a value is accepted, and the error for each other setting gives the reason', () => {
  const taken = {
    allowPartialTrustChain: true,
    honorCipherOrder: true,
    dhparam: 'auto',
    minDHSize: 2048,
    secureOptions: 2 ** 31 + 4,
    servername: 'broker.test',
    ALPNProtocols: ['kafka'],
    sessionIdContext: 's',
    sessionTimeout: 60,
    ticketKeys: new Uint8Array(48),
    enableTrace: false,
  };
  assert.deepEqual(problemsOf({ sslContext: taken }), []);
  for (const [name, value, why] of [
    ['secureProtocol', 'TLSv1_method', /minVersion and maxVersion/],
    ['secureContext', {}, /settings that it was made from/],
    ['requestOCSP', true, /would not be checked/],
  ] as const)
    assert.match(problemsOf({ sslContext: { [name]: value } })[0]!, why);
});

test('keys about TLS or logins are refused if securityProtocol does not use them, and the error names both keys', () => {
  const cases: [object, RegExp | null][] = [
    [
      { sslCaFile: 'ca.pem' },
      /^sslCaFile is set, but securityProtocol is PLAINTEXT: .*without encryption; .*SSL or SASL_SSL/,
    ],
    [{ sslContext: {} }, /^sslContext is set, but securityProtocol is PLAINTEXT/],
    [
      { sslCrlFile: 'a', sslCiphers: 'b', securityProtocol: 'SASL_PLAINTEXT' },
      /^sslCrlFile, sslCiphers are set, but securityProtocol is SASL_PLAINTEXT/,
    ],
    [{ sslCheckHostname: false }, /^sslCheckHostname is set/],
    [
      { saslMechanism: 'PLAIN' },
      /^saslMechanism is set, but securityProtocol is PLAINTEXT: .*without a login; .*SASL_SSL or/,
    ],
    [
      { saslPlainUsername: 'a', saslPlainPassword: 'hush', securityProtocol: 'SSL' },
      /^saslPlainUsername, saslPlainPassword are set, but securityProtocol is SSL/,
    ],
    [{ saslOauthTokenProvider: { token: () => 't' } }, /^saslOauthTokenProvider is set/],
    [{ saslKerberosDomainName: 'x' }, /^saslKerberosDomainName is set/],
    [{ sslCheckHostname: true, sslCaFile: null, saslMechanism: null, saslKerberosServiceName: 'kafka' }, null],
  ];
  for (const [options, pattern] of cases) {
    const problems = problemsOf({ securityProtocol: 'PLAINTEXT', ...options }).filter(
      (text) => text.includes('is set') || text.includes('are set'),
    );
    assert.equal(problems.length, pattern === null ? 0 : 1, inspect(problems));
    if (pattern !== null) assert.match(problems[0]!, pattern);
    assert.doesNotMatch(problems.join(), /hush/);
  }
});

test('a key file without a certificate file is refused, unless sslContext replaces both', () => {
  assert.match(problemsOf({ sslKeyFile: 'a' })[0]!, /sslKeyFile is set without sslCertFile/);
  assert.deepEqual(problemsOf({ sslKeyFile: 'a', sslContext: {} }), []);
});

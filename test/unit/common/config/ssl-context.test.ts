import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { inspect } from 'node:util';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

function problemsOf(options: object): readonly string[] {
  try {
    parseConfig(options);
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    return error.problems;
  }
  return [];
}

test('plain TLS settings are taken, as a copy that structured clone carries', () => {
  const ca = Buffer.from('-----BEGIN');
  const given = {
    ca: [ca, 'more'],
    key: [{ pem: 'key', passphrase: 'hush' }],
    minVersion: 'TLSv1.3',
    secureOptions: 4,
  } as const;
  const taken = parseConfig({ sslContext: given }).sslContext?.reveal();
  ca.fill(0);
  assert.deepEqual(structuredClone(taken), { ...given, ca: [Uint8Array.from(Buffer.from('-----BEGIN')), 'more'] });
  // A pooled Buffer would bring its whole pool along.
  const [copy] = taken!.ca as [Uint8Array];
  assert.equal(copy.buffer.byteLength, 10);
});

test('what cannot cross to another thread is refused, with the reason and without the value', () => {
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

test('a key file without a certificate file is refused, unless sslContext makes both idle', () => {
  assert.match(problemsOf({ sslKeyFile: 'a' })[0]!, /sslKeyFile is set without sslCertFile/);
  assert.deepEqual(problemsOf({ sslKeyFile: 'a', sslContext: {} }), []);
});

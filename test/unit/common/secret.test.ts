import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { parseConfig } from '../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError } from '../../../src/common/errors/errors.ts';
import { Secret, withoutSecrets, withSecrets } from '../../../src/common/secret.ts';

test('printing a configuration does not show its secrets', () => {
  const config = parseConfig({
    securityProtocol: 'SSL',
    sslPassword: 'hush hush',
    sslContext: { passphrase: 'hush hush' },
  });
  const shown = [
    inspect(config, { depth: 10, showHidden: true }),
    JSON.stringify(config),
    String(config.sslPassword),
    `${config.sslContext}`,
  ];
  for (const text of shown) assert.doesNotMatch(text, /hush/);
  assert.equal(config.sslPassword?.reveal(), 'hush hush');
});

test('a secret of a wrong type is refused without being shown', () => {
  for (const sslPassword of [['hush'], { password: 'hush' }, () => 'hush']) {
    assert.throws(
      () => parseConfig({ sslPassword } as never),
      (error) => error instanceof KafkaConfigurationError && !/hush/.test(inspect(error)),
    );
  }
});

test('secrets are sent to another thread and are secrets again there', () => {
  const config = parseConfig({ securityProtocol: 'SSL', sslPassword: 'hush hush', sslCaFile: 'ca.pem' });
  const { open, secrets } = withoutSecrets(config);
  assert.doesNotMatch(JSON.stringify(structuredClone(open)), /hush/);
  const arrived = withSecrets(structuredClone(open), structuredClone(secrets));
  assert.ok(arrived.sslPassword instanceof Secret);
  assert.equal(arrived.sslPassword.reveal(), 'hush hush');
  assert.equal(arrived.sslCaFile, 'ca.pem');
});

test('only reveal shows a secret', () => {
  const secret = new Secret('hidden');
  const shown = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    inspect(secret, { customInspect: false, showHidden: true }),
    JSON.stringify(structuredClone({ secret })),
  ];
  for (const text of shown) assert.doesNotMatch(text, /hidden/);
  assert.equal(secret.reveal(), 'hidden');
});

test('a configuration does not show what a token provider holds', () => {
  const provider = { key: 'hidden-key', token: () => 't' };
  const oidc = { tokenEndpointUrl: 'https://x.test', clientId: 'id', clientSecret: 'hidden-secret' };
  for (const saslOauthTokenProvider of [provider, { oidc }]) {
    const config = parseConfig({
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'OAUTHBEARER',
      saslOauthTokenProvider,
    });
    assert.doesNotMatch(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config), /hidden/);
  }
});

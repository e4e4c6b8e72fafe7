// Logins at older brokers: with bare tokens, as before Kafka 1.0, and in the first version of SaslAuthenticate.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaslAuthenticationFailedError, UnsupportedSaslMechanismError } from '../../../src/index.ts';
import { describeKafka } from '../fixture/index.ts';
import { loggedIn, refusal } from './support/logins.ts';
import { oldSaslBroker } from './support/old-sasl-broker.ts';
import { users } from './support/sasl-broker.ts';

/** A broker that says nothing may have had another reason: it is asked again. */
const closes = /closed the connection during authentication: often this means bad credentials/;
const refusals: Readonly<Record<string, RegExp>> = {
  '0.10.2.2': closes,
  '1.1.1': /Invalid username or password/,
};

for (const [version, says] of Object.entries(refusals)) {
  const broker = oldSaslBroker(version);
  describeKafka(
    `a broker of version ${version} that wants logins`,
    (suite) => {
      const plain = () =>
        ({
          bootstrapServers: broker.addressOf(suite.kafka.brokers[0]!),
          securityProtocol: 'SASL_PLAINTEXT',
          saslMechanism: 'PLAIN',
          apiVersionAutoTimeoutMs: 10_000,
        }) as const;

      test('lets a user in', async (t) => {
        await loggedIn(t, { ...plain(), ...users.alice });
      });

      test('refuses a wrong password, and start says so', async (t) => {
        const wrong = { ...plain(), saslPlainUsername: 'alice', saslPlainPassword: 'wrong-secret' };
        const error = await refusal(t, wrong, SaslAuthenticationFailedError, ['wrong-secret'], says !== closes);
        assert.match(error.message, says);
      });

      test('refuses a mechanism that it lacks', async (t) => {
        const scram = { ...plain(), ...users.alice, saslMechanism: 'SCRAM-SHA-256' } as const;
        const error = await refusal(t, scram, UnsupportedSaslMechanismError, ['alice-secret']);
        assert.match(error.message, /it offers PLAIN/);
      });
    },
    broker.options,
  );
}

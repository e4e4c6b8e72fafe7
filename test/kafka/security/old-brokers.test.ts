// Logins at older brokers, with each mechanism that has a password: with bare tokens, as before Kafka 1.0, and in every version of
// SaslAuthenticate. With ZooKeeper, SCRAM users are in ZooKeeper.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type KafkaClientOptions,
  SaslAuthenticate,
  SaslAuthenticationFailedError,
  SaslHandshake,
  UnsupportedSaslMechanismError,
} from '../../../src/index.ts';
import { patient } from '../../helpers/patience.ts';
import { compareVersions, describeKafka } from '../fixture/index.ts';
import { loggedIn, refusal } from './support/logins.ts';
import { oldSaslBroker } from './support/old-sasl-broker.ts';
import { addressOf, saslBroker, users } from './support/sasl-broker.ts';

interface Spoken {
  readonly handshake: number;
  /** Null: tokens are bare. */
  readonly authenticate: number | null;
}

const brokers: Readonly<Record<string, Spoken>> = {
  '0.10.2.2': { handshake: 0, authenticate: null },
  '1.1.1': { handshake: 1, authenticate: 0 },
  '2.4.1': { handshake: 1, authenticate: 1 },
  '2.8.2': { handshake: 1, authenticate: 2 },
  '3.9.1': { handshake: 1, authenticate: 2 },
};
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

for (const [version, { handshake, authenticate }] of Object.entries(brokers)) {
  const isOld = compareVersions(version, '3.3') < 0;
  const old = oldSaslBroker(version);
  describeKafka(
    `a broker of version ${version} that wants logins`,
    (suite) => {
      const at = (more: KafkaClientOptions): KafkaClientOptions => {
        const broker = suite.kafka.brokers[0]!;
        return {
          bootstrapServers: isOld ? old.addressOf(broker) : addressOf(broker, 'sasl'),
          securityProtocol: 'SASL_PLAINTEXT',
          ...patient,
          ...more,
        };
      };

      for (const saslMechanism of mechanisms) {
        test(`lets a user in with ${saslMechanism}`, async (t) => {
          const client = await loggedIn(t, at({ saslMechanism, ...users.alice }));
          const ranges = client.getApiVersions()!;
          assert.equal(ranges.get(SaslHandshake.key)?.max, handshake);
          assert.equal(ranges.get(SaslAuthenticate.key)?.max ?? null, authenticate);
        });

        test(`refuses a wrong password with ${saslMechanism}, and start says so`, async () => {
          const wrong = { saslMechanism, saslPlainUsername: 'alice', saslPlainPassword: 'wrong-secret' };
          // A broker that only closes the connection may have had another reason: it is asked again.
          const isVerdict = authenticate !== null;
          const error = await refusal(at(wrong), SaslAuthenticationFailedError, ['wrong-secret'], isVerdict);
          const says = isVerdict
            ? /(Invalid username or password|[Aa]uthentication failed)/
            : /closed the connection during authentication: the credentials may be wrong/;
          assert.match(error.message, says);
        });
      }

      // The KRaft broker has it, for tokens that nobody signed.
      if (!isOld) return;
      test('refuses a mechanism that it lacks', async () => {
        const token = { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: { token: () => 'a.b.c' } } as const;
        const error = await refusal(at(token), UnsupportedSaslMechanismError, ['a.b.c']);
        assert.match(error.message, /it offers .*PLAIN/);
      });
    },
    isOld ? old.options : { ...saslBroker(), version },
  );
}

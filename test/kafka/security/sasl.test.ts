// Logins at a real broker, with every mechanism that needs no other service: let in, and refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KafkaClientOptions, ListGroups } from '../../../src/index.ts';
import { openClient } from '../../broker/support/client.ts';
import { describeKafka } from '../fixture/index.ts';
import { addressOf, type Listener, saslBroker, users } from './support/sasl-broker.ts';

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

describeKafka(
  'a broker that wants logins',
  (suite) => {
    const options = (listener: Listener, more: KafkaClientOptions): KafkaClientOptions => ({
      bootstrapServers: addressOf(suite.kafka.brokers[0]!, listener),
      securityProtocol: 'SASL_PLAINTEXT',
      apiVersionAutoTimeoutMs: 10_000,
      ...more,
    });

    for (const saslMechanism of mechanisms) {
      describe(saslMechanism, () => {
        test('lets a user in', async (t) => {
          const client = await openClient(t, options('sasl', { saslMechanism, ...users.alice }));
          await client.awaitReady(1);
          const answer = await client.send(1, ListGroups, {});
          assert.equal(answer.errorCode, 0);
        });
      });
    }
  },
  saslBroker(),
);

// What calls of a client, a producer, a consumer and an admin fail with when no broker can be had any more: they name the reason, and
// are retriable only where trying again can help. What a closed client or consumer fails with is not retriable either.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KafkaClient, type KafkaClientError, type KafkaClientOptions } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { type SaslRules, saslApis, wantLogins } from '../helpers/sasl-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient } from './support/client.ts';

const rules: SaslRules = { mechanism: 'PLAIN', username: 'alice', password: 'the first one' };

async function failureOf(call: PromiseLike<unknown>): Promise<KafkaClientError> {
  return call.then(
    () => assert.fail('it succeeded'),
    (error: KafkaClientError) => error,
  );
}

function isCausedBy(error: Error, code: string): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ((at as KafkaClientError).code === code) return true;
  return false;
}

describe('when the login is refused after the start', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 1, topics: { t: 1 }, apiVersions: saslApis });
    await wantLogins(broker, rules);
    const options: KafkaClientOptions = {
      bootstrapServers: broker.bootstrapServers,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslPlainUsername: rules.username,
      saslPlainPassword: rules.password,
      reconnectBackoffMs: 10,
      reconnectBackoffMaxMs: 50,
      logLevel: 'silent',
      closeTimeoutMs: 0,
    };
    client = await KafkaClient.start({ ...patient, ...options });
    await client.awaitTopic('t');
    await client.awaitReady(0);
    await wantLogins(broker, { ...rules, password: 'another' });
    await broker.closeConnections('reset');
    await waitFor('the refusal', () => {
      client.maybeConnect(0);
      const error = client.lastError(0);
      return error !== undefined && isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED');
    });
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  test('awaitTopic fails with the reason, which is not retriable', async () => {
    const error = await failureOf(client.awaitTopic('other', { timeoutMs: 300 }));
    assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), error.message);
    assert.match(error.message, /Authentication failed/);
    assert.equal(error.retriable, false);
  });

  test('a record for a topic that is not yet known fails with the reason, which is not retriable', async () => {
    const producer = await client.producer({ maxBlockMs: 300 });
    const error = await failureOf(producer.send('other', { value: 'x' }));
    assert.equal(error.code, 'KAFKA_TOPIC_METADATA_TIMEOUT');
    assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), error.message);
    assert.equal(error.retriable, false);
    await producer.close({ timeoutMs: 0 });
  });

  test('a transaction that cannot begin fails with the reason, which is not retriable', async () => {
    const producer = await client.producer({ transactionalId: 'x', maxBlockMs: 300 });
    const error = await failureOf(producer.begin());
    assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), error.message);
    assert.equal(error.retriable, false);
    await producer.close({ timeoutMs: 0 });
  });

  test('requests of a consumer and an admin fail with the reason, which is not retriable', async () => {
    const consumer = await client.consumer({ groupId: 'g', defaultApiTimeoutMs: 300 });
    const partitions = [{ topic: 'other', partition: 0 }];
    const failures = [
      await failureOf(consumer.endOffsets(partitions)),
      await failureOf(consumer.committed(partitions)),
      (await consumer.commit([{ ...partitions[0]!, offset: 1 }])).error as KafkaClientError,
      await failureOf(client.admin({ timeoutMs: 300 }).listTopics()),
    ];
    for (const error of failures) {
      assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), `${error.message}: ${String(error.cause)}`);
      assert.equal(error.retriable, false, error.message);
    }
    await consumer.close({ timeoutMs: 0 });
  });

  test('refreshMetadata and addTopic fail with the reason, which is not retriable', async () => {
    for (const call of [client.refreshMetadata(), client.setTopics(['new']), client.addTopic('newer')]) {
      const error = await failureOf(call);
      assert.equal(error.code, 'KAFKA_NO_BROKERS_AVAILABLE');
      assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), error.message);
      assert.match(error.message, /Authentication failed/);
      assert.equal(error.retriable, false);
    }
  });

  test('a record of a known topic fails with the reason when its time is over, which is not retriable', async () => {
    const producer = await client.producer({ deliveryTimeoutMs: 400, requestTimeoutMs: 200, lingerMs: 0 });
    const error = await failureOf(producer.send('t', { value: 'x', partition: 0 }));
    assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), `${error.message}: ${String(error.cause)}`);
    assert.equal(error.retriable, false);
    await producer.close({ timeoutMs: 0 });
  });

  test('a consumer that waits for records gets the error each time, and its listener gets it once', async () => {
    const consumer = await client.consumer({ groupId: 'g', topics: ['t'] });
    const heard: Error[] = [];
    consumer.on('error', (error, isFatal) => {
      assert.equal(isFatal, false);
      heard.push(error);
    });
    for (let i = 0; i < 2; i++) {
      const error = await failureOf(consumer.poll(60_000));
      assert.ok(isCausedBy(error, 'KAFKA_SASL_AUTHENTICATION_FAILED'), error.message);
      assert.equal(error.retriable, false);
    }
    const loop = (async () => {
      for await (const batch of consumer) assert.fail(String(batch));
    })();
    assert.ok(isCausedBy(await failureOf(loop), 'KAFKA_SASL_AUTHENTICATION_FAILED'));
    assert.equal(heard.length, 1);
    await consumer.close({ timeoutMs: 0 });
  });

  test('everything goes on when the login is accepted again', async () => {
    const consumer = await client.consumer({ groupId: 'g', topics: ['t'], autoOffsetReset: 'earliest' });
    await failureOf(consumer.poll(60_000));
    await wantLogins(broker, rules);
    const read = (async () => {
      for (;;) {
        // A refusal may still be on its way.
        const batch = await consumer.poll(1000).catch(() => null);
        if (batch !== null) return batch;
      }
    })();
    await waitFor('the cluster', () =>
      client.refreshMetadata().then(
        () => true,
        () => false,
      ),
    );
    const producer = await client.producer();
    await producer.send('t', { value: 'again', partition: 0 });
    assert.equal((await read).count, 1);
    await producer.close();
    await consumer.close();
  });
});

describe('an error after a close on purpose', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 1, topics: { t: 1 } });
  });

  after(() => broker.close());

  test('is not retriable for a consumer, an administration call and an attached client', async (t) => {
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
    const attached = await KafkaClient.attach(client.share());
    const consumer = await client.consumer({ groupId: 'g' });
    await consumer.close();
    const unknown = consumer.endOffsets([{ topic: 't', partition: 0 }]);
    const call = client.admin().listTopics();
    const calls = [unknown, call].map(failureOf);
    await client.close();
    const ofAttached = await failureOf(attached.refreshMetadata());
    const ofAdmin = await failureOf(client.admin().listTopics());
    for (const error of [...(await Promise.all(calls)), ofAttached, ofAdmin]) {
      assert.equal(error.retriable, false, `${error.name}: ${error.message}`);
    }
    await attached.close();
  });
});

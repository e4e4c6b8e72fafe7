// Wrong arguments of producers, consumers and administration calls are refused at the call, by name; a signal gives up a wait, and what was
// handed over goes on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  AbortError,
  type Admin,
  type Consumer,
  type KafkaClient,
  KafkaConfigurationError,
  Metadata,
  Produce,
  type Producer,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { closedByHand, failureOf, openClient } from './support/client.ts';

let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { t: 2, held: 1, given: 1, many: 1 }, autoCreateTopics: false });
  client = await openClient(closedByHand, { bootstrapServers: broker.bootstrapServers, logLevel: 'silent' });
});

after(async () => {
  await client.close();
  await broker.close();
});

/** Throws at the call, or rejects. */
async function refused(call: () => unknown, says: RegExp): Promise<void> {
  await assert.rejects(async () => call(), { message: says });
}

describe('a producer', () => {
  let producer: Producer;
  before(async () => {
    producer = await client.producer();
  });
  after(() => producer.close());

  test('refuses a record with a field that records do not have, with the one that may be meant', async () => {
    const misspelt = { value: 'x', partitio: 1 } as { value: string };
    const says = /a record has an unknown field .partitio.; did you mean partition\?/;
    await refused(() => producer.send('t', misspelt), says);
    await refused(() => producer.sendAll('t', [misspelt]), says);
    const hooked = await client.producer({ hooks: { beforeAppend: () => misspelt } });
    await refused(() => hooked.send('t', { value: 'x' }), says);
    await refused(() => hooked.sendAll('t', [{ value: 'x' }]), says);
    await hooked.close();
    await refused(
      () => producer.send('t', { value: 'x', when: 5 } as { value: string }),
      /it takes key, value, headers/,
    );
    for (const wrong of [null, 'text', 5]) {
      await refused(() => producer.sendAll('t', [wrong as never]), /record must be an object, not/);
    }
    assert.equal((await broker.log('t', 1)).endOffset + (await broker.log('t', 0)).endOffset, 0, 'nothing was sent');
    // What a prototype has is nobody's misspelling.
    const inherited = Object.assign(Object.create({ partitio: 1 }) as object, { value: 'fine' }) as { value: string };
    assert.equal((await producer.send('t', inherited)).topic, 't');
  });

  test('refuses options that its calls do not know', async () => {
    await refused(
      () => producer.sendAll('t', [], { sgnal: 1 } as object),
      /sendAll: unknown option .sgnal.; did you mean signal/,
    );
    await refused(
      () => producer.flush({ timeoutMS: 1 } as object),
      /flush: unknown option .timeoutMS.; did you mean timeoutMs/,
    );
    await refused(() => producer.writable('t', { highwatermark: 1 } as object), /did you mean highWaterMark/);
    const controller = new AbortController() as never;
    await refused(() => producer.send('t', { value: 'x' }, { signal: controller }), /controller\.signal/);
    await refused(() => producer.flush({ signal: controller }), /controller\.signal/);
  });

  for (const [what, returned] of [
    ['nothing', undefined],
    ['a fraction', 0.5],
    ['text', '1'],
    ['a negative number', -1],
    ['a partition that there is not', 2],
  ] as const) {
    test(`fails a record whose partitioner returns ${what}`, async () => {
      const own = await client.producer({ partitioner: () => returned as number });
      const says = /the partitioner returned .* for topic 't': it must return an integer from 0 to 1/;
      await refused(() => own.send('t', { value: 'x' }), says);
      await own.partitionsFor('t');
      await refused(() => own.send('t', { value: 'x' }), says);
      await refused(() => own.append('t', null, 'x'), says);
      await refused(() => own.sendAll('t', [{ value: 'x' }]), says);
      await own.close();
    });
  }

  test('gives up the wait for a record by a signal; the record is written all the same', async () => {
    await broker.control(Produce, { holdUntil: 'held' }, { times: 1 });
    const controller = new AbortController();
    const sent = producer.send('held', { value: 'one' }, { signal: controller.signal });
    await broker.waitForHeld('held');
    controller.abort(new Error('enough'));
    const error = await failureOf(sent);
    assert.ok(error instanceof AbortError);
    assert.equal((error.cause as Error).message, 'enough');
    const { acknowledged } = producer.counters;
    await broker.release('held');
    const { failed } = await producer.flush();
    assert.equal(failed, 0);
    assert.equal(producer.counters.acknowledged, acknowledged + 1, 'it counts as any other');
    assert.deepEqual(await readValues(client, 'held'), ['one']);
  });

  test('does not send a record that was given up before it was written', async () => {
    let go: (bytes: string) => void = () => {};
    const slow = await client.producer<string, string>({
      serializeValue: () => new Promise<string>((resolve) => (go = resolve)),
    });
    const controller = new AbortController();
    const sent = slow.send('given', { value: 'x' }, { signal: controller.signal });
    controller.abort();
    assert.ok((await failureOf(sent)) instanceof AbortError);
    go('late');
    assert.ok(
      (await failureOf(slow.send('given', { value: 'x' }, { signal: AbortSignal.abort() }))) instanceof AbortError,
    );
    assert.equal((await slow.close()).records, 0);
    assert.equal((await broker.log('given', 0)).endOffset, 0);
  });

  test('gives up sendAll and flush by a signal; what was taken is delivered, and no later record is taken', async () => {
    const controller = new AbortController();
    let taken = 0;
    let more: () => void = () => {};
    async function* source(): AsyncGenerator<{ value: string }> {
      for (;;) {
        yield { value: `${taken++}` };
        if (taken === 3) await new Promise<void>((resolve) => (more = resolve));
      }
    }
    const all = producer.sendAll('many', source(), { signal: controller.signal });
    await waitFor('three records', () => taken === 3);
    await broker.control(Produce, { holdUntil: 'flush' }, { times: 1 });
    const late = producer.send('many', { value: 'late' });
    await broker.waitForHeld('flush');
    const flushing = new AbortController();
    const flushed = producer.flush({ signal: flushing.signal });
    flushing.abort();
    assert.ok((await failureOf(flushed)) instanceof AbortError);
    controller.abort();
    assert.ok((await failureOf(all)) instanceof AbortError);
    more();
    await broker.release('flush');
    await late;
    await producer.flush();
    assert.deepEqual((await readValues(client, 'many')).toSorted(), ['0', '1', '2', 'late']);
    assert.equal(taken, 4, 'one more was asked for, and not written');
    assert.ok((await failureOf(producer.sendAll('many', [], { signal: AbortSignal.abort() }))) instanceof AbortError);
  });
});

describe('a consumer', () => {
  let consumer: Consumer;
  before(async () => {
    consumer = await client.consumer({ groupId: 'arguments', assign: [{ topic: 't', partition: 0, offset: 0 }] });
  });
  after(() => consumer.close());

  test('refuses options and fields that its calls do not know, with what may be meant', async () => {
    const place = { topic: 't', partition: 0 };
    await refused(() => consumer.poll(0, { sgnal: 1 } as object), /poll: unknown option .sgnal.; did you mean signal/);
    await refused(() => consumer.poll(0, { signal: {} as never }), /signal must be an AbortSignal/);
    await refused(() => consumer.run(() => {}, { concurency: 2 } as object), /run: .*did you mean concurrency/);
    await refused(() => consumer.run('handler' as never), /run: handler must be a function, not .handler./);
    await refused(() => consumer.close({ timeout: 5 } as object), /close: .*did you mean timeoutMs/);
    await refused(
      () => consumer.close({ leave: 'stay' as never }),
      /leave must be 'default', 'leave' or 'remain', not .stay./,
    );
    await refused(
      () => consumer.commit([{ ...place, offset: 1, metdata: 'x' } as never]),
      /offsets\[0\].*did you mean metadata/,
    );
    await refused(() => consumer.commit({ ...place, offset: 1 } as never), /commit: offsets must be a list/);
    await refused(() => consumer.assign([{ ...place, ofset: 5 } as never]), /assign\[0\] .*did you mean offset/);
    await refused(
      () => consumer.on('revoke' as 'revoked', () => {}),
      /on: unknown event .revoke.; did you mean revoked/,
    );
    const misspelt = { groupId: 'g', assign: [{ ...place, ofset: 5 } as never] };
    await assert.rejects(client.consumer(misspelt), KafkaConfigurationError);
    assert.equal((await consumer.beginningOffsets([place])).length, 1);
  });

  test('refuses what is no place in every call that takes some', async () => {
    const calls: readonly [name: string, call: (places: never) => unknown][] = [
      ['pause', (places) => consumer.pause(places)],
      ['resume', (places) => consumer.resume(places)],
      ['committed', (places) => consumer.committed(places)],
      ['beginningOffsets', (places) => consumer.beginningOffsets(places)],
      ['endOffsets', (places) => consumer.endOffsets(places)],
      ['offsetsForTimes', (places) => consumer.offsetsForTimes(places)],
    ];
    for (const [name, call] of calls) {
      await refused(() => call('t' as never), new RegExp(`^${name}: (partitions|times) must be a list, not .t.`));
      await refused(
        () => call([{ topic: 't', partitio: 0 }] as never),
        new RegExp(`^${name}: .*\\[0\\]\\.partition must be`),
      );
      await refused(
        () => call([null] as never),
        new RegExp(`^${name}: .*\\[0\\] must be \\{ topic, partition \\}, not null`),
      );
    }
    await refused(() => consumer.seek('t' as never, 0), /^seek: partition must be/);
    await refused(() => consumer.offsetsForTimes([{ topic: 't', partition: 0 } as never]), /timestampMs must be/);
  });
});

describe('administration', () => {
  let admin: Admin;
  before(() => {
    admin = client.admin();
  });

  const wrong: readonly [what: string, call: () => unknown, says: RegExp][] = [
    ['createTopics', () => admin.createTopics('t' as never), /createTopics: topics must be a list, not .t./],
    [
      'createTopics',
      () => admin.createTopics([{ nme: 'x' } as never]),
      /topics\[0\] has an unknown field .nme.; did you mean name/,
    ],
    ['createTopics', () => admin.createTopics([{ name: 'x', partitons: 3 } as never]), /did you mean partitions/],
    ['createTopics', () => admin.createTopics([{ name: 5 } as never]), /topics\[0\]\.name must be a string, not 5/],
    [
      'createTopics',
      () => admin.createTopics([{ name: 'x', partitions: '3' } as never]),
      /partitions must be an integer, not .3./,
    ],
    ['deleteTopics', () => admin.deleteTopics('t' as never), /deleteTopics: topics must be a list/],
    [
      'deleteTopics',
      () => admin.deleteTopics([5 as never]),
      /topics\[0\] must be a topic's name, or its id as \{ topicId \}, not 5/,
    ],
    ['createPartitions', () => admin.createPartitions([{ topic: 't', total: 3 } as never]), /unknown field .total./],
    ['describeTopics', () => admin.describeTopics(new Set(['t']) as never), /describeTopics: topics must be a list/],
    [
      'deleteRecords',
      () => admin.deleteRecords([{ topic: 't', partition: 0, beforeOffset: 'x' } as never]),
      /beforeOffset must be an integer/,
    ],
    [
      'listOffsets',
      () => admin.listOffsets([{ topic: 't', partition: 0, at: 'lastest' as never }]),
      /did you mean latest/,
    ],
    ['describeConfigs', () => admin.describeConfigs([{ type: 'topic', nam: 't' } as never]), /did you mean name/],
    [
      'incrementalAlterConfigs',
      () =>
        admin.incrementalAlterConfigs([{ resource: { type: 'topic', name: 't' }, changes: [{ nane: 'a' } as never] }]),
      /resources\[0\]\.changes\[0\] has an unknown field .nane.; did you mean name/,
    ],
    ['electLeaders', () => admin.electLeaders('all' as never), /electLeaders: partitions must be a list/],
    ['describeLogDirs', () => admin.describeLogDirs(0 as never), /brokerIds must be a list, not 0/],
    ['deleteGroups', () => admin.deleteGroups('g' as never), /groups must be a list/],
    [
      'listConsumerGroupOffsets',
      () => admin.listConsumerGroupOffsets(['g'] as never),
      /groups\[0\] must be an object, not .g./,
    ],
    [
      'alterConsumerGroupOffsets',
      () => admin.alterConsumerGroupOffsets('g', [{ topic: 't', partition: 0, ofset: 1 } as never]),
      /did you mean offset/,
    ],
    [
      'removeMembersFromConsumerGroup',
      () => admin.removeMembersFromConsumerGroup('g', [{ instanceId: 'i' } as never]),
      /groupInstanceId/,
    ],
    // It had been ignored, and the topics were deleted.
    ['deleteTopics', () => admin.deleteTopics(['a'], { validateOnly: true } as object), /validateOnly/],
    ['describeTopics', () => admin.describeTopics([{ topicId: 'x' }]), /topics\[0\] must be a topic's name/],
    [
      'forceTerminateTransaction',
      () => admin.forceTerminateTransaction(5 as never),
      /transactionalId must be a string/,
    ],
    [
      'describeReplicaLogDirs',
      () => admin.describeReplicaLogDirs([{ topic: 't', partition: 0 } as never]),
      /replicas\[0\]\.brokerId must be an integer/,
    ],
    ['createAcls', () => admin.createAcls([{ resource: 'x' } as never]), /unknown field .resource./],
    ['alterClientQuotas', () => admin.alterClientQuotas([{ entity: {}, value: {} } as never]), /did you mean values/],
    [
      'alterUserScramCredentials',
      () => admin.alterUserScramCredentials([{ user: 'a', mechanism: 'SCRAM-SHA-256', pasword: 'x' } as never]),
      /did you mean password/,
    ],
    ['renewDelegationToken', () => admin.renewDelegationToken('abc' as never), /hmac must be a Uint8Array/],
    ['unregisterBroker', () => admin.unregisterBroker('1' as never), /brokerId must be an integer, not .1./],
    [
      'describeCluster',
      () => admin.describeCluster({ includeFenced: true } as object),
      /describeCluster: unknown option/,
    ],
  ];
  for (const [index, [what, call, says]] of wrong.entries()) {
    test(`refuses wrong arguments: ${what} (${index + 1})`, () => refused(call, says));
  }

  test('gives up the wait by a signal; what was asked for is carried out', async () => {
    await broker.control(Metadata, { holdUntil: 'admin' }, { times: 1 });
    const controller = new AbortController();
    const listed = admin.listTopics({ signal: controller.signal });
    await broker.waitForHeld('admin');
    controller.abort(new Error('enough'));
    await assert.rejects(listed, (error: Error) => error instanceof AbortError && /listTopics/.test(error.message));
    await broker.release('admin');
    await assert.rejects(admin.listTopics({ signal: AbortSignal.abort() }), AbortError);
    await assert.rejects(admin.listTopics({ signal: new AbortController() as never }), /controller\.signal/);
    assert.equal((await admin.listTopics()).length, 4);
  });
});

// Owns the answers of brokers to transactional producers, as measured on Kafka 4.3.0. Facts only.

import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  InitProducerId,
  OffsetFetch,
  TxnOffsetCommit,
} from '../../../src/protocol/flat/generated/apis.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, type BrokerFacts, batchOf, freshId, type Producer } from './asker.ts';

/** CONCURRENT_TRANSACTIONS. */
const concurrent = 51;

/** The error code. */
export async function transactional(
  ask: Asker,
  topic: string,
  transactionalId: string | null,
  producer: Producer,
  sequence = 0,
  version = 12,
): Promise<number> {
  const batch = batchOf(producer, sequence, 1, true);
  return (await ask.produce(topic, batch, { transactionalId, version })).errorCode;
}

/** [code, epoch]. */
export async function end(ask: Asker, transactionalId: string, producer: Producer, committed: boolean, version = 5) {
  // The coordinator learns a moment after the log that the last markers are written.
  return waitFor('EndTxn not to be too early', async () => {
    const answer = await ask.send(EndTxn, version, { transactionalId, ...producer, committed });
    return answer.errorCode === concurrent ? null : [answer.errorCode, answer.producerEpoch];
  });
}

/** Waits until the markers are written, because the next transaction can begin only then. */
async function settled(ask: Asker, topic: string, count: number): Promise<void> {
  await waitFor('the markers', async () => {
    const [, stable] = await ask.listOffsets(topic, -1, { isolationLevel: 1 });
    return stable === count;
  });
}

export async function init(ask: Asker, transactionalId: string, claimed?: Producer): Promise<number[]> {
  const request = { transactionalId, transactionTimeoutMs: 60_000, ...claimed };
  const answer = await ask.send(InitProducerId, 5, request);
  return [answer.errorCode, answer.producerEpoch];
}

async function commitOffset(ask: Asker, transactionalId: string, group: string, topic: string, version: number) {
  const producer = await ask.producer(transactionalId);
  await ask.groupCoordinator(group);
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }];
  const request = { transactionalId, groupId: group, ...producer, topics: [{ name: topic, partitions }] };
  const answer = await ask.send(TxnOffsetCommit, version, request);
  return { producer, errorCode: answer.topics.at(0).partitions.at(0).errorCode };
}

/** [code of the group, code of the partition, offset]. */
async function fetchOffset(ask: Asker, group: string, topic: string, requireStable: boolean): Promise<unknown[]> {
  const groups = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }];
  const answer = (await ask.send(OffsetFetch, 8, { groups, requireStable })).groups.at(0);
  const { errorCode, committedOffset } = answer.topics.at(0).partitions.at(0);
  return [answer.errorCode, errorCode, committedOffset.toNumber()];
}

export const transactionFacts: BrokerFacts = {
  'a batch outside of the transaction': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const codes: number[] = [];
      for (const version of [3, 10, 11, 12]) {
        const transactionalId = freshId('t');
        const producer = await ask.producer(transactionalId);
        codes.push(await transactional(ask, topic, transactionalId, producer, 0, version));
      }
      return codes;
    },
    expected: [48, 48, 120, 0],
  },

  'the request needs the right transactional id': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      const other = freshId('other');
      await ask.producer(other);
      return [
        await transactional(ask, topic, null, producer),
        await transactional(ask, topic, other, producer),
        await transactional(ask, topic, transactionalId, producer),
      ];
    },
    expected: [53, 49, 0],
  },

  'each transaction has its own epoch from EndTxn 5 on': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const first = await ask.producer(transactionalId);
      const seen: unknown[] = [await transactional(ask, topic, transactionalId, first)];
      seen.push(await end(ask, transactionalId, first, true));
      await settled(ask, topic, 2);
      seen.push(await end(ask, transactionalId, first, true), await end(ask, transactionalId, first, false));
      const second = { ...first, producerEpoch: 1 };
      seen.push(
        await transactional(ask, topic, transactionalId, first, 1),
        await transactional(ask, topic, transactionalId, second, 1),
      );
      return seen;
    },
    expected: [0, [0, 1], [0, 1], [48, -1], 47, 45],
  },

  'ending an empty transaction': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      const at = (producerEpoch: number): Producer => ({ ...producer, producerEpoch });
      await transactional(ask, topic, transactionalId, producer);
      const seen: unknown[] = [await end(ask, transactionalId, producer, true)];
      await settled(ask, topic, 2);
      seen.push(await end(ask, transactionalId, at(1), true), await end(ask, transactionalId, at(1), false));
      await waitFor('the end', async () => (await end(ask, transactionalId, at(1), false))[0] === 0);
      seen.push(await end(ask, transactionalId, at(1), false), await end(ask, transactionalId, at(2), false));
      const other = freshId('t');
      const fresh = await ask.producer(other);
      seen.push(await end(ask, other, fresh, true), await end(ask, other, fresh, false));
      const older = freshId('t');
      const old = await ask.producer(older);
      seen.push(await end(ask, older, old, true, 4), await end(ask, older, old, false, 4));
      return seen;
    },
    expected: [
      [0, 1],
      [48, -1],
      [0, 2],
      [0, 2],
      [0, 3],
      [48, -1],
      [0, 1],
      [48, -1],
      [48, -1],
    ],
  },

  'another producer of the same id fences the first': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const first = await ask.producer(transactionalId);
      await transactional(ask, topic, transactionalId, first);
      const codes: unknown[] = [(await init(ask, transactionalId))[0]];
      codes.push((await ask.producer(transactionalId)).producerEpoch);
      codes.push((await end(ask, transactionalId, first, true))[0]);
      codes.push(await transactional(ask, topic, transactionalId, first, 1));
      codes.push((await init(ask, transactionalId, first))[0]);
      return codes;
    },
    expected: [51, 2, 90, 47, 90],
  },

  'a producer that sends its id and epoch gets the next epoch': {
    ask: async (ask) => {
      const transactionalId = freshId('t');
      const first = await ask.producer(transactionalId);
      return [
        await init(ask, transactionalId),
        await init(ask, transactionalId, { ...first, producerEpoch: 1 }),
        // Sent again, as after a lost answer.
        await init(ask, transactionalId, { ...first, producerEpoch: 1 }),
        await init(ask, transactionalId, first),
      ];
    },
    expected: [
      [0, 1],
      [0, 2],
      [0, 2],
      [90, -1],
    ],
  },

  'the transaction version before: partitions are added, and epochs stay': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      const add = async (topics: string[]): Promise<unknown> => {
        const answer = await ask.send(AddPartitionsToTxn, 3, {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producer.producerId,
          v3AndBelowProducerEpoch: producer.producerEpoch,
          v3AndBelowTopics: topics.map((name) => ({ name, partitions: [0] })),
        });
        return answer.resultsByTopicV3AndBelow
          .map(({ name, resultsByPartition }) => [name === topic, resultsByPartition.at(0).partitionErrorCode])
          .sort();
      };
      const seen: unknown[] = [await add([topic, freshId('missing')]), await add([topic])];
      seen.push(await transactional(ask, topic, transactionalId, producer, 0, 11));
      seen.push(await transactional(ask, topic, transactionalId, producer, 1, 11));
      seen.push((await end(ask, transactionalId, producer, true, 4))[0]);
      await settled(ask, topic, 3);
      await waitFor('the end', async () => (await end(ask, transactionalId, producer, true, 4))[0] === 0);
      seen.push((await end(ask, transactionalId, producer, false, 4))[0]);
      await waitFor('the next one', async () => JSON.stringify(await add([topic])) === '[[true,0]]');
      seen.push(await transactional(ask, topic, transactionalId, producer, 2, 11));
      seen.push((await end(ask, transactionalId, producer, false, 4))[0]);
      return seen;
    },
    expected: [
      [
        [false, 3],
        [true, 55],
      ],
      [[true, 0]],
      0,
      0,
      0,
      48,
      0,
      0,
    ],
  },

  'a batch without the transactional bit within a transaction': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      return [
        await transactional(ask, topic, transactionalId, producer),
        await ask.sequence(topic, producer, 1, 1, { transactionalId }),
      ];
    },
    expected: [0, 48],
  },

  'read committed: the visible records of transactions': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      const at = (producerEpoch: number): Producer => ({ ...producer, producerEpoch });
      await transactional(ask, topic, transactionalId, producer);
      await end(ask, transactionalId, producer, true);
      await settled(ask, topic, 2);
      await transactional(ask, topic, transactionalId, at(1));
      await end(ask, transactionalId, at(1), false);
      await settled(ask, topic, 4);
      await transactional(ask, topic, transactionalId, at(2));
      await ask.produce(topic, [{ value: 'plain' }]);
      const look = async (offset: number, isolationLevel: number) => {
        const partition = await ask.fetchOne(topic, { offset, isolationLevel });
        return {
          errorCode: partition.errorCode,
          highWatermark: partition.highWatermark.toNumber(),
          lastStableOffset: partition.lastStableOffset.toNumber(),
          aborted: partition.abortedTransactions?.map((each) => each.firstOffset.toNumber()) ?? null,
          batches: [...partition.records.batches].map((batch) => [
            batch.baseOffset.toNumber(),
            batch.isControl,
            batch.producerEpoch,
          ]),
        };
      };
      return {
        committed: await look(0, 1),
        uncommitted: await look(0, 0),
        atStable: await look(4, 1),
        between: await look(5, 1),
        beyond: await look(7, 1),
        newest: await ask.listOffsets(topic, -3, { isolationLevel: 1 }),
        latest: await ask.listOffsets(topic, -1, { isolationLevel: 1 }),
      };
    },
    expected: {
      committed: {
        errorCode: 0,
        highWatermark: 6,
        lastStableOffset: 4,
        aborted: [2],
        batches: [
          [0, false, 0],
          [1, true, 1],
          [2, false, 1],
          [3, true, 2],
        ],
      },
      uncommitted: {
        errorCode: 0,
        highWatermark: 6,
        lastStableOffset: 4,
        aborted: null,
        batches: [
          [0, false, 0],
          [1, true, 1],
          [2, false, 1],
          [3, true, 2],
          [4, false, 2],
          [5, false, -1],
        ],
      },
      atStable: { errorCode: 0, highWatermark: 6, lastStableOffset: 4, aborted: [], batches: [] },
      between: { errorCode: 0, highWatermark: 6, lastStableOffset: 4, aborted: [], batches: [] },
      beyond: { errorCode: 1, highWatermark: -1, lastStableOffset: -1, aborted: null, batches: [] },
      newest: [0, -1, -1],
      latest: [0, 4, -1],
    },
  },

  'the next transaction waits for the markers of the last by itself': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      const producer = await ask.producer(transactionalId);
      const codes: number[] = [];
      for (let producerEpoch = 0; producerEpoch < 5; producerEpoch++) {
        codes.push(await transactional(ask, topic, transactionalId, { ...producer, producerEpoch }));
        codes.push((await end(ask, transactionalId, { ...producer, producerEpoch }, true))[0]!);
      }
      return codes;
    },
    expected: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  },

  'offsets in a transaction': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const codes: number[] = [];
      for (const version of [3, 4]) {
        codes.push((await commitOffset(ask, freshId('t'), freshId('g'), topic, version)).errorCode);
      }
      const [transactionalId, group] = [freshId('t'), freshId('g')];
      const { producer, errorCode } = await commitOffset(ask, transactionalId, group, topic, 5);
      const open = [
        await fetchOffset(ask, group, topic, true),
        await fetchOffset(ask, group, topic, false),
        await end(ask, transactionalId, producer, true),
      ];
      await waitFor('the offset', async () => (await fetchOffset(ask, group, topic, true))[1] === 0);
      return { codes, errorCode, open, committed: await fetchOffset(ask, group, topic, true) };
    },
    expected: {
      codes: [48, 120],
      errorCode: 0,
      open: [
        [0, 88, -1],
        [0, 0, -1],
        [0, 1],
      ],
      committed: [0, 0, 7],
    },
  },

  'offsets that are added by AddOffsetsToTxn and aborted': {
    ask: async (ask) => {
      const [topic, transactionalId, group] = [await ask.topic(), freshId('t'), freshId('g')];
      const producer = await ask.producer(transactionalId);
      await ask.groupCoordinator(group);
      const added = await ask.send(AddOffsetsToTxn, 3, { transactionalId, groupId: group, ...producer });
      const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }];
      const request = { transactionalId, groupId: group, ...producer, topics: [{ name: topic, partitions }] };
      const committed = await ask.send(TxnOffsetCommit, 4, request);
      const ended = await end(ask, transactionalId, producer, false, 4);
      await waitFor('the end', async () => (await fetchOffset(ask, group, topic, true))[1] === 0);
      return [
        added.errorCode,
        committed.topics.at(0).partitions.at(0).errorCode,
        ended[0],
        await fetchOffset(ask, group, topic, true),
      ];
    },
    expected: [0, 0, 0, [0, 0, -1]],
  },

  'InitProducerId does not wait for an open transaction of its own id to time out': {
    ask: async (ask) => {
      const [topic, transactionalId] = [await ask.topic(), freshId('t')];
      await ask.producer();
      await ask.transactionCoordinator(transactionalId);
      let producer: Producer | null = null;
      await waitFor('a producer id', async () => {
        const answer = await ask.send(InitProducerId, 5, { transactionalId, transactionTimeoutMs: 900_000 });
        producer = { producerId: answer.producerId.toNumber(), producerEpoch: answer.producerEpoch };
        return answer.errorCode === 0;
      });
      await transactional(ask, topic, transactionalId, producer!);
      return (await init(ask, transactionalId, producer!))[0];
    },
    expected: 51,
  },
};

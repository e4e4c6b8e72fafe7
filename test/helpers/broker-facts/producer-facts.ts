// Owns the answers of brokers to idempotent producers and to records that they refuse, as measured on Kafka 4.3.0. Facts only.

import { ApiVersions, DeleteRecords, InitProducerId } from '../../../src/protocol/flat/generated/apis.ts';
import { buildBatch } from '../embedded-broker.ts';
import { type Asker, type BrokerFacts, batchOf, freshId } from './asker.ts';

const hourMs = 3_600_000;

async function withTimes(ask: Asker, times: readonly number[]): Promise<unknown> {
  const topic = await ask.topic();
  const { errorCode, badRecords, logAppendTimeMs } = await ask.produce(
    topic,
    times.map((timestamp) => ({ value: 'v', timestamp })),
  );
  return { errorCode, badRecords, logAppendTimeMs };
}

async function withKeys(ask: Asker, keys: readonly (string | null)[]): Promise<unknown> {
  const topic = await ask.topic({ 'cleanup.policy': 'compact' });
  const { errorCode, badRecords } = await ask.produce(
    topic,
    keys.map((key) => ({ key, value: 'v' })),
  );
  const [, end] = await ask.listOffsets(topic, -1);
  return { errorCode, badRecords, end };
}

export const producerFacts: BrokerFacts = {
  'only the first batch of a producer may have any sequence': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const codes: number[] = [];
      for (const sequence of [5, 0, 6]) codes.push(await ask.sequence(topic, producer, sequence));
      return codes;
    },
    expected: [0, 45, 0],
  },

  'five batches are remembered, and a repeated batch is answered with its first time': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const batches = [0, 1, 2, 3, 4, 5, 6].map((sequence) =>
        buildBatch({ records: [{ value: 'v', timestamp: 1000 + sequence }], ...producer, baseSequence: sequence }),
      );
      const first: unknown[] = [];
      for (const batch of batches) first.push(await ask.produce(topic, batch));
      const again: unknown[] = [];
      for (const sequence of [6, 2, 1]) {
        const { errorCode, baseOffset, logAppendTimeMs } = await ask.produce(topic, batches[sequence]!);
        again.push([errorCode, baseOffset, logAppendTimeMs]);
      }
      return { first, again };
    },
    expected: {
      first: [0, 1, 2, 3, 4, 5, 6].map((baseOffset) => ({
        errorCode: 0,
        baseOffset,
        logAppendTimeMs: -1,
        badRecords: [],
      })),
      again: [
        [0, 6, 1006],
        [0, 2, 1002],
        [45, -1, -1],
      ],
    },
  },

  'a batch that overlaps the last one is out of order': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      return [
        await ask.sequence(topic, producer, 0, 5),
        await ask.sequence(topic, producer, 3, 5),
        await ask.sequence(topic, producer, 0, 3),
        await ask.sequence(topic, producer, 3, 2),
        await ask.sequence(topic, producer, 5, 1),
      ];
    },
    expected: [0, 45, 45, 45, 0],
  },

  'the sequence after 2147483647 is 0': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const codes = [
        await ask.sequence(topic, producer, 2147483645),
        await ask.sequence(topic, producer, 2147483646, 4),
      ];
      for (const sequence of [0, 1, 2]) codes.push(await ask.sequence(topic, producer, sequence));
      return codes;
    },
    expected: [0, 0, 45, 45, 0],
  },

  'acks of idempotent producers': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      return [
        await ask.sequence(topic, producer, 0, 1, { acks: 1 }),
        await ask.sequence(topic, producer, 1, 1, { acks: 2 }),
        await ask.sequence(topic, producer, 1, 1),
      ];
    },
    expected: [0, 21, 0],
  },

  'a higher epoch begins with sequence 0, and a lower epoch is refused': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const next = { ...producer, producerEpoch: 1 };
      return [
        await ask.sequence(topic, producer, 0, 5),
        await ask.sequence(topic, next, 3),
        await ask.sequence(topic, next, 0),
        await ask.sequence(topic, producer, 5),
        await ask.sequence(topic, next, 1),
      ];
    },
    expected: [0, 45, 0, 47, 0],
  },

  'an unknown producer id is accepted, and so is a sequence without a producer id': {
    ask: async (ask) => {
      const topic = await ask.topic();
      return [
        await ask.sequence(topic, { producerId: 987_654_321_000, producerEpoch: 3 }, 7),
        await ask.sequence(topic, { producerId: -1, producerEpoch: -1 }, 5),
      ];
    },
    expected: [0, 0],
  },

  'DeleteRecords does not forget producers': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const batch = batchOf(producer, 0, 5);
      const codes: unknown[] = [(await ask.produce(topic, batch)).errorCode];
      const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: -1 }] }];
      const deleted = (await ask.send(DeleteRecords, 2, { topics, timeoutMs: 5000 })).topics.at(0).partitions.at(0);
      codes.push([deleted.errorCode, deleted.lowWatermark.toNumber()]);
      codes.push(await ask.sequence(topic, producer, 0));
      const again = await ask.produce(topic, batch);
      codes.push([again.errorCode, again.baseOffset], await ask.sequence(topic, producer, 5));
      return codes;
    },
    expected: [0, [0, 5], 45, [0, 0], 0],
  },

  'an idempotent batch without a sequence is invalid': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      return ask.sequence(topic, producer, -1);
    },
    expected: 87,
  },

  'a control batch of a client is invalid': {
    ask: async (ask) => {
      const [topic, producer] = [await ask.topic(), await ask.producer()];
      const records = [{ key: Buffer.from([0, 0, 0, 1]), value: Buffer.alloc(6) }];
      return (await ask.produce(topic, buildBatch({ records, ...producer, isControl: true }))).errorCode;
    },
    expected: 87,
  },

  'two batches in one partition are refused, also in version 3': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const two = Buffer.concat([buildBatch([{ value: 'a' }]), buildBatch([{ value: 'b' }])]);
      return [
        (await ask.produce(topic, two)).errorCode,
        (await ask.produce(topic, two, { version: 3 })).errorCode,
        (await ask.listOffsets(topic, -1))[1],
      ];
    },
    expected: [87, 87, 0],
  },

  'timestamps in the future': {
    ask: async (ask) => {
      const now = Date.now();
      return {
        twoHours: await withTimes(ask, [now, now + 2 * hourMs, now]),
        almostOne: await withTimes(ask, [now + 59 * 60_000]),
        special: await withTimes(ask, [-1, 0]),
      };
    },
    expected: {
      twoHours: { errorCode: 32, badRecords: [1], logAppendTimeMs: -1 },
      almostOne: { errorCode: 0, badRecords: [], logAppendTimeMs: -1 },
      special: { errorCode: 0, badRecords: [], logAppendTimeMs: -1 },
    },
  },

  'a compacted topic requires keys': {
    ask: async (ask) => ({
      one: await withKeys(ask, ['a', null, 'c']),
      two: await withKeys(ask, [null, 'b', null]),
      none: await withKeys(ask, ['a', '']),
    }),
    expected: {
      one: { errorCode: 87, badRecords: [1], end: 0 },
      two: { errorCode: 87, badRecords: [0, 2], end: 0 },
      none: { errorCode: 0, badRecords: [], end: 2 },
    },
  },

  'the largest batch': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const overhead = buildBatch([{ value: Buffer.alloc(1_000_000) }]).length - 1_000_000;
      const codes: number[] = [];
      for (const size of [1_048_588, 1_048_589]) {
        codes.push((await ask.produce(topic, [{ value: Buffer.alloc(size - overhead) }])).errorCode);
      }
      return codes;
    },
    expected: [0, 10],
  },

  'acks and timeouts with a single replica': {
    ask: async (ask) => {
      const topic = await ask.topic({ 'min.insync.replicas': '2' });
      const codes: number[] = [];
      for (const [acks, timeoutMs] of [
        [-1, 5000],
        [1, 5000],
        [-1, 0],
        [-1, -1],
      ] as const) {
        codes.push((await ask.produce(topic, [{ value: 'v' }], { acks, timeoutMs })).errorCode);
      }
      return codes;
    },
    expected: [0, 0, 0, 0],
  },

  'finalized features': {
    ask: async (ask) => {
      const request = { clientSoftwareName: 'facts', clientSoftwareVersion: '1' };
      const { errorCode, finalizedFeatures, supportedFeatures } = await ask.send(ApiVersions, 4, request);
      const level = finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel;
      const older = await ask.send(ApiVersions, 3, request);
      return {
        errorCode,
        level,
        names: finalizedFeatures.map(({ name }) => name).sort(),
        supported: supportedFeatures.map(({ name }) => name).sort(),
        supportedBefore: older.supportedFeatures.map(({ name }) => name).sort(),
      };
    },
    expected: {
      errorCode: 0,
      level: 2,
      names: [
        'eligible.leader.replicas.version',
        'group.version',
        'metadata.version',
        'share.version',
        'streams.version',
        'transaction.version',
      ],
      supported: [
        'eligible.leader.replicas.version',
        'group.version',
        'kraft.version',
        'metadata.version',
        'share.version',
        'streams.version',
        'transaction.version',
      ],
      supportedBefore: ['metadata.version'],
    },
  },

  'transaction timeouts and empty transactional ids': {
    ask: async (ask) => {
      const transactionalId = freshId('t');
      await ask.producer();
      await ask.transactionCoordinator(transactionalId);
      const codes: number[] = [];
      for (const [id, transactionTimeoutMs] of [
        [transactionalId, 0],
        [transactionalId, -1],
        [transactionalId, 900_001],
        [null, 0],
        ['', 1000],
      ] as const) {
        const request = { transactionalId: id, transactionTimeoutMs };
        codes.push((await ask.send(InitProducerId, 4, request)).errorCode);
      }
      return codes;
    },
    expected: [50, 50, 50, 0, 42],
  },
};

// Owns the answers of brokers to Fetch, ListOffsets and OffsetForLeaderEpoch, as measured on Kafka 4.3.0. Facts only.

import {
  DeleteRecords,
  DeleteTopics,
  Fetch,
  Metadata,
  OffsetForLeaderEpoch,
} from '../../../src/protocol/flat/generated/apis.ts';
import { buildBatch } from '../embedded-broker.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, type BrokerFacts, freshId } from './asker.ts';

async function tenRecords(ask: Asker): Promise<string> {
  const topic = await ask.topic();
  for (let i = 0; i < 10; i++) await ask.produce(topic, [{ value: `v${i}`, timestamp: 1000 + i }]);
  return topic;
}

async function sessionFetch(
  ask: Asker,
  topics: readonly string[],
  session: { sessionId: number; sessionEpoch: number; version?: number; forget?: string },
) {
  const { version = 12, forget, ...ids } = session;
  const named = async (topic: string) => ({ topic, ...(version >= 13 && { topicId: await ask.topicId(topic) }) });
  const wanted: object[] = [];
  for (const topic of topics) {
    wanted.push({
      ...(await named(topic)),
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
    });
  }
  const answer = await ask.send(Fetch, version, {
    maxWaitMs: 0,
    minBytes: 1,
    ...ids,
    topics: wanted as never,
    ...(forget !== undefined && { forgottenTopicsData: [{ ...(await named(forget)), partitions: [0] }] }),
  });
  return {
    sessionId: answer.sessionId,
    errorCode: answer.errorCode,
    partitions: [...answer.responses].flatMap((topic) =>
      topic.partitions.map((p) => [p.errorCode, p.highWatermark.toNumber(), p.records.length]),
    ),
  };
}

async function deletedInSession(ask: Asker, version: number): Promise<unknown> {
  const [kept, gone] = [await ask.topic(), await ask.topic()];
  const opened = await sessionFetch(ask, [kept, gone], { sessionId: 0, sessionEpoch: 0, version });
  await ask.send(DeleteTopics, 5, { topicNames: [gone], timeoutMs: 10_000 });
  await waitFor('the topic to go', async () => {
    const found = await ask.send(Metadata, 12, { topics: [{ name: gone }], allowAutoTopicCreation: false });
    return found.topics.at(0).errorCode === 3;
  });
  const { sessionId } = opened;
  const seen: unknown[] = [];
  let sessionEpoch = 1;
  await waitFor('the fetch to notice', async () => {
    const next = await sessionFetch(ask, [], { sessionId, sessionEpoch: sessionEpoch++, version });
    return next.partitions.length > 0;
  });
  for (const _ of [0, 1]) {
    const next = await sessionFetch(ask, [], { sessionId, sessionEpoch: sessionEpoch++, version });
    seen.push([next.errorCode, next.partitions]);
  }
  return seen;
}

async function leaderEpoch(ask: Asker, topic: string, epoch: number, partition = 0) {
  const topics = [{ topic, partitions: [{ partition, currentLeaderEpoch: -1, leaderEpoch: epoch }] }];
  const answer = (await ask.send(OffsetForLeaderEpoch, 4, { replicaId: -1, topics })).topics.at(0).partitions.at(0);
  return [answer.errorCode, answer.leaderEpoch, answer.endOffset.toNumber()];
}

export const fetchFacts: BrokerFacts = {
  'a node keeps a thousand fetch sessions': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const opened: number[] = [];
      for (;;) {
        const { sessionId } = await ask.fetch(topic, { sessionEpoch: 0 });
        if (sessionId === 0 || opened.length > 1000) break;
        opened.push(sessionId);
      }
      for (const sessionId of opened) await ask.fetch(topic, { sessionId, sessionEpoch: -1 });
      const again = await ask.fetch(topic, { sessionEpoch: 0 });
      await ask.fetch(topic, { sessionId: again.sessionId, sessionEpoch: -1 });
      // Other tests may have left some sessions open.
      return [opened.length > 980 && opened.length <= 1000, again.sessionId !== 0];
    },
    expected: [true, true],
  },

  'requests behind a waiting fetch wait too': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
      const fetching = ask.client.write(Fetch, 12, { maxWaitMs: 100, minBytes: 1, topics: [{ topic, partitions }] });
      const asking = ask.client.write(Metadata, 12, { topics: [] });
      const first = await ask.client.read(Fetch, 12, fetching);
      return [first.errorCode, (await ask.client.read(Metadata, 12, asking)).topics.length];
    },
    expected: [0, 0],
  },

  'an incremental session answers only what is new': {
    ask: async (ask) => {
      const [first, second] = [await ask.topic(), await ask.topic()];
      await ask.produce(first, [{ value: 'v' }]);
      const opened = await sessionFetch(ask, [first, second], { sessionId: 0, sessionEpoch: 0 });
      const { sessionId } = opened;
      const at = (sessionEpoch: number) => ({ sessionId, sessionEpoch });
      const seen: unknown[] = [sessionId !== 0, opened.partitions];
      // Records come again while the offset stays. Partitions with nothing new are left out.
      seen.push((await sessionFetch(ask, [], at(1))).partitions);
      await ask.produce(second, [{ value: 'v' }, { value: 'w' }]);
      seen.push((await sessionFetch(ask, [], { ...at(2), forget: first })).partitions);
      const wrong = await sessionFetch(ask, [], at(9));
      const unknown = await sessionFetch(ask, [], { sessionId: sessionId === 1 ? 2 : sessionId - 1, sessionEpoch: 1 });
      seen.push(wrong.errorCode, unknown.errorCode);
      seen.push((await sessionFetch(ask, [], at(3))).partitions);
      const mixed = await sessionFetch(ask, [second], { ...at(4), version: 13 });
      seen.push(mixed.errorCode);
      const closed = await sessionFetch(ask, [second], { sessionId, sessionEpoch: -1 });
      seen.push(closed.sessionId, closed.partitions, (await sessionFetch(ask, [], at(4))).errorCode);
      return seen;
    },
    expected: [
      true,
      [
        [0, 1, 1],
        [0, 0, 0],
      ],
      [[0, 1, 1]],
      [[0, 2, 2]],
      71,
      70,
      [[0, 2, 2]],
      106,
      0,
      [[0, 2, 2]],
      70,
    ],
  },

  'a topic that is deleted during a session is unknown by name, also in versions with ids': {
    ask: async (ask) => [await deletedInSession(ask, 12), await deletedInSession(ask, 17)],
    expected: Array.from({ length: 2 }, () => [
      [0, [[3, -1, 0]]],
      [0, [[3, -1, 0]]],
    ]),
  },

  'an unknown topic id': {
    ask: async (ask) => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
      const topics = [{ topicId: 'Zm9yZWlnbi10b3BpYy1pZA', partitions }];
      const answer = await ask.send(Fetch, 13, { maxWaitMs: 0, minBytes: 1, topics });
      return [answer.errorCode, answer.responses.at(0).partitions.at(0).errorCode];
    },
    expected: [0, 100],
  },

  'positions of another leader epoch': {
    ask: async (ask) => {
      const topic = await tenRecords(ask);
      const look = async (offset: number, lastFetchedEpoch: number, version = 17) => {
        const { errorCode, divergingEpoch, highWatermark } = await ask.fetchOne(topic, {
          version,
          offset,
          lastFetchedEpoch,
        });
        return [errorCode, divergingEpoch.epoch, divergingEpoch.endOffset.toNumber(), highWatermark.toNumber()];
      };
      return { newer: await look(5, 7), beyond: (await look(11, 0)).slice(0, 3), good: await look(5, 0) };
    },
    expected: { newer: [1, -1, -1, -1], beyond: [0, 0, 10], good: [0, -1, -1, 10] },
  },

  OffsetForLeaderEpoch: {
    ask: async (ask) => {
      const topic = await tenRecords(ask);
      return [
        await leaderEpoch(ask, topic, 0),
        await leaderEpoch(ask, topic, 7),
        await leaderEpoch(ask, topic, -1),
        await leaderEpoch(ask, topic, 0, 9),
        await leaderEpoch(ask, freshId('missing'), 0),
      ];
    },
    expected: [
      [0, 0, 10],
      [0, -1, -1],
      [0, -1, -1],
      [3, -1, -1],
      [3, -1, -1],
    ],
  },

  'bytes of a field are cut at the limit': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const overhead = buildBatch([{ value: Buffer.alloc(500) }]).length - 500;
      for (let i = 0; i < 3; i++) await ask.produce(topic, [{ value: Buffer.alloc(1000 - overhead) }]);
      const sizes: unknown[] = [];
      for (const partitionMaxBytes of [1500, 1, 3000]) {
        const { records } = await ask.fetchOne(topic, { version: 17, partitionMaxBytes });
        sizes.push([records.length, records.tailBytes]);
      }
      return sizes;
    },
    expected: [
      [1, 500],
      [1, 0],
      [3, 0],
    ],
  },

  'special timestamps': {
    ask: async (ask) => {
      const topic = await tenRecords(ask);
      const seen: unknown[] = [];
      for (const [timestamp, version] of [
        [-1, 9],
        [-2, 9],
        [-3, 7],
        [-3, 6],
        [-4, 8],
        [-4, 7],
        [-5, 9],
        [-5, 8],
        [-7, 9],
        [1003, 9],
        [2000, 9],
      ] as const) {
        seen.push([timestamp, version, await ask.listOffsets(topic, timestamp, { version })]);
      }
      return seen;
    },
    expected: [
      [-1, 9, [0, 10, -1]],
      [-2, 9, [0, 0, -1]],
      [-3, 7, [0, 9, 1009]],
      [-3, 6, [35, -1, -1]],
      [-4, 8, [0, 0, -1]],
      [-4, 7, [35, -1, -1]],
      [-5, 9, [0, -1, -1]],
      [-5, 8, [35, -1, -1]],
      [-7, 9, [35, -1, -1]],
      [1003, 9, [0, 3, 1003]],
      [2000, 9, [0, -1, -1]],
    ],
  },

  'the record of the highest time': {
    ask: async (ask) => {
      const empty = await ask.topic();
      const [risen, timeless, appended] = [
        await ask.topic(),
        await ask.topic(),
        await ask.topic({ 'message.timestamp.type': 'LogAppendTime' }),
      ];
      const records = (times: number[]) => times.map((timestamp) => ({ value: 'v', timestamp }));
      await ask.produce(risen, records([30, 50, 50]));
      await ask.produce(timeless, records([-1, -1]));
      await ask.produce(appended, { records: records([1, 2, 3]), compression: 'gzip' });
      return [
        await ask.listOffsets(empty, -3),
        await ask.listOffsets(risen, -3),
        await ask.listOffsets(timeless, -3),
        (await ask.listOffsets(appended, -3)).slice(0, 2),
      ];
    },
    expected: [
      [0, -1, -1],
      [0, 1, 50],
      [0, 0, -1],
      [0, 0],
    ],
  },

  'after DeleteRecords': {
    ask: async (ask) => {
      const topic = await tenRecords(ask);
      const partitions = [{ partitionIndex: 0, offset: -1 }];
      const request = { topics: [{ name: topic, partitions }], timeoutMs: 5000 };
      const deleted = (await ask.send(DeleteRecords, 2, request)).topics.at(0).partitions.at(0);
      const { errorCode, logStartOffset, highWatermark } = await ask.fetchOne(topic);
      return {
        deleted: [deleted.errorCode, deleted.lowWatermark.toNumber()],
        fetched: [errorCode, logStartOffset.toNumber(), highWatermark.toNumber()],
        earliest: await ask.listOffsets(topic, -2),
        newest: (await ask.listOffsets(topic, -3)).slice(0, 2),
      };
    },
    expected: { deleted: [0, 10], fetched: [1, -1, -1], earliest: [0, 10, -1], newest: [0, 9] },
  },

  'LogAppendTime leaves the base time and the deltas': {
    ask: async (ask) => {
      const topic = await ask.topic({ 'message.timestamp.type': 'LogAppendTime' });
      const records = [1, 2, 3].map((timestamp) => ({ value: 'v', timestamp }));
      const { logAppendTimeMs } = await ask.produce(topic, { records, compression: 'gzip' });
      const batch = [...(await ask.fetchOne(topic)).records.batches][0]!;
      return [batch.maxTimestamp.toNumber() === logAppendTimeMs, logAppendTimeMs > 3];
    },
    expected: [true, true],
  },
};

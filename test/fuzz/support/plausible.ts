// Owns plausible answers to what producers and consumers ask: what a broker says when all is well. Test thread.

import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  ConsumerGroupHeartbeat,
  DescribeConfigs,
  EndTxn,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListOffsets,
  OffsetCommit,
  OffsetFetch,
  OffsetForLeaderEpoch,
  SyncGroup,
  TxnOffsetCommit,
} from '../../../src/protocol/flat/generated/apis.ts';
import { buildBatch } from '../../../src/testing/batch-builder.ts';
import { encodeAssignment } from '../../../src/worker/consumer/consumer-protocol.ts';
import { goldenSets } from '../../unit/protocol/records/support.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { idOf } from '../../unit/worker/consumer/support/consumer-bench.ts';
import { mutated } from './mutate.ts';

/** As an application would give it. */
// biome-ignore lint/suspicious/noExplicitAny: every API has another request
type Asked = any;
type Answer = (asked: Asked, random: Random) => object;

const maxSetBytes = 16 * 1024;
const batch = buildBatch({ records: Array.from({ length: 5 }, (_, n) => ({ value: `value ${n}` })) });
const sets = [batch, ...goldenSets().map(({ bytes }) => bytes)].filter(({ length }) => length <= maxSetBytes);

/** The same topics and partitions as in the request, with these fields. */
function echo(topics: readonly Asked[] | null | undefined, of: (partition: Asked) => object): object[] {
  return (topics ?? []).map(({ partitions, ...topic }) => ({ ...topic, partitions: (partitions ?? []).map(of) }));
}

const members = (random: Random): object[] =>
  random.chance(50) ? [] : [{ memberId: 'm', metadata: Buffer.from('000100000001000174ffffffff00000000', 'hex') }];

const answers = new Map<number, Answer>([
  [
    FindCoordinator.key,
    (asked) => ({
      nodeId: 2,
      host: 'h',
      port: 2,
      coordinators: (asked.coordinatorKeys ?? [asked.key]).map((key: string) => ({
        key,
        nodeId: 2,
        host: 'h',
        port: 2,
      })),
    }),
  ],
  [
    JoinGroup.key,
    (asked, random) => ({
      errorCode: asked.memberId === '' ? 79 : 0,
      generationId: random.pick([0, 4, 2 ** 31 - 1]),
      protocolType: 'consumer',
      protocolName: 'range',
      leader: random.pick(['m', 'other']),
      memberId: 'm',
      members: members(random),
    }),
  ],
  [
    SyncGroup.key,
    (_asked, random) => ({
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: mutated(encodeAssignment([0, 1].map((partition) => ({ topic: 't', partition }))), random),
    }),
  ],
  [Heartbeat.key, () => ({})],
  [LeaveGroup.key, () => ({ members: [{ memberId: 'm', groupInstanceId: null }] })],
  [
    ConsumerGroupHeartbeat.key,
    (asked, random) => ({
      memberId: asked.memberId,
      memberEpoch: random.pick([1, 3, 4]),
      heartbeatIntervalMs: random.pick([1000, 5000]),
      assignment: random.chance(50) ? null : { topicPartitions: [{ topicId: idOf('t'), partitions: [0, 1] }] },
    }),
  ],
  [
    // What a static member asks for whose instance id another one holds.
    DescribeConfigs.key,
    (asked, random) => ({
      results: asked.resources.map(({ configurationKeys, ...resource }: Asked) => ({
        ...resource,
        configs: configurationKeys.map((name: string) => ({
          name,
          value: random.pick(['45000', '2147483648', 'Infinity', '-1', '', null]),
          synonyms: [],
        })),
      })),
    }),
  ],
  [
    OffsetFetch.key,
    (asked) => {
      const found = (topics: Asked): object[] =>
        (topics ?? []).map(({ partitionIndexes, ...topic }: Asked) => ({
          ...topic,
          partitions: (partitionIndexes ?? []).map((partitionIndex: number) => ({
            partitionIndex,
            committedOffset: 10n,
            committedLeaderEpoch: 5,
            metadata: '',
          })),
        }));
      return {
        topics: found(asked.topics),
        groups: (asked.groups ?? []).map(({ groupId, topics }: Asked) => ({ groupId, topics: found(topics) })),
      };
    },
  ],
  [OffsetCommit.key, (asked) => ({ topics: echo(asked.topics, ({ partitionIndex }) => ({ partitionIndex })) })],
  [TxnOffsetCommit.key, (asked) => ({ topics: echo(asked.topics, ({ partitionIndex }) => ({ partitionIndex })) })],
  [
    ListOffsets.key,
    (asked) => ({
      topics: echo(asked.topics, ({ partitionIndex }) => ({
        partitionIndex,
        timestamp: -1n,
        offset: 10n,
        leaderEpoch: 5,
      })),
    }),
  ],
  [
    OffsetForLeaderEpoch.key,
    (asked) => ({
      topics: echo(asked.topics, ({ partition }) => ({ partition, leaderEpoch: 5, endOffset: 1000n })),
    }),
  ],
  [
    Fetch.key,
    (asked, random) => ({
      sessionId: asked.sessionId === 0 ? 77 : asked.sessionId,
      responses: echo(asked.topics, ({ partition }) => ({
        partitionIndex: partition,
        highWatermark: 100n,
        lastStableOffset: 100n,
        ...(random.chance(60) && { records: mutated(random.pick(sets), random) }),
      })),
    }),
  ],
  [InitProducerId.key, () => ({ producerId: 7n, producerEpoch: 0 })],
  [
    AddPartitionsToTxn.key,
    (asked) => ({
      resultsByTopicV3AndBelow: (asked.v3AndBelowTopics ?? []).map(({ name, partitions }: Asked) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex: number) => ({ partitionIndex, partitionErrorCode: 0 })),
      })),
    }),
  ],
  [AddOffsetsToTxn.key, () => ({})],
  [EndTxn.key, () => ({ producerId: 7n, producerEpoch: 1 })],
]);

/** APIs for which there is a plausible answer. */
export const answeredApis: ReadonlySet<number> = new Set(answers.keys());

/** Every broker answers these; for any other API nothing is known. */
export function plausibleAnswer(apiKey: number, asked: unknown, random: Random): object {
  const answer = answers.get(apiKey);
  if (answer === undefined) throw new Error(`no plausible answer for API ${apiKey}`);
  return answer(asked, random);
}

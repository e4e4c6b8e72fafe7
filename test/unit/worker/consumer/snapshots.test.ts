// What an application reads of a consumer's state when it is told something or gets a batch: never the state from before it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import type { ConsumerEvent, ConsumerSnapshot } from '../../../../src/common/consumer-calls.ts';
import {
  ConsumerGroupHeartbeat,
  Heartbeat,
  JoinGroup,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, begin } from './support/member-bench.ts';
import { answerWith } from './support/reading-bench.ts';

before(prepareCodecs);

const committedAtZero = {
  groups: [
    {
      groupId: 'g',
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: 0, committedOffset: 0n, committedLeaderEpoch: -1, metadata: null }],
        },
      ],
    },
  ],
};

/** The state that could be read when a batch or an event of this type came. */
function watch(bench: ConsumerBench): (what: ConsumerEvent['type'] | 'batch') => ConsumerSnapshot[] {
  const seen: { readonly what: string; readonly snapshot: ConsumerSnapshot }[] = [];
  const { application } = bench;
  const hand = application.hand.bind(application);
  const tell = application.tell.bind(application);
  application.hand = (batch) => {
    seen.push({ what: 'batch', snapshot: bench.snapshot! });
    return hand(batch);
  };
  application.tell = (event) => {
    seen.push({ what: event.type, snapshot: bench.snapshot! });
    return tell(event);
  };
  return (what) => seen.filter((one) => one.what === what).map(({ snapshot }) => snapshot);
}

function readTwo(bench: ConsumerBench): void {
  bench.answer(OffsetFetch, committedAtZero, 9);
  const records = buildBatch({ records: [{ value: 'one' }, { value: 'two' }] });
  answerWith(bench, { records, highWatermark: 2n, lastStableOffset: 2n });
  assert.equal(bench.application.handed.length, 1);
}

const join = (bench: ConsumerBench, generationId: number): void => {
  const joined = { generationId, protocolName: 'range', leader: 'other', memberId: 'm', members: [] };
  bench.answer(JoinGroup, { errorCode: 0, ...joined });
  bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
};

// No time passes in these tests: a snapshot that is written now and then would not be written again.
describe('the state of a consumer', () => {
  it('has the member that gets a batch, protocol classic', () => {
    const bench = begin({ groupProtocol: 'classic' }, 1);
    const seen = watch(bench);
    join(bench, 4);
    readTwo(bench);
    const [batch] = seen('batch');
    assert.deepEqual([batch!.memberId, batch!.epoch, batch!.state], ['m', 4, 'STABLE']);
  });

  it('has the member that gets a batch, protocol consumer', () => {
    const bench = begin({ groupProtocol: 'consumer' }, 1);
    const seen = watch(bench);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0) }));
    readTwo(bench);
    const [batch] = seen('batch');
    assert.deepEqual([batch!.memberId, batch!.epoch], ['member-id', 3]);
  });

  it('has the partitions that the application is told of, and no others', () => {
    const bench = begin({ groupProtocol: 'classic' }, 1);
    const seen = watch(bench);
    const partitions = (snapshots: readonly ConsumerSnapshot[]): number[][] =>
      snapshots.map((one) => one.partitions.map(({ partition }) => partition));
    join(bench, 4);
    assert.deepEqual(partitions(seen('assigned')), [[0]]);
    bench.answer(OffsetFetch, committedAtZero, 9);
    // 25 is UNKNOWN_MEMBER_ID.
    bench.advance(3000).answer(Heartbeat, { errorCode: 25 });
    assert.deepEqual(partitions(seen('lost')), [[]]);
    assert.equal(seen('lost')[0]!.epoch, -1);
  });

  it('is closed when the application is told so', () => {
    const bench = begin({ groupProtocol: 'classic' }, 1);
    const seen = watch(bench);
    join(bench, 4);
    bench.role.close(1000, 'remain', bench.now, () => {});
    bench.advance(1001);
    const [closed] = seen('closed');
    assert.deepEqual(closed!.partitions, []);
  });
});

// A member that leaves tells its coordinator, in both protocols, until that has heard it or the time of the call is over.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { classicStable, joined } from './support/classic-bench.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, begin, coordinator, isOwned } from './support/member-bench.ts';

interface Protocol {
  readonly name: string;
  /** The group gives a stable member all partitions anew, as far as the member lets it. */
  give(bench: ConsumerBench): void;
  /** The group has expelled the member, which hears of it by its next heartbeat. */
  expel(bench: ConsumerBench): void;
  /** How many requests to join wait for their answer. */
  joins(bench: ConsumerBench): number;
  stable(): ConsumerBench;
  /** How many requests to leave wait for their answer. */
  asked(bench: ConsumerBench): number;
  answer(bench: ConsumerBench, errorCode: number): void;
  fail(bench: ConsumerBench): void;
}

const protocols: readonly Protocol[] = [
  {
    name: 'KIP-848',
    stable: () => {
      const bench = begin({ groupProtocol: 'consumer' }, 3);
      bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
      bench.answer(ConsumerGroupHeartbeat, beat({}));
      isOwned(bench, 2);
      return bench;
    },
    give: (bench) => {
      bench.advance(5000);
      bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4, assignment: assigned(0, 1, 2) }));
    },
    expel: (bench) => {
      bench.advance(5000);
      bench.answer(ConsumerGroupHeartbeat, { errorCode: 25 });
    },
    joins: (bench) => bench.asked(ConsumerGroupHeartbeat).filter(({ memberEpoch }) => memberEpoch === 0).length,
    asked: (bench) => bench.asked(ConsumerGroupHeartbeat).filter(({ memberEpoch }) => memberEpoch === -1).length,
    answer: (bench, errorCode) =>
      void bench.answer(ConsumerGroupHeartbeat, errorCode === 0 ? beat({ memberEpoch: -1 }) : { errorCode }),
    fail: (bench) => bench.fail(ConsumerGroupHeartbeat, new KafkaConnectionError('reset')),
  },
  {
    name: 'classic',
    stable: classicStable,
    give: (bench) => {
      bench.advance(3000);
      bench.answer(Heartbeat, { errorCode: 27 });
    },
    expel: (bench) => {
      bench.advance(3000);
      bench.answer(Heartbeat, { errorCode: 25 });
    },
    joins: (bench) => bench.asked(JoinGroup).length,
    asked: (bench) => bench.asked(LeaveGroup).length,
    answer: (bench, errorCode) => void bench.answer(LeaveGroup, { errorCode, members: [] }),
    fail: (bench) => bench.fail(LeaveGroup, new KafkaConnectionError('reset')),
  },
];

const timeoutMs = 10_000;

const ways = {
  close: (bench: ConsumerBench, done: () => void) => bench.role.close(timeoutMs, 'default', bench.now, done),
  unsubscribe: (bench: ConsumerBench, done: () => void) => bench.role.unsubscribe(bench.now, done),
};

/** Begins the end of a member that has something to commit. Returns whether the end was reached. */
function beginEnd(bench: ConsumerBench, way: (typeof ways)['close']): () => boolean {
  for (const partition of bench.role.partitions.all) bench.role.resolver.start(partition, { offset: '10' });
  let isDone = false;
  way(bench, () => {
    isDone = true;
  });
  bench.turn();
  return () => isDone;
}

/** The same up to where it waits for the answer to its last commit. */
function end(bench: ConsumerBench, way: (typeof ways)['close']): () => boolean {
  const isDone = beginEnd(bench, way);
  assert.equal(bench.asked(OffsetCommit).length, 1);
  return isDone;
}

function commitEnds(bench: ConsumerBench, errorCode = 0): void {
  bench.answer(OffsetCommit, ({ topics }) => ({
    topics: topics!.map(({ name, partitions }) => ({
      name: name!,
      partitions: partitions!.map(({ partitionIndex }) => ({ partitionIndex: partitionIndex!, errorCode })),
    })),
  }));
}

for (const { name, stable, give, expel, joins, asked, answer } of protocols)
  for (const [call, way] of Object.entries(ways))
    describe(`a ${name} member between the begin of ${call} and its leave`, () => {
      it('takes nothing that its group gives it, and joins no more', () => {
        const bench = stable();
        const isDone = end(bench, way);
        give(bench);
        isOwned(bench, 2);
        commitEnds(bench);
        assert.deepEqual([asked(bench), joins(bench)], [1, 0]);
        answer(bench, 0);
        assert.ok(isDone());
        isOwned(bench, 0);
        assert.deepEqual([bench.events('assigned').length, bench.events('revoked').length], [1, 1]);
        assert.deepEqual(bench.events('lost'), []);
        bench.advance(timeoutMs);
        assert.deepEqual([asked(bench), joins(bench)], [0, 0]);
      });

      it('does not join again when its group has expelled it', () => {
        const bench = stable();
        const isDone = end(bench, way);
        expel(bench);
        isOwned(bench, 0);
        assert.equal(bench.events('lost').length, 1);
        commitEnds(bench, 25);
        assert.deepEqual([isDone(), asked(bench), joins(bench)], [true, 0, 0]);
        bench.advance(timeoutMs);
        assert.deepEqual([asked(bench), joins(bench)], [0, 0]);
      });

      it('does not leave for slowness before its partitions are released', () => {
        const bench = stable();
        const isDone = end(bench, way);
        bench.role.group!.leaveForSlowness(bench.now);
        bench.turn();
        assert.equal(asked(bench), 0);
        isOwned(bench, 2);
        commitEnds(bench);
        answer(bench, 0);
        assert.ok(isDone());
        assert.deepEqual(bench.events('lost'), []);
      });
    });

for (const { name, stable, joins, asked, answer, fail } of protocols) {
  const closing = (): { readonly bench: ConsumerBench; readonly isClosed: () => boolean } => {
    const bench = stable();
    let isClosed = false;
    bench.role.close(timeoutMs, 'default', bench.now, () => {
      isClosed = true;
    });
    bench.turn();
    assert.equal(asked(bench), 1);
    return { bench, isClosed: () => isClosed };
  };
  /** The coordinator is looked for, and found. */
  const find = (bench: ConsumerBench): void => {
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    bench.advance(1000);
  };

  describe(`a ${name} member that leaves`, () => {
    for (const code of [0, 25, 30, 69, 82, 12345])
      it(`is out when the answer is ${code}`, () => {
        const { bench, isClosed } = closing();
        answer(bench, code);
        assert.ok(isClosed());
        bench.advance(timeoutMs);
        assert.equal(asked(bench), 0);
      });

    for (const code of [15, 16])
      it(`tells the new coordinator when the answer is ${code}`, () => {
        const { bench, isClosed } = closing();
        answer(bench, code);
        assert.equal(isClosed(), false);
        find(bench);
        answer(bench, 0);
        assert.ok(isClosed());
      });

    for (const code of [14, -1])
      it(`is patient when the answer is ${code}`, () => {
        const { bench, isClosed } = closing();
        answer(bench, code);
        assert.deepEqual([isClosed(), asked(bench)], [false, 0], 'not at once');
        bench.advance(1000);
        answer(bench, 0);
        assert.ok(isClosed());
      });

    it('is told again when the connection was lost, and a coordinator that had heard it does not know it any more', () => {
      const { bench, isClosed } = closing();
      fail(bench);
      assert.equal(isClosed(), false);
      find(bench);
      answer(bench, 25);
      assert.ok(isClosed());
    });

    it('gives up at the deadline, and says what follows', () => {
      const { bench, isClosed } = closing();
      let count = 1;
      for (let ms = 0; ms < timeoutMs - 1; ms += 100) {
        assert.equal(isClosed(), false, `after ${ms} ms`);
        if (asked(bench) > 0) {
          count++;
          answer(bench, 14);
        }
        bench.advance(Math.min(100, timeoutMs - 1 - ms));
      }
      assert.ok(count > 3 && count < 40, `${count} tries`);
      bench.advance(1);
      assert.ok(isClosed());
      assert.ok(
        bench.log.some((line) => /^warn .*could not tell its coordinator/.test(line)),
        bench.log.join('\n'),
      );
      bench.advance(timeoutMs);
      assert.equal(asked(bench), 0);
    });

    it('gives up at the earliest deadline when it is closed more than once', () => {
      const { bench, isClosed } = closing();
      let isSecondDone = false;
      bench.role.close(timeoutMs / 2, 'default', bench.now, () => {
        isSecondDone = true;
      });
      bench.role.close(timeoutMs * 2, 'default', bench.now, () => {});
      bench.advance(timeoutMs / 2 - 1);
      assert.deepEqual([isClosed(), isSecondDone], [false, false]);
      bench.advance(1);
      assert.deepEqual([isClosed(), isSecondDone], [true, true]);
    });

    it('does not wait for brokers of which none can be reached', () => {
      const { bench, isClosed } = closing();
      bench.isUp = () => false;
      bench.errorOf = () => new KafkaConnectionError('refused');
      fail(bench);
      assert.equal(isClosed(), false, 'one may come back');
      bench.advance(timeoutMs / 2);
      assert.ok(isClosed());
    });

    it('joins again when it was subscribed while its partitions were released', () => {
      const bench = stable();
      const isDone = end(bench, ways.unsubscribe);
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
      assert.equal(joins(bench), 0);
      commitEnds(bench);
      answer(bench, 0);
      assert.ok(isDone());
      bench.turn();
      assert.equal(joins(bench), 1);
    });

    it('tells everyone who has asked for it', () => {
      const bench = stable();
      let count = 0;
      for (const way of [ways.unsubscribe, ways.unsubscribe, ways.close]) way(bench, () => count++);
      bench.turn();
      answer(bench, 0);
      assert.equal(count, 3);
    });

    it('is out after unsubscribe, too, when a later answer says so', () => {
      const bench = stable();
      let isDone = false;
      bench.role.unsubscribe(bench.now, () => {
        isDone = true;
      });
      bench.turn();
      fail(bench);
      assert.equal(isDone, false);
      find(bench);
      answer(bench, 0);
      assert.ok(isDone);
    });
  });
}

describe('a member of KIP-848', () => {
  it('that no coordinator has heard of has nothing to tell', () => {
    const bench = new ConsumerBench({ groupId: 'g', groupProtocol: 'consumer' });
    bench.topic('t', 2);
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    let isClosed = false;
    bench.role.close(timeoutMs, 'default', bench.now, () => {
      isClosed = true;
    });
    bench.turn();
    assert.ok(isClosed);
  });

  it('whose join is under way tells that it leaves: the coordinator may know it', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    let isClosed = false;
    bench.role.close(timeoutMs, 'default', bench.now, () => {
      isClosed = true;
    });
    bench.turn();
    assert.equal(isClosed, false);
    bench.answer(ConsumerGroupHeartbeat, beat({}));
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: -1 }));
    assert.ok(isClosed);
  });

  it('that is asked for records again while it leaves for want of questions joins when it has left', () => {
    const bench = begin({ groupProtocol: 'consumer', whenBlocked: 'leave', maxPollIntervalMs: 60_000 });
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
    bench.answer(ConsumerGroupHeartbeat, beat({}));
    bench.role.group!.leaveForSlowness(bench.now);
    bench.turn();
    isOwned(bench, 0);
    bench.role.group!.onApplicationActive(bench.now);
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: -1 }));
    assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, 0);
  });

  it('that is subscribed again while it leaves joins when it has left', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
    bench.answer(ConsumerGroupHeartbeat, beat({}));
    bench.role.unsubscribe(bench.now, () => {});
    bench.turn();
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: -1 }));
    assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, 0);
  });
});

describe('a classic member', () => {
  it('that joins anew keeps what it has, and takes nothing more, until its last commit is answered', () => {
    const bench = classicStable({ partitionAssignmentStrategy: ['cooperative-sticky'] });
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    assert.equal(bench.asked(JoinGroup).length, 1);
    const isDone = beginEnd(bench, ways.unsubscribe);
    bench.answer(JoinGroup, { ...joined, generationId: 5, protocolName: 'cooperative-sticky' });
    const partitions = [1, 2].map((partition) => ({ topic: 't', partition }));
    bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment(partitions) });
    isOwned(bench, 2);
    commitEnds(bench);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isDone());
    assert.deepEqual([bench.events('assigned').length, bench.events('lost').length], [1, 0]);
    bench.advance(timeoutMs);
    assert.equal(bench.asked(JoinGroup).length, 0);
  });

  it('that is being left for want of questions is waited for by close', () => {
    const bench = classicStable();
    bench.role.group!.leaveForSlowness(bench.now);
    bench.turn();
    assert.equal(bench.asked(LeaveGroup).length, 1);
    let isClosed = false;
    bench.role.close(timeoutMs, 'default', bench.now, () => {
      isClosed = true;
    });
    bench.turn();
    assert.equal(isClosed, false);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isClosed);
  });
});

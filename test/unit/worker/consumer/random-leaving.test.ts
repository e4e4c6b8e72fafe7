// A consumer with the classic protocol under random events: it subscribes and unsubscribes, its application falls asleep and wakes, its group
// rebalances and moves to another coordinator. After its end its group has none of its members, and each call has ended once. The message
// of a failing run has its seed; SEED=n repeats it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Fetch,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { BrokerRequest } from '../../../../src/worker/client/broker-requests.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { Random } from '../../ring/support/random.ts';
import { joined } from './support/classic-bench.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { handOut } from './support/handed-out.ts';
import { coordinator } from './support/member-bench.ts';

const runs = Number(process.env.RUNS ?? 150);
const notCoordinator = 16;
const illegalGeneration = 22;
const unknownMember = 25;
const rebalanceInProgress = 27;
const memberIdRequired = 79;

/** The fields of requests that the group looks at. */
interface Asked {
  readonly memberId: string;
  readonly generationId: number;
  readonly generationIdOrMemberEpoch: number;
  readonly members: readonly { readonly memberId: string }[];
}

class Run {
  readonly #source: Random;
  readonly #isCooperative: boolean;
  readonly #bench: ConsumerBench;
  /** The members that the group knows, with their generations. */
  readonly members = new Map<string, number>();
  /** How often each call has ended. */
  readonly ends: number[] = [];
  /** Ends what the application works on. */
  #work: (() => void)[] = [];
  #lastId = 0;
  #generation = 3;
  #coordinatorId = 2;
  #isSubscribed = true;
  /** Errors are answered, too. */
  #isRough = true;

  constructor(seed: number) {
    this.#source = new Random(seed);
    this.#isCooperative = this.#random(2) === 0;
    this.#bench = new ConsumerBench({
      groupId: 'g',
      topics: ['t'],
      autoOffsetReset: 'earliest',
      groupProtocol: 'classic',
      commit: { everyMs: 2000 },
      partitionAssignmentStrategy: [this.#protocolName],
    }).topic('t', 2);
    this.#bench.role.subscribe({ names: ['t'] }, this.#bench.now);
    this.#bench.turn();
  }

  #random(below: number): number {
    return this.#source.below(below);
  }

  get #protocolName(): string {
    return this.#isCooperative ? 'cooperative-sticky' : 'range';
  }

  step(): void {
    const bench = this.#bench;
    const { role } = bench;
    const kind = this.#random(12);
    if (kind < 5) this.#answerOne();
    else if (kind < 6) this.#work.pop()?.();
    else if (kind < 7) this.#changeSubscription();
    else if (kind < 8) role.group!.leaveForSlowness(bench.now);
    else if (kind < 9) role.group!.onApplicationActive(bench.now);
    else if (kind < 10) this.#handOut();
    else if (this.#random(20) === 0) this.#coordinatorId = 2 + this.#random(2);
    else bench.advance(this.#random(3000));
    bench.turn();
  }

  close(): void {
    const bench = this.#bench;
    this.#isRough = false;
    const isClosed = this.#call((done) => bench.role.close(60_000, 'default', bench.now, done));
    for (let i = 0; i < 200 && !isClosed(); i++) {
      bench.turn();
      if (!this.#answerOne()) bench.advance(100);
    }
    assert.ok(isClosed(), 'it is closed in time');
  }

  #call(begin: (done: () => void) => void): () => boolean {
    const at = this.ends.push(0) - 1;
    begin(() => void this.ends[at]!++);
    return () => this.ends[at]! > 0;
  }

  #changeSubscription(): void {
    const { role, now } = this.#bench;
    if (this.#isSubscribed) this.#call((done) => role.unsubscribe(now, done));
    else role.subscribe({ names: ['t'] }, now);
    this.#isSubscribed = !this.#isSubscribed;
  }

  #handOut(): void {
    const { all } = this.#bench.role.partitions;
    const partition = all[this.#random(Math.max(1, all.length))];
    if (partition === undefined || partition.isReleasing) return;
    const handed = handOut(this.#bench, partition.index);
    const end = (): void => {
      handed.doneUpTo = 15n;
    };
    if (this.#random(4) > 0) end();
    else this.#work.push(end);
  }

  /** Answers the oldest request of some connection. @returns whether there was one */
  #answerOne(): boolean {
    const bench = this.#bench;
    const oldest = new Map<string, BrokerRequest<unknown, unknown>>();
    for (const one of bench.waiting) {
      const key = `${one.to.brokerId} ${one.to.lane}`;
      if (one.api.key !== Fetch.key && !oldest.has(key)) oldest.set(key, one);
    }
    const all = [...oldest.values()];
    if (all.length === 0) return false;
    const one = all[this.#random(all.length)]!;
    bench.waiting.splice(bench.waiting.indexOf(one), 1);
    bench.waiting.unshift(one);
    this.#answer(one);
    return true;
  }

  #answer({ api, to, request }: BrokerRequest<unknown, unknown>): void {
    const bench = this.#bench;
    const asked = request as Asked;
    const isAway = to.brokerId !== this.#coordinatorId;
    const refuses = (oneIn: number): boolean => this.#isRough && this.#random(oneIn) === 0;
    switch (api.key) {
      case FindCoordinator.key:
        bench.answer(FindCoordinator, {
          coordinators: [{ ...coordinator.coordinators[0]!, nodeId: this.#coordinatorId }],
        });
        return;
      case JoinGroup.key:
        bench.answer(
          JoinGroup,
          isAway || refuses(10) ? { errorCode: notCoordinator, memberId: '' } : this.#join(asked),
        );
        return;
      case SyncGroup.key: {
        const errorCode = refuses(10) ? rebalanceInProgress : this.#codeFor(isAway, asked.memberId, asked.generationId);
        const partitions = Array.from({ length: 1 + this.#random(2) }, (_, partition) => ({ topic: 't', partition }));
        const assignment = errorCode === 0 ? encodeAssignment(partitions) : Buffer.alloc(0);
        bench.answer(SyncGroup, { errorCode, assignment });
        return;
      }
      case Heartbeat.key: {
        const code = this.#codeFor(isAway, asked.memberId, null);
        bench.answer(Heartbeat, { errorCode: code === 0 && refuses(3) ? rebalanceInProgress : code });
        return;
      }
      case LeaveGroup.key: {
        const isTold = !isAway && !refuses(5);
        if (isTold) this.members.delete(asked.members[0]!.memberId);
        bench.answer(LeaveGroup, { errorCode: isTold ? 0 : notCoordinator, members: [] });
        return;
      }
      case OffsetCommit.key: {
        const errorCode = this.#codeFor(isAway, asked.memberId, asked.generationIdOrMemberEpoch);
        bench.answer(OffsetCommit, ({ topics }) => ({
          topics: topics!.map(({ name, partitions }) => ({
            name,
            partitions: partitions!.map(({ partitionIndex }) => ({ partitionIndex: partitionIndex!, errorCode })),
          })),
        }));
        return;
      }
      case OffsetFetch.key:
        bench.answer(OffsetFetch, ({ groups }) => ({
          groups: groups!.map(({ groupId, topics }) => ({
            groupId,
            topics: topics!.map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes!.map((partitionIndex) => ({ partitionIndex, committedOffset: 5n })),
            })),
          })),
        }));
        return;
      default:
        assert.fail(`no answer to ${api.name}`);
    }
  }

  #join({ memberId }: Asked): object {
    if (memberId === '') {
      const id = `m${++this.#lastId}`;
      this.members.set(id, -1);
      return { errorCode: memberIdRequired, memberId: id };
    }
    if (!this.members.has(memberId)) return { errorCode: unknownMember, memberId: '' };
    this.#generation++;
    this.members.set(memberId, this.#generation);
    return { ...joined, protocolName: this.#protocolName, generationId: this.#generation, memberId };
  }

  /** @param generation null: whichever */
  #codeFor(isAway: boolean, memberId: string, generation: number | null): number {
    if (isAway) return notCoordinator;
    if (!this.members.has(memberId)) return unknownMember;
    return generation === null || generation === this.members.get(memberId) ? 0 : illegalGeneration;
  }
}

const given = process.env.SEED;
const seeds = given === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(given)];

test('no member of it is left in its group, whatever happens before its end', () => {
  for (const seed of seeds) {
    const run = new Run(seed);
    try {
      for (let i = 0; i < 100; i++) run.step();
      run.close();
      assert.deepEqual([...run.members.keys()], [], 'members that the group still has');
      assert.ok(
        run.ends.every((count) => count === 1),
        `each call has ended once: ${run.ends.join()}`,
      );
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

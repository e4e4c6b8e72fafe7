// Owns the reading of a consumer's links. Each call of an application becomes a call of the role and gets one answer. Network thread.

import type { ConsumerCall, PlainFound, PlainOffset } from '../../common/consumer-calls.ts';
import { IllegalArgumentError, IllegalStateError } from '../../common/errors/errors.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import { isConsumerCall } from '../../common/link-call-checks.ts';
import { takeConsumerCall } from '../../ring/frames/consumer-frames.ts';
import { refuseFrame } from '../../ring/frames/frame.ts';
import { CONSUMER_CALL } from '../../ring/frames/kinds.ts';
import type { LinkReader } from '../../ring/link.ts';
import type { OffsetToCommit } from '../consumer/commit-job.ts';
import type { ConsumerRole } from '../consumer/consumer-role.ts';
import type { CommittedOffset } from '../consumer/group-offsets.ts';
import type { Partition } from '../consumer/partition.ts';
import type { ConsumerProxy } from './consumer-proxy.ts';

/** A limit, so that one application cannot delay the others and the sockets. */
const maxCallsPerTurn = 64;

export class ConsumerAdapter {
  readonly #role: ConsumerRole;
  readonly #requests: LinkReader;
  readonly #proxy: ConsumerProxy;
  readonly #onClose: (now: number) => void;

  /** @param onClose called before an application closes the consumer */
  constructor(role: ConsumerRole, requests: LinkReader, proxy: ConsumerProxy, onClose: (now: number) => void) {
    this.#role = role;
    this.#requests = requests;
    this.#proxy = proxy;
    this.#onClose = onClose;
  }

  hasWork(): boolean {
    return !this.#proxy.isOverQuota && !this.#requests.isEmpty();
  }

  drain(now: number): void {
    for (let left = maxCallsPerTurn; left > 0 && !this.#proxy.isOverQuota && this.#requests.next(); left--) {
      if (this.#requests.kind !== CONSUMER_CALL) refuseFrame(this.#requests, 'a link of a consumer');
      const { callId, call } = takeConsumerCall(this.#requests);
      try {
        if (!isConsumerCall(call)) throw new IllegalArgumentError(notWellFormed(call));
        this.#call(callId, call, now);
      } catch (error) {
        this.#proxy.fail(callId, error);
      }
    }
  }

  #call(callId: number, call: ConsumerCall, now: number): void {
    const role = this.#role;
    const done = (): void => this.#proxy.answer(callId, null);
    switch (call.op) {
      case 'unsubscribe':
        role.unsubscribe(now, done);
        break;
      case 'commit':
        this.#commit(callId, call.offsets, now + call.timeoutMs, now);
        break;
      case 'committed':
        this.#committed(callId, call, now);
        break;
      case 'offsets':
        this.#offsets(callId, call, now);
        break;
      case 'close':
        this.#onClose(now);
        role.close(call.timeoutMs, call.leave, now, done);
        break;
      default:
        this.#callAtOnce(call, now);
        done();
    }
  }

  /** Runs the calls that are complete when they return. */
  #callAtOnce(
    call: Extract<ConsumerCall, { op: 'hello' | 'subscribe' | 'assign' | 'seek' | 'pause' | 'resume' }>,
    now: number,
  ): void {
    const role = this.#role;
    switch (call.op) {
      case 'hello':
        if (role.isClosed) throw new IllegalStateError('the consumer is closed');
        break;
      case 'subscribe':
        role.subscribe(call.subscription, now);
        break;
      case 'assign':
        role.assign(call.partitions, now);
        break;
      case 'seek':
        this.#proxy.sought(call.topic, call.partition);
        role.resolver.start(this.#assigned(call.topic, call.partition), call.start);
        role.changed();
        break;
      case 'pause':
      case 'resume':
        this.#setPaused(call.partitions, call.op === 'pause');
        break;
    }
  }

  #assigned(topic: string, index: number): Partition {
    const partition = this.#role.partitions.get(topic, index);
    if (partition === undefined || partition.isReleasing)
      throw new IllegalStateError(`${topic}-${index} is not assigned to this consumer`);
    return partition;
  }

  #setPaused(wanted: Extract<ConsumerCall, { op: 'pause' | 'resume' }>['partitions'], isPaused: boolean): void {
    const partitions =
      wanted === null
        ? this.#role.partitions.all
        : wanted.map(({ topic, partition }) => this.#assigned(topic, partition));
    for (const partition of partitions) {
      partition.isPaused = isPaused;
      if (isPaused) partition.withdraw();
    }
    this.#role.changed();
  }

  #commit(callId: number, offsets: readonly PlainOffset[] | null, deadline: number, now: number): void {
    const { group, autoCommit, partitions } = this.#role;
    if (group === null) throw new IllegalStateError('commit needs a groupId');
    if (offsets === null) {
      const all = partitions.all;
      for (const partition of all) partition.collectDone();
      // Looked at now: more may be done, and other offsets committed, before this commit ends.
      const before = new Set(all.filter(({ committed: at, donePosition }) => at?.offset === donePosition.offset));
      autoCommit.commit(
        all,
        deadline,
        (error, _at, keys) => {
          const committed = all
            .filter((partition) => before.has(partition) || keys.has(partition.key))
            .map(({ topic, index }) => ({ topic, partition: index }));
          this.#proxy.answer(callId, { committed, error: error === null ? null : toPlainError(error) });
        },
        now,
      );
      return;
    }
    const rows: OffsetToCommit[] = offsets.map(({ topic, partition, offset, leaderEpoch, metadata }) => ({
      topic,
      index: partition,
      offset: BigInt(offset),
      leaderEpoch: leaderEpoch ?? -1,
      metadata: metadata ?? '',
    }));
    group.offsets.commit(
      rows,
      deadline,
      ({ error, committed }) => {
        const done = offsets.filter(({ topic, partition }) => committed.has(`${topic}-${partition}`));
        for (const { topic, partition: index, offset, leaderEpoch } of done) {
          const partition = partitions.get(topic, index);
          if (partition !== undefined) partition.committed = { offset: BigInt(offset), leaderEpoch: leaderEpoch ?? -1 };
        }
        const report = done.map(({ topic, partition }) => ({ topic, partition }));
        this.#proxy.answer(callId, { committed: report, error: error === null ? null : toPlainError(error) });
      },
      now,
    );
  }

  #committed(callId: number, { partitions, timeoutMs }: Extract<ConsumerCall, { op: 'committed' }>, now: number): void {
    const { group } = this.#role;
    if (group === null) throw new IllegalStateError('committed needs a groupId');
    const places = partitions.map(({ topic, partition }) => ({ topic, index: partition }));
    group.committed(
      places,
      now + timeoutMs,
      (outcome) => {
        if (outcome instanceof Error) this.#proxy.fail(callId, outcome);
        else
          this.#proxy.answer(
            callId,
            partitions.map((place) => plainCommitted(place, outcome.get(`${place.topic}-${place.partition}`))),
          );
      },
      now,
    );
  }

  #offsets(callId: number, { questions, timeoutMs }: Extract<ConsumerCall, { op: 'offsets' }>, now: number): void {
    const asked = questions.map(({ topic, partition, timestampMs }) => ({
      topic,
      index: partition,
      timestamp: BigInt(timestampMs),
    }));
    this.#role.queries.ask(
      asked,
      now + timeoutMs,
      (outcome) => {
        if (outcome instanceof Error) {
          this.#proxy.fail(callId, outcome);
          return;
        }
        const rows = questions.map(({ topic, partition }): PlainFound => {
          const found = outcome.get(`${topic}-${partition}`)!;
          return {
            topic,
            partition,
            offset: found.offset < 0n ? null : String(found.offset),
            timestampMs: Number(found.timestamp),
            leaderEpoch: found.leaderEpoch,
          };
        });
        this.#proxy.answer(callId, rows);
      },
      now,
    );
  }
}

/** It comes from an application's arguments, or from memory that something has overwritten. */
function notWellFormed(call: unknown): string {
  const text = JSON.stringify(call);
  return `a call has arguments of the wrong kind: ${text.slice(0, 200)}`;
}

function plainCommitted(
  place: { readonly topic: string; readonly partition: number },
  found: CommittedOffset | undefined,
): PlainFound {
  const { topic, partition } = place;
  if (found === undefined || found.offset < 0n)
    return { topic, partition, offset: null, leaderEpoch: -1, metadata: null };
  return { topic, partition, offset: String(found.offset), leaderEpoch: found.leaderEpoch, metadata: found.metadata };
}

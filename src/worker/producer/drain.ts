// Owns the choice of what is sent now: which partitions are ready, which node gets their batches, and in which requests. Network
// thread. Must not know what happens to a batch after that: sender.ts does.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import type { Destination } from '../client/broker-requests.ts';
import { brokerWaitMs } from '../client/broker-wait.ts';
import type { RoleHost } from '../client/role.ts';
import type { Accumulator } from './accumulator.ts';
import type { PartitionState } from './partition-state.ts';
import { overheadBytes, type ProduceTopic } from './produce-body.ts';
import { type ProduceListener, ProduceRequest } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import type { TransactionGate } from './transaction-gate.ts';

/** The lane of producers, so that their requests do not delay others. */
export const produceLane = 'produce';
/** The first version of Produce with record batches v2, and the first with zstd. */
const minBatchVersion = 3;
const minZstdVersion = 7;
const maxNameVersion = 12;
const zstd = 4;

export interface DrainParts {
  readonly config: ProducerConfig;
  readonly host: RoleHost;
  readonly accumulator: Accumulator;
  /** Null without idempotence. */
  readonly numbers: ProducerNumbers | null;
  readonly transaction: TransactionGate | null;
}

/** The ready batches of one node. */
interface NodeBatches {
  readonly to: Destination;
  readonly partitions: PartitionState[];
}

export class Drain {
  /** The time at which a batch becomes ready even if nothing happens, in ms on the monotonic clock. */
  nextDeadline = Number.POSITIVE_INFINITY;
  readonly #parts: DrainParts;
  readonly #listener: ProduceListener;
  /** The index at which the next round begins, so that no partition is always first. */
  #turn = 0;

  constructor(parts: DrainParts, listener: ProduceListener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  /** Sends the ready batches to the nodes that accept requests. */
  poll(now: number): void {
    this.nextDeadline = Number.POSITIVE_INFINITY;
    for (const node of this.#readyNodes(now).values()) this.#drain(node, now);
  }

  #noteDeadline(at: number): void {
    if (at < this.nextDeadline) this.nextDeadline = at;
  }

  #readyNodes(now: number): Map<number, NodeBatches> {
    const { accumulator, host } = this.#parts;
    const nodes = new Map<number, NodeBatches>();
    const { listed } = accumulator;
    const { length } = listed;
    for (let i = 0; i < length; i++) {
      const partition = listed[(i + this.#turn) % length]!;
      if (partition.queue.length === 0) continue;
      const leader = host.cluster.leader(partition.topic.name, partition.index);
      const readyAt = accumulator.readyAt(partition, leader?.leaderEpoch ?? -1, now);
      if (readyAt > now) {
        this.#noteDeadline(readyAt);
        continue;
      }
      if (leader === null || leader.leaderId < 0) {
        host.cluster.requestUpdate();
        continue;
      }
      if (!this.#maySend(partition)) continue;
      const node = nodes.get(leader.leaderId);
      if (node === undefined) {
        nodes.set(leader.leaderId, {
          to: { brokerId: leader.leaderId, lane: produceLane },
          partitions: [partition],
        });
      } else {
        node.partitions.push(partition);
      }
    }
    this.#turn = length === 0 ? 0 : (this.#turn + 1) % length;
    return nodes;
  }

  #maySend(partition: PartitionState): boolean {
    const { config, accumulator, numbers, transaction } = this.#parts;
    const batch = partition.queue[0]!;
    if (numbers !== null && !numbers.maySend(partition, batch)) return false;
    if (transaction !== null && !transaction.maySend(partition)) return false;
    // With one request at a time, batches stay in order even without sequence numbers.
    const isInOrder =
      config.maxInFlightRequestsPerConnection > 1 || partition.sent.every(({ requests }) => requests === 0);
    return isInOrder && accumulator.isHeadPacked(partition);
  }

  /** Sends requests to one node, as long as it accepts them and batches are ready. */
  #drain({ to, partitions }: NodeBatches, now: number): void {
    const { config, host, accumulator } = this.#parts;
    const { requests } = host;
    let ready = partitions;
    while (ready.length > 0) {
      // An answer makes room and starts the next round.
      const isFull = requests.inFlight(to) >= config.maxInFlightRequestsPerConnection;
      if (isFull || !requests.isReady(to, now)) {
        for (const partition of ready) if (partition.refusedSince < 0) partition.refusedSince = now;
        const readyAt = isFull ? now : requests.readyAt(to, now);
        // If `readyAt` is not in the future, a connection is being opened, and its event starts a round.
        if (readyAt > now) this.#noteDeadline(readyAt);
        return;
      }
      this.#sendOne(to, ready, now);
      ready = ready.filter((partition) => {
        if (partition.queue.length === 0) return false;
        const epoch = host.cluster.leader(partition.topic.name, partition.index)?.leaderEpoch ?? -1;
        return accumulator.readyAt(partition, epoch, now) <= now && this.#maySend(partition);
      });
    }
  }

  /** Sends one request, with one batch of each partition, up to the size limit. */
  #sendOne(to: Destination, ready: readonly PartitionState[], now: number): void {
    const { config, accumulator, numbers, transaction, host } = this.#parts;
    const byTopic = new Map<string, ProducerBatch[]>();
    let totalBytes = 0;
    let needsZstd = false;
    for (const partition of ready) {
      const { name } = partition.topic;
      const sizeBytes = partition.queue[0]!.end + overheadBytes(name);
      if (totalBytes > 0 && totalBytes + sizeBytes > config.maxRequestSizeBytes) continue;
      totalBytes += sizeBytes;
      const batch = accumulator.takeHead(partition);
      if (numbers !== null && !batch.hasSequence) numbers.number(partition, batch);
      if (!partition.sent.includes(batch)) partition.sent.push(batch);
      batch.seal(config.transactionalId !== null);
      batch.requests++;
      batch.readers++;
      batch.leaderEpoch = host.cluster.leader(name, partition.index)?.leaderEpoch ?? -1;
      partition.refusedSince = -1;
      needsZstd ||= batch.codec === zstd;
      const list = byTopic.get(name);
      if (list === undefined) byTopic.set(name, [batch]);
      else list.push(batch);
      this.#noteDeadline(batch.createdAt + config.deliveryTimeoutMs);
    }
    const topics: ProduceTopic[] = [];
    let hasIds = true;
    for (const [name, batches] of byTopic) {
      const topicId = host.cluster.topicId(name);
      hasIds &&= topicId !== null;
      topics.push({ name, topicId, batches });
    }
    const { acks, requestTimeoutMs, transactionalId } = config;
    const lowest = Math.max(
      numbers === null ? 0 : minBatchVersion,
      needsZstd ? minZstdVersion : 0,
      transaction?.minProduceVersion ?? 0,
    );
    const highest = Math.min(
      transaction?.maxProduceVersion ?? Produce.maxVersion,
      hasIds ? Produce.maxVersion : maxNameVersion,
    );
    const body = { transactionalId, acks, timeoutMs: brokerWaitMs(requestTimeoutMs), topics };
    const limits = { timeoutMs: requestTimeoutMs, minVersion: lowest, maxVersion: highest };
    const request = new ProduceRequest(to, body, limits, this.#listener, now);
    this.#listener.onSending(request);
    host.requests.send(request, now);
  }
}

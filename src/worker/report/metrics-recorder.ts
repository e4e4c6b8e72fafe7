// Owns the metrics of requests, connections and rounds of the poll loop: what is recorded, and when. Network thread. Unless
// `metrics` is configured, or brokers want metrics to be pushed, nothing is recorded, and a call costs one comparison. Must not compute rates:
// readers do that, from totals and windows.

import type { ClientMetricsMemory } from '../../state/api-metrics.ts';
import { NO_ROW } from '../../state/counters.ts';
import { indexOfSlot, MetricsWriter, metricsRow, type SlotName, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { slotOf } from '../../state/shared-metrics-layout.ts';
import { ApiRecorder } from './api-recorder.ts';

const {
  accepted,
  connectionsClosed,
  connectionsCreated,
  failed,
  latencyMs,
  latencyMsMax,
  requestBytes,
  requestBytesMax,
  requests,
  responseBytes,
  responses,
  roundNs,
  roundNsMax,
  rounds,
  succeeded,
  threadBlockedMsMax,
  throttleMs,
  throttleMsMax,
  waitNs,
} = slotOf;

/** Values that are recorded at the end of a round. */
export type Gauge =
  | 'connectionCount'
  | 'mutedConnections'
  | 'waitingRequests'
  | 'poolTasks'
  | 'poolBytes'
  | 'blockedThreads';

export class Metrics {
  /** Where everything is recorded. Null: nothing is. */
  memory: ClientMetricsMemory | null = null;
  /** Connections that became ready since the start. They are counted whether anything is recorded or not. */
  connectionsReady = 0;
  /** ms on the monotonic clock. */
  readonly startedAt: number;
  #writer: MetricsWriter | null = null;
  #apis: ApiRecorder | null = null;
  readonly #totals = indexOfSlot(TOTALS_ROW, 0);
  /** The greatest row that a node has had. */
  #lastRow = 0;

  /** @param memory from createClientMetrics; null: nothing is recorded until `begin` */
  constructor(memory: ClientMetricsMemory | null, now: number) {
    this.startedAt = now;
    if (memory !== null) this.begin(memory, now);
  }

  /** Records from now on. Once. */
  begin(memory: ClientMetricsMemory, now: number): void {
    this.memory = memory;
    this.#writer = new MetricsWriter(memory.values, now);
    this.#apis = new ApiRecorder(memory.apis, now);
    // Windows move on for all rows up to this one.
    if (this.#lastRow > 0) this.#writer.clearRow(this.#lastRow);
  }

  get isOn(): boolean {
    return this.#writer !== null;
  }

  /** A node got a row of the node table. Returns the node's number for the calls below. */
  nodeAdded(nodeRow: number, isNew: boolean): number {
    if (nodeRow === NO_ROW) return NO_ROW;
    const row = metricsRow(nodeRow);
    this.#lastRow = Math.max(this.#lastRow, row);
    if (isNew) this.#writer?.clearRow(row);
    return indexOfSlot(row, 0);
  }

  /** Counts an event of the whole client. */
  count(event: SlotName): void {
    this.#writer?.add(this.#totals + slotOf[event], 1);
  }

  /** Counts an event of one node. */
  countOf(node: number, event: SlotName): void {
    if (this.#writer === null) return;
    this.#writer.add(this.#totals + slotOf[event], 1);
    if (node !== NO_ROW) this.#writer.add(node + slotOf[event], 1);
  }

  connectionCreated(node: number): void {
    this.connectionsReady++;
    this.#addBoth(node, connectionsCreated, 1);
  }

  connectionClosed(node: number): void {
    this.#addBoth(node, connectionsClosed, 1);
  }

  /** One request went into a connection's send queue. `byteCount` includes the size prefix. */
  requestSent(node: number, byteCount: number, apiKey: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    this.#apis!.sent(apiKey, byteCount);
    const totals = this.#totals;
    writer.add(totals + requests, 1);
    writer.add(totals + requestBytes, byteCount);
    writer.max(totals + requestBytesMax, byteCount);
    if (node === NO_ROW) return;
    writer.add(node + requests, 1);
    writer.add(node + requestBytes, byteCount);
    writer.max(node + requestBytesMax, byteCount);
  }

  /** One response came, `afterMs` after its request was read from the request link. */
  responseReceived(node: number, byteCount: number, afterMs: number, apiKey: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    this.#apis!.answered(apiKey, byteCount, afterMs);
    const totals = this.#totals;
    writer.add(totals + responses, 1);
    writer.add(totals + responseBytes, byteCount);
    writer.add(totals + latencyMs, afterMs);
    writer.max(totals + latencyMsMax, afterMs);
    if (node === NO_ROW) return;
    writer.add(node + responses, 1);
    writer.add(node + responseBytes, byteCount);
    writer.add(node + latencyMs, afterMs);
    writer.max(node + latencyMsMax, afterMs);
  }

  /** A request ended without a response. */
  apiFailed(apiKey: number): void {
    this.#apis?.failed(apiKey);
  }

  /** An application thread has not read its link for so long, up to now. */
  threadBlocked(forMs: number): void {
    this.#writer?.max(this.#totals + threadBlockedMsMax, forMs);
  }

  /** A response said that the node throttles this client. */
  throttled(node: number, forMs: number): void {
    this.#addBoth(node, throttleMs, forMs);
    this.#writer?.max(this.#totals + throttleMsMax, forMs);
    if (node !== NO_ROW) this.#writer?.max(node + throttleMsMax, forMs);
  }

  /** An application's request was read from its link. Accepted requests are those that succeeded, failed or are open. */
  requestAccepted(): void {
    this.#writer?.add(this.#totals + accepted, 1);
  }

  requestSucceeded(): void {
    this.#writer?.add(this.#totals + succeeded, 1);
  }

  requestFailed(): void {
    this.#writer?.add(this.#totals + failed, 1);
  }

  set(gauge: Gauge, value: number): void {
    this.#writer?.set(this.#totals + slotOf[gauge], value);
  }

  /** Must be called before anything else of a round is recorded. A round is a turn or a move of the poll loop. */
  roundBegins(now: number): void {
    if (this.#writer === null) return;
    this.#writer.moveOn(now);
    this.#apis!.moveOn(now);
  }

  roundEnded(waitedMs: number, tookMs: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    const totals = this.#totals;
    writer.add(totals + rounds, 1);
    writer.add(totals + waitNs, waitedMs * 1e6);
    writer.add(totals + roundNs, tookMs * 1e6);
    writer.max(totals + roundNsMax, tookMs * 1e6);
  }

  #addBoth(node: number, slot: number, amount: number): void {
    if (this.#writer === null) return;
    this.#writer.add(this.#totals + slot, amount);
    if (node !== NO_ROW) this.#writer.add(node + slot, amount);
  }
}

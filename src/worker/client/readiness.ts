// Owns the start of a client, and every other wait for a node to become ready: which servers are tried when, and the
// error when none can be used. Network thread. Must not open connections itself: it asks for them.

import type { VersionInfo } from '../../common/control.ts';
import {
  KafkaConnectionError,
  KafkaTimeoutError,
  NoBrokersAvailable,
  NodeNotReadyError,
  type ServerFailure,
  UnrecognizedBrokerVersion,
} from '../../common/errors/errors.ts';
import { MinHeap } from '../../common/min-heap.ts';
import { mainLane, partsOfKey, sharedScope } from '../../common/node-ids.ts';
import { DEFAULT_NODE_CAPACITY } from '../../state/counters.ts';
import { ChannelState } from '../net/channel.ts';
import type { NodeListener } from './connections.ts';
import type { Node } from './node.ts';
import { unknownNode } from './node-refusal.ts';
import { maxStaggerMs, type Nodes } from './nodes.ts';

/** What a wait is for; the error of a failed wait depends on it. */
type Purpose = 'start' | 'ready' | 'version';

interface Wait {
  readonly purpose: Purpose;
  /** The node's key. Undefined: any node will do. */
  readonly key: number | undefined;
  readonly startedAt: number;
  readonly deadline: number;
  readonly timeoutMs: number;
  /** The first failure ends it; otherwise it tries again until the deadline. */
  readonly isStrict: boolean;
}

interface Waiter extends Wait {
  resolve(info: VersionInfo): void;
  reject(error: Error): void;
}

/** Waits for one node, or for any. */
interface Group {
  /** The node's key. Undefined: any node will do. */
  readonly key: number | undefined;
  readonly waiters: Set<Waiter>;
  /** The same waits ordered by deadline; some of them may have ended since. */
  readonly byDeadline: MinHeap<Waiter>;
  /** Counts every wait that was ever in it. */
  shortestTimeoutMs: number;
  strictCount: number;
}

export class Readiness implements NodeListener {
  readonly #nodes: Nodes;
  readonly #connect: (node: Node, now: number) => void;
  readonly #clock: () => number;
  readonly #wake: () => void;
  /**
   * Very many callers may wait for one node. Work for a node, and the check in every turn, is done once for all of
   * them.
   */
  readonly #groups = new Map<number | undefined, Group>();
  #closeError: Error | null = null;
  #nextTryAt = Number.NEGATIVE_INFINITY;

  constructor(nodes: Nodes, connect: (node: Node, now: number) => void, clock: () => number, wake: () => void) {
    this.#nodes = nodes;
    this.#connect = connect;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Resolves when any server is ready; otherwise rejects with NoBrokersAvailable. */
  start(timeoutMs: number): Promise<VersionInfo> {
    return this.#wait('start', undefined, timeoutMs, false);
  }

  /**
   * Resolves when the node is ready; otherwise rejects with KafkaTimeoutError, or with NodeNotReadyError for an
   * unknown node.
   */
  awaitReady(nodeId: number, timeoutMs: number, lane = mainLane, scope = sharedScope): Promise<VersionInfo> {
    if (this.#closeError !== null) return Promise.reject(this.#closeError);
    const node = lane === mainLane ? this.#nodes.get(nodeId, scope) : this.#nodes.inLane(nodeId, lane, scope);
    return node === undefined ? Promise.reject(unknownNode(nodeId)) : this.#wait('ready', node.key, timeoutMs, false);
  }

  /**
   * Resolves with the API versions of the node, or of any node if none is named: at once from a ready connection,
   * else from a new one. Fails with: NodeNotReadyError, or NoBrokersAvailable when no node was named;
   * UnrecognizedBrokerVersion when every probe was rejected.
   */
  checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean, scope = sharedScope): Promise<VersionInfo> {
    if (nodeId === null || this.#closeError !== null) return this.#wait('version', undefined, timeoutMs, isStrict);
    const node = this.#nodes.get(nodeId, scope);
    return node === undefined
      ? Promise.reject(unknownNode(nodeId))
      : this.#wait('version', node.key, timeoutMs, isStrict);
  }

  /**
   * Starts the attempts that are due and ends the waits that are over.
   * @param readUpTo not after `now`: everything that had arrived at that time was handled; what ends later is ended later
   */
  poll(now: number, readUpTo = now): void {
    for (const group of this.#groups.values()) this.#end(group, this.#overdue(group, readUpTo));
    if (now < this.#nextTryAt || this.#groups.size === 0) return;
    let staggerMs = maxStaggerMs;
    for (const group of this.#groups.values()) {
      this.#tryOne(group, now);
      staggerMs = Math.min(staggerMs, this.#staggerMs(group));
    }
    this.#nextTryAt = now + staggerMs;
  }

  get nextDeadline(): number {
    if (this.#groups.size === 0) return Number.POSITIVE_INFINITY;
    let least = this.#nextTryAt;
    for (const group of this.#groups.values()) least = Math.min(least, earliestOf(group)?.deadline ?? least);
    return least;
  }

  onNodeReady(node: Node): void {
    const info = versionInfo(node);
    for (const key of [node.key, undefined]) {
      const group = this.#groups.get(key);
      if (group === undefined) continue;
      this.#groups.delete(key);
      const isUnusable = key !== undefined && !node.hasRow;
      for (const waiter of group.waiters) {
        if (isUnusable) waiter.reject(noRow(node));
        else waiter.resolve(info);
      }
    }
  }

  onNodeFailed(node: Node, _error: Error, now: number): void {
    for (const key of [node.key, undefined]) {
      const group = this.#groups.get(key);
      if (group === undefined) continue;
      if (group.strictCount > 0) this.#end(group, [...group.waiters].filter(isStrict));
      if (key === undefined) this.#endHopeless(group);
    }
    // The next server is tried at once; the same server is tried again when its backoff is over.
    this.#nextTryAt = now;
    this.#wake();
  }

  close(error: Error): void {
    this.#closeError = error;
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    for (const { waiters } of groups) for (const waiter of waiters) waiter.reject(error);
  }

  #wait(purpose: Purpose, key: number | undefined, timeoutMs: number, isStrict: boolean): Promise<VersionInfo> {
    if (this.#closeError !== null) return Promise.reject(this.#closeError);
    const node = key === undefined ? this.#nodes.anyReady() : this.#nodes.find(key);
    if (node?.isReady) {
      return key === undefined || node.hasRow ? Promise.resolve(versionInfo(node)) : Promise.reject(noRow(node));
    }
    const startedAt = this.#clock();
    return new Promise((resolve, reject) => {
      const deadline = startedAt + timeoutMs;
      this.#add({ purpose, key, startedAt, deadline, timeoutMs, isStrict, resolve, reject });
      this.#nextTryAt = startedAt;
      this.#wake();
    });
  }

  #add(waiter: Waiter): void {
    const { key } = waiter;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const byDeadline = new MinHeap<Waiter>(({ deadline }) => deadline);
      group = { key, waiters: new Set(), byDeadline, shortestTimeoutMs: waiter.timeoutMs, strictCount: 0 };
      this.#groups.set(key, group);
    }
    group.waiters.add(waiter);
    group.byDeadline.add(waiter);
    group.shortestTimeoutMs = Math.min(group.shortestTimeoutMs, waiter.timeoutMs);
    if (waiter.isStrict) group.strictCount++;
  }

  #overdue(group: Group, now: number): Waiter[] {
    const overdue: Waiter[] = [];
    for (let waiter = earliestOf(group); waiter !== undefined && waiter.deadline <= now; waiter = earliestOf(group)) {
      group.byDeadline.take();
      overdue.push(waiter);
    }
    return overdue;
  }

  /** Ends these waits with their errors. */
  #end(group: Group, ended: readonly Waiter[]): void {
    for (const waiter of ended) {
      group.waiters.delete(waiter);
      if (waiter.isStrict) group.strictCount--;
    }
    if (group.waiters.size === 0) this.#groups.delete(group.key);
    for (const waiter of ended) waiter.reject(this.#failure(waiter));
  }

  /**
   * Every server has refused our login or certificate, or we have refused its certificate: another attempt would end
   * in the same way.
   */
  #endHopeless(group: Group): void {
    const refusedAt = this.#allRefusedAt();
    if (refusedAt === Number.NEGATIVE_INFINITY) return;
    this.#end(
      group,
      [...group.waiters].filter(({ startedAt }) => refusedAt >= startedAt),
    );
  }

  /** When the last of the bootstrap servers refused; -Infinity unless all have refused. */
  #allRefusedAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const { connection } of this.#nodes.bootstrapNodes()) at = Math.min(at, connection.refusedAt);
    return at;
  }

  #isHopeless({ key, startedAt }: Wait): boolean {
    return key === undefined && this.#allRefusedAt() >= startedAt;
  }

  /** Every server gets its turn within half of the time, even if many of them never answer. */
  #staggerMs({ key, shortestTimeoutMs }: Group): number {
    if (key !== undefined) return maxStaggerMs;
    return Math.min(maxStaggerMs, Math.max(1, Math.floor(shortestTimeoutMs / (2 * this.#nodes.bootstrapCount))));
  }

  #tryOne({ key }: Group, now: number): void {
    if (key !== undefined) {
      const node = this.#nodes.find(key);
      if (node !== undefined) this.#connect(node, now);
      return;
    }
    let next: Node | undefined;
    for (const node of this.#nodes.bootstrapNodes()) {
      if (!node.canConnect(now)) continue;
      if (next === undefined || node.connection.lastAttemptAt < next.connection.lastAttemptAt) next = node;
    }
    if (next !== undefined) this.#connect(next, now);
  }

  #failure(waiter: Wait): Error {
    const { purpose, key, timeoutMs } = waiter;
    if (key === undefined) return this.#noServer(waiter);
    const { nodeId } = partsOfKey(key);
    const node = this.#nodes.find(key);
    const cause = node?.connection.lastError ?? undefined;
    const text = `${node?.name ?? `node ${nodeId}`} was not ready within ${timeoutMs} ms`;
    if (purpose === 'ready') return new KafkaTimeoutError(text, { nodeId, cause });
    if (cause instanceof UnrecognizedBrokerVersion) return cause;
    return new NodeNotReadyError(cause === undefined ? text : `${text}: ${cause.message}`, { nodeId, cause });
  }

  #noServer(waiter: Wait): Error {
    const { purpose, timeoutMs } = waiter;
    const causes = [...this.#nodes.bootstrapNodes()].map(failureOf);
    const isUnrecognized = causes.every(({ error }) => error instanceof UnrecognizedBrokerVersion);
    if (purpose === 'version' && isUnrecognized) return causes[0]!.error;
    const setting = purpose === 'start' ? ' (apiVersionAutoTimeoutMs)' : '';
    const outcome = this.#isHopeless(waiter)
      ? 'could be used: login or certificate was refused'
      : `could be used within ${timeoutMs} ms${setting}`;
    const reasons = causes.map(({ host, port, error }) => `  ${host}:${port}: ${error.message}`);
    const text = `none of the ${causes.length} bootstrap servers ${outcome}:\n${reasons.join('\n')}`;
    return new NoBrokersAvailable(text, { causes, cause: causes[0]?.error });
  }
}

function noRow(node: Node): Error {
  const text = `${node.name} is connected, but cannot be used: ${DEFAULT_NODE_CAPACITY} nodes of this client are in use, and it keeps track of no more; close connections that are not needed, or start a second client`;
  return new NodeNotReadyError(text, { nodeId: node.id });
}

function isStrict({ isStrict }: Wait): boolean {
  return isStrict;
}

/** The wait with the nearest deadline. */
function earliestOf({ byDeadline, waiters }: Group): Waiter | undefined {
  for (let waiter = byDeadline.least; waiter !== undefined; waiter = byDeadline.least) {
    if (waiters.has(waiter)) return waiter;
    byDeadline.take();
  }
  return undefined;
}

function failureOf({ id, host, port, connection, channel, isConnecting }: Node): ServerFailure {
  const soFar = (text: string) => new KafkaConnectionError(text, { nodeId: id });
  let error = connection.lastError;
  if (error === null && channel?.state === ChannelState.AUTHENTICATING) {
    error = soFar('connected, but the login has not ended so far');
  } else if (error === null && channel?.state === ChannelState.API_VERSIONS) {
    error = soFar(channel.describeWait()!);
  }
  error ??= soFar(isConnecting ? 'no answer to the connection attempt so far' : 'was not tried');
  return { host, port, error };
}

function versionInfo(node: Node): VersionInfo {
  const { ranges, brokerVersion } = node.apiVersions!;
  return {
    apiVersion: brokerVersion,
    apiVersions: [...ranges].map(([apiKey, { min, max }]) => [apiKey, min, max] as const),
  };
}

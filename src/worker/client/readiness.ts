// Owns the start of a client, and every other wait for a node to become ready: which servers are tried when, and what is
// reported when none can be used. Network thread. Must not open connections itself: it asks for them.

import type { VersionInfo } from '../../common/control.ts';
import {
  KafkaConnectionError,
  KafkaTimeoutError,
  NoBrokersAvailable,
  NodeNotReadyError,
  type ServerFailure,
  UnknownBrokerIdError,
  UnrecognizedBrokerVersion,
} from '../../common/errors/errors.ts';
import { ChannelState } from '../net/channel.ts';
import type { NodeListener } from './connections.ts';
import type { Node } from './node.ts';
import { maxStaggerMs, type Nodes } from './nodes.ts';

/** What a wait is for; it decides how its failure is named. */
type Purpose = 'start' | 'ready' | 'version';

interface Wait {
  readonly purpose: Purpose;
  /** Undefined: any node will do. */
  readonly nodeId: number | undefined;
  readonly startedAt: number;
  readonly deadline: number;
  readonly timeoutMs: number;
  /** The first failure ends it, instead of being tried again until the deadline. */
  readonly isStrict: boolean;
}

interface Waiter extends Wait {
  resolve(info: VersionInfo): void;
  reject(error: Error): void;
}

export class Readiness implements NodeListener {
  readonly #nodes: Nodes;
  readonly #connect: (nodeId: number, now: number) => void;
  readonly #clock: () => number;
  readonly #wake: () => void;
  #waiters: Waiter[] = [];
  #closeError: Error | null = null;
  #nextTryAt = Number.NEGATIVE_INFINITY;

  constructor(nodes: Nodes, connect: (nodeId: number, now: number) => void, clock: () => number, wake: () => void) {
    this.#nodes = nodes;
    this.#connect = connect;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Resolves when any server is ready; else NoBrokersAvailable. */
  start(timeoutMs: number): Promise<VersionInfo> {
    return this.#wait('start', undefined, timeoutMs, false);
  }

  /** Resolves when the node is ready; else KafkaTimeoutError, or NodeNotReadyError for one that is unknown. */
  awaitReady(nodeId: number, timeoutMs: number): Promise<VersionInfo> {
    return this.#wait('ready', nodeId, timeoutMs, false);
  }

  /**
   * Resolves with what the node speaks, or any node without one: at once from a ready connection, else from a new one.
   * Fails with: NodeNotReadyError, or NoBrokersAvailable when no node was named; UnrecognizedBrokerVersion when every
   * probe was rejected.
   */
  checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean): Promise<VersionInfo> {
    return this.#wait('version', nodeId ?? undefined, timeoutMs, isStrict);
  }

  /** Starts the attempts that are due and ends the waits that are over. */
  poll(now: number): void {
    if (this.#waiters.length === 0) return;
    this.#end((waiter) => (now >= waiter.deadline ? this.#failure(waiter) : null));
    if (now < this.#nextTryAt) return;
    let staggerMs = maxStaggerMs;
    for (const waiter of this.#waiters) {
      this.#tryOne(waiter, now);
      staggerMs = Math.min(staggerMs, this.#staggerMs(waiter));
    }
    this.#nextTryAt = now + staggerMs;
  }

  get nextDeadline(): number {
    if (this.#waiters.length === 0) return Number.POSITIVE_INFINITY;
    return this.#waiters.reduce((least, waiter) => Math.min(least, waiter.deadline), this.#nextTryAt);
  }

  onNodeReady(node: Node): void {
    const info = versionInfo(node);
    const served = this.#waiters.filter((waiter) => waiter.nodeId === undefined || waiter.nodeId === node.id);
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter));
    for (const waiter of served) waiter.resolve(info);
  }

  onNodeFailed(node: Node, _error: Error, now: number): void {
    this.#end((waiter) => {
      const isItsFailure = waiter.isStrict && (waiter.nodeId ?? node.id) === node.id;
      return isItsFailure || this.#isHopeless(waiter) ? this.#failure(waiter) : null;
    });
    // Another server's turn at once; the same one again when its backoff is over.
    this.#nextTryAt = now;
    this.#wake();
  }

  close(error: Error): void {
    this.#closeError = error;
    this.#end(() => error);
  }

  #wait(purpose: Purpose, nodeId: number | undefined, timeoutMs: number, isStrict: boolean): Promise<VersionInfo> {
    if (this.#closeError !== null) return Promise.reject(this.#closeError);
    const node = nodeId === undefined ? this.#nodes.anyReady() : this.#nodes.get(nodeId);
    if (node?.isReady) return Promise.resolve(versionInfo(node));
    if (nodeId !== undefined && node === undefined) {
      return Promise.reject(new UnknownBrokerIdError(`node ${nodeId} is not part of the cluster`, { nodeId }));
    }
    const startedAt = this.#clock();
    return new Promise((resolve, reject) => {
      const deadline = startedAt + timeoutMs;
      this.#waiters.push({ purpose, nodeId, startedAt, deadline, timeoutMs, isStrict, resolve, reject });
      this.#nextTryAt = startedAt;
      this.#wake();
    });
  }

  /** Ends the waits that `why` has an error for. */
  #end(why: (waiter: Waiter) => Error | null): void {
    const ended = this.#waiters.map((waiter) => ({ waiter, error: why(waiter) }));
    this.#waiters = ended.filter(({ error }) => error === null).map(({ waiter }) => waiter);
    for (const { waiter, error } of ended) if (error !== null) waiter.reject(error);
  }

  /** Every server was asked, and has refused our login or certificate, or we its: another attempt would end alike. */
  #isHopeless({ nodeId, startedAt }: Wait): boolean {
    if (nodeId !== undefined) return false;
    return [...this.#nodes.bootstrapNodes()].every(({ connection }) => connection.refusedAt >= startedAt);
  }

  /** Half the time is enough to have tried every server, however many of them are black holes. */
  #staggerMs({ nodeId, timeoutMs }: Wait): number {
    if (nodeId !== undefined) return maxStaggerMs;
    return Math.min(maxStaggerMs, Math.max(1, Math.floor(timeoutMs / (2 * this.#nodes.bootstrapCount))));
  }

  #tryOne(waiter: Waiter, now: number): void {
    if (waiter.nodeId !== undefined) {
      this.#connect(waiter.nodeId, now);
      return;
    }
    let next: Node | undefined;
    for (const node of this.#nodes.bootstrapNodes()) {
      if (!node.canConnect(now)) continue;
      if (next === undefined || node.connection.lastAttemptAt < next.connection.lastAttemptAt) next = node;
    }
    if (next !== undefined) this.#connect(next.id, now);
  }

  #failure(waiter: Wait): Error {
    const { purpose, nodeId, timeoutMs } = waiter;
    if (nodeId === undefined) return this.#noServer(waiter);
    const cause = this.#nodes.get(nodeId)?.connection.lastError ?? undefined;
    const text = `node ${nodeId} was not ready within ${timeoutMs} ms`;
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

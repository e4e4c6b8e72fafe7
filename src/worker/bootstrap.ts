// Owns the start of a client, and every other wait for a node to become ready: which servers are tried when, and what is
// reported when none can be used. Network thread. Must not open connections itself: it asks for them.

import type { VersionInfo } from '../common/control.ts';
import { KafkaTimeoutError, NoBrokersAvailable, NodeNotReadyError } from '../common/errors.ts';
import { inferBrokerVersion } from './api-versions.ts';
import type { NodeListener } from './connections.ts';
import type { Node } from './node.ts';
import type { Nodes } from './nodes.ts';

/** A server that is silent holds up the next one no longer than this. */
const staggerMs = 250;

interface Waiter {
  /** Undefined: any node will do. */
  readonly nodeId: number | undefined;
  readonly startedAt: number;
  readonly deadline: number;
  resolve(info: VersionInfo): void;
  reject(error: Error): void;
}

export class Bootstrap implements NodeListener {
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

  /** Resolves when the node (or, without one, any bootstrap server) is ready. */
  awaitReady(nodeId: number | undefined, timeoutMs: number): Promise<VersionInfo> {
    if (this.#closeError !== null) return Promise.reject(this.#closeError);
    const node = nodeId === undefined ? this.#nodes.anyReady() : this.#nodes.get(nodeId);
    if (node?.isReady) return Promise.resolve(versionInfo(node));
    if (nodeId !== undefined && node === undefined) {
      return Promise.reject(new NodeNotReadyError(`node ${nodeId} is not part of the cluster`, { nodeId }));
    }
    const startedAt = this.#clock();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ nodeId, startedAt, deadline: startedAt + timeoutMs, resolve, reject });
      this.#nextTryAt = startedAt;
      this.#wake();
    });
  }

  /** Starts the attempts that are due and ends the waits that are over. */
  poll(now: number): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) if (now >= waiter.deadline) waiter.reject(this.#failure(waiter));
    this.#waiters = this.#waiters.filter((waiter) => now < waiter.deadline);
    if (now < this.#nextTryAt) return;
    for (const waiter of this.#waiters) this.#tryOne(waiter, now);
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

  onNodeFailed(_node: Node, _error: Error, now: number): void {
    // Another server's turn at once; the same one again when its backoff is over.
    this.#nextTryAt = now;
    this.#wake();
  }

  close(error: Error): void {
    this.#closeError = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
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

  #failure(waiter: Waiter): Error {
    const timeoutMs = Math.round(waiter.deadline - waiter.startedAt);
    if (waiter.nodeId !== undefined) {
      const node = this.#nodes.get(waiter.nodeId);
      const details = { nodeId: waiter.nodeId, cause: node?.connection.lastError ?? undefined };
      return new KafkaTimeoutError(`node ${waiter.nodeId} was not ready within ${timeoutMs} ms`, details);
    }
    const servers = [...this.#nodes.bootstrapNodes()];
    const reasons = servers.map((node) => `  ${node.host}:${node.port}: ${whyNot(node)}`);
    const causes = servers.map((node) => node.connection.lastError).filter((error) => error !== null);
    const text = `none of the ${servers.length} bootstrap servers could be used within ${timeoutMs} ms (apiVersionAutoTimeoutMs):\n${reasons.join('\n')}`;
    return new NoBrokersAvailable(text, { cause: causes[0] });
  }
}

function whyNot(node: Node): string {
  if (node.connection.lastError !== null) return node.connection.lastError.message;
  if (node.isConnecting) return 'no answer to the connection attempt so far';
  return 'was not tried';
}

function versionInfo(node: Node): VersionInfo {
  const ranges = node.apiVersions!.ranges;
  return {
    apiVersion: inferBrokerVersion(ranges),
    apiVersions: [...ranges].map(([apiKey, { min, max }]) => [apiKey, min, max] as const),
  };
}

// Owns the log records and metrics about connections and metadata. Only this file decides which event is logged, and at
// which level. Network thread. Must only report: no decision may depend on it.

import {
  KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  RingCorruptError,
} from '../../common/errors/errors.ts';
import type { BlockedThread, BlockedThreadsReport } from './blocked-thread-report.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics-recorder.ts';
import { RequestReport } from './request-report.ts';

/** What a record says about a node: which node it is, its address, and when it may be tried again. */
export interface ReportedNode {
  readonly id: number;
  /** For log texts: broker, address and lane. */
  readonly name: string;
  /** The node's number in calls of the metrics recorder. */
  readonly metricsRow: number;
  readonly connection: {
    /** ms until the next attempt may begin. */
    delay(now: number): number;
  };
}

export class Events implements BlockedThreadsReport {
  readonly metrics: Metrics;
  readonly requests: RequestReport;
  readonly #log: Log;

  constructor(metrics: Metrics, log: Log) {
    this.metrics = metrics;
    this.requests = new RequestReport(metrics, log);
    this.#log = log;
  }

  attemptBegins(node: ReportedNode): void {
    this.#log.write('debug', 'connecting', `a connection to ${node.name} is begun`, { nodeId: node.id });
  }

  connectionReady(node: ReportedNode): void {
    this.metrics.connectionCreated(node.metricsRow);
    const failures = this.#log.recovered(attemptKey(node));
    const details = { nodeId: node.id };
    if (failures === 0) this.#log.write('debug', 'connected', `${node.name} is connected`, details);
    else this.#log.write('info', 'reconnected', `${node.name} is connected after ${failures} failures`, details);
  }

  /** One address of an attempt failed. The attempt goes on with the next address. */
  addressFailed(node: ReportedNode, error: Error): void {
    this.metrics.connectionClosed(node.metricsRow);
    this.#log.write('debug', 'address-failed', error.message, { nodeId: node.id, error });
  }

  /** Called after the backoff was set. */
  attemptFailed(node: ReportedNode, error: Error, now: number): void {
    this.metrics.connectionClosed(node.metricsRow);
    const inMs = Math.ceil(node.connection.delay(now));
    const text = `${node.name} cannot be connected: ${error.message}; the next attempt may begin in ${inMs} ms`;
    this.#log.fault(attemptKey(node), 'warn', 'connection-failed', text, { nodeId: node.id, error }, now);
  }

  /** The peer closed the connection when it got the newest version of ApiVersions. It may know only older versions. */
  versionRefused(node: ReportedNode, error: Error, now: number): void {
    this.metrics.connectionClosed(node.metricsRow);
    const text = `${node.name} closed the connection on the newest version of ApiVersions: ${error.message}; the next attempt sends an older version`;
    this.#log.fault(`version ${node.id}`, 'info', 'version-refused', text, { nodeId: node.id, error }, now);
  }

  /** A fault ended a ready connection, with `open` requests in flight. */
  connectionLost(node: ReportedNode, error: Error, open: number, now: number): void {
    const details = { nodeId: node.id, error };
    if (error instanceof KafkaProtocolError) {
      this.metrics.count('protocolErrors');
      this.#fault(node, 'error', 'protocol-error', `${node.name}: ${error.message}`, details, now);
    } else if (error instanceof KafkaConnectionError && open === 0) {
      // No request was in flight. This is normal: brokers close idle connections, and brokers restart.
      this.#fault(node, 'info', 'connection-closed', `${node.name}: ${error.message}`, details, now);
    } else if (isUnexpected(error)) {
      this.metrics.count('unexpectedErrors');
      const text = `${node.name}: ${error.message}: ${String(error.cause)}`;
      this.#fault(node, 'error', 'unexpected-error', text, details, now);
    } else {
      const text = `${node.name} was lost with ${open} requests in flight: ${error.message}`;
      this.#fault(node, 'warn', 'connection-lost', text, details, now);
    }
  }

  connectionEnded(node: ReportedNode, error: Error): void {
    this.metrics.connectionClosed(node.metricsRow);
    this.#log.write('debug', 'disconnected', `${node.name}: ${error.message}`, { nodeId: node.id });
  }

  nodeGone(node: ReportedNode, what: string): void {
    this.#log.recovered(attemptKey(node));
    this.#log.write('info', 'node-changed', `${node.name} ${what}`, { nodeId: node.id });
  }

  requestTimedOut(node: ReportedNode): void {
    this.metrics.countOf(node.metricsRow, 'requestsTimedOut');
  }

  throttled(node: ReportedNode, throttleTimeMs: number, now: number): void {
    this.metrics.throttled(node.metricsRow, throttleTimeMs);
    const text = `${node.name} throttles this client for ${throttleTimeMs} ms (quota)`;
    this.#log.fault(`throttle ${node.id}`, 'info', 'throttled', text, { nodeId: node.id }, now);
  }

  metadataRefreshed(): void {
    this.metrics.count('metadataRefreshes');
    const failures = this.#log.recovered('metadata');
    if (failures > 0)
      this.#log.write('info', 'metadata-refreshed', `metadata was refreshed after ${failures} failures`);
    else this.#log.write('debug', 'metadata-refreshed', 'metadata was refreshed');
  }

  metadataFailed(error: Error, now: number): void {
    this.metrics.count('metadataFailures');
    this.#log.fault('metadata', 'warn', 'metadata-failed', `no metadata: ${error.message}`, { error }, now);
  }

  startedOver(reason: Error): void {
    this.metrics.count('startedOver');
    const text = `every connection is closed and the bootstrap servers are asked again: ${reason.message}`;
    this.#log.write('warn', 'rebootstrap', text, { error: reason });
  }

  /** A connection reached another broker than the one that it was for. */
  misrouted(): void {
    // The failed attempt was logged already, with the reason.
    this.metrics.count('startedOver');
  }

  /** A node is connected, but it has no row in the node table. */
  nodeTableFull(node: ReportedNode, now: number): void {
    const text = `${node.name} is connected, but applications cannot use it: the table of nodes is full; start a second client`;
    this.#log.fault('node-table', 'warn', 'node-table-full', text, { nodeId: node.id }, now);
  }

  codecPoolUnusable(cause: unknown): void {
    const text = `no thread of the codec pool can be started (${cause instanceof Error ? cause.message : String(cause)}): the network thread compresses and decompresses by itself, which delays other requests; set codecPoolThreads to 0 if you want that`;
    this.#log.write('warn', 'codec-pool-unusable', text, cause instanceof Error ? { error: cause } : {});
  }

  /** A producer, a consumer or the administration calls threw where nothing may throw. */
  roleFailed(error: Error): void {
    const text = `a producer, a consumer or the administration calls ended by a fault: ${error.message}`;
    this.#log.write('error', 'role-failed', text, { error });
  }

  attachmentBroken(error: Error): void {
    const isCorrupt = error instanceof RingCorruptError;
    const why = isCorrupt ? 'its shared memory holds an impossible value' : 'its link could not be served';
    const text = `an attached thread was detached because ${why}: ${error.message}`;
    this.#log.write('error', 'attachment-broken', text, { error });
  }

  threadBlocked({ threadId, blockedMs, unreadBytes, ringBytes, movedBytes }: BlockedThread): void {
    this.metrics.count('threadsBlocked');
    this.metrics.threadBlocked(blockedMs);
    const text = `${threadName(threadId)} has read nothing of this client for ${Math.round(blockedMs)} ms (blockedThreadWarnMs): ${unreadBytes} bytes of ${ringBytes} wait in its rings and ${movedBytes} bytes beside them; its event loop is blocked by other work. The network thread goes on; answers, records and callbacks wait for that thread`;
    this.#log.write('warn', 'thread-blocked', text);
  }

  threadStillBlocked(blockedMs: number): void {
    this.metrics.threadBlocked(blockedMs);
  }

  threadReadsAgain(threadId: number | null, blockedMs: number): void {
    this.metrics.threadBlocked(blockedMs);
    const text = `${threadName(threadId)} reads again after ${Math.round(blockedMs)} ms`;
    this.#log.write('info', 'thread-unblocked', text);
  }

  resumed(pauseMs: number, closed: number): void {
    const text = `the machine was suspended for ${Math.round(pauseMs / 1000)} s, or its clock was set; ${closed} idle connections were closed`;
    this.#log.write('info', 'resumed', text, {});
  }

  clusterChanged(reason: Error, nodeId: number): void {
    this.#log.write('error', 'cluster-changed', reason.message, { nodeId });
  }

  partitionRepeated(partition: string, nodeId: number, now: number): void {
    const text = `node ${nodeId} names partition ${partition} twice in one metadata response; the first entry is used`;
    this.#log.fault('metadata-repeats', 'warn', 'metadata-repeats', text, { nodeId }, now);
  }

  topicFault(topic: string, error: Error): void {
    const text = `there is no metadata of topic ${JSON.stringify(topic)}: ${error.message}; check the name, whether the topic exists, and whether this client may describe it`;
    this.#log.write('warn', 'topic-error', text, { error });
  }

  #fault(
    node: ReportedNode,
    level: 'info' | 'warn' | 'error',
    event: string,
    text: string,
    details: object,
    now: number,
  ): void {
    this.#log.fault(`${event} ${node.id}`, level, event, text, details, now);
  }
}

function threadName(threadId: number | null): string {
  if (threadId === null) return 'a thread that reads a consumer';
  return threadId === 0 ? 'the main thread' : `thread ${threadId}`;
}

/** Unexpected errors are wrapped in the base class, not in a subclass. */
function isUnexpected(error: object): boolean {
  return error.constructor === KafkaClientError;
}

function attemptKey(node: ReportedNode): string {
  return `attempt ${node.id}`;
}

// Owns what is reported of single requests: their metrics, and a debug record of each. Network thread. Unless somebody wants debug
// records, a request costs one comparison here besides its metrics. Must only report: no decision may depend on it.

import { KafkaClientError } from '../../common/errors/errors.ts';
import type { RequestFacts } from '../../common/logger.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics-recorder.ts';

/** A request whose frame is known. */
export interface ReportedRequest {
  readonly codec: { readonly name: string; readonly apiKey: number };
  readonly version: number;
  readonly nodeId: number;
  /** ms on the monotonic clock. */
  readonly sentAt: number;
  requestBytes: number;
}

/** The part of a node that is needed here. */
interface MeasuredNode {
  readonly metricsRow: number;
}

export class RequestReport {
  readonly #metrics: Metrics;
  readonly #log: Log;

  constructor(metrics: Metrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** The request's frame is in the send queue. `byteCount` includes the size prefix. */
  sent({ metricsRow }: MeasuredNode, request: ReportedRequest, byteCount: number): void {
    request.requestBytes = byteCount;
    this.#metrics.requestSent(metricsRow, byteCount, request.codec.apiKey);
  }

  answered({ metricsRow }: MeasuredNode, request: ReportedRequest, byteCount: number, now: number): void {
    this.#metrics.responseReceived(metricsRow, byteCount, now - request.sentAt, request.codec.apiKey);
    if (this.#log.isDebug) this.#tell(request, byteCount, null, now);
  }

  /** The socket has a request that gets no response. */
  handedOver(request: ReportedRequest, now: number): void {
    if (this.#log.isDebug) this.#tell(request, 0, null, now);
  }

  /** The request was taken for a connection, and got no response. */
  failed(request: ReportedRequest, error: Error, now: number): void {
    this.#metrics.apiFailed(request.codec.apiKey);
    if (this.#log.isDebug) this.#tell(request, 0, error, now);
  }

  #tell(request: ReportedRequest, responseBytes: number, error: Error | null, now: number): void {
    const { codec, version, nodeId, requestBytes } = request;
    const latencyMs = Math.round((now - request.sentAt) * 1000) / 1000;
    const facts: RequestFacts = {
      api: codec.name,
      apiKey: codec.apiKey,
      apiVersion: version,
      requestBytes,
      responseBytes,
      latencyMs,
    };
    const end =
      error === null ? `${responseBytes} bytes in, ${latencyMs} ms` : `${codeOf(error)} after ${latencyMs} ms`;
    const text = `${codec.name} v${version} to node ${nodeId}: ${requestBytes} bytes out, ${end}`;
    this.#log.request(text, facts, nodeId, error);
  }
}

function codeOf(error: Error): string {
  return error instanceof KafkaClientError ? error.code : error.name;
}

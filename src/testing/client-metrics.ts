// Owns what an embedded cluster wants of its clients' metrics (KIP-714), and what they have pushed. Runs in the broker's thread. It has no
// quota: clients may ask and push as often as they like.

import { ByteArena } from '../codec/byte-arena.ts';
import { decompress, prepareCodecs } from '../codec/index.ts';
import type { GetTelemetrySubscriptionsResponse } from '../protocol/flat/generated/get-telemetry-subscriptions.ts';
import type { PushTelemetryRequestView } from '../protocol/flat/generated/push-telemetry.ts';
import { zeroUuid } from '../protocol/flat/uuid.ts';
import { errorCodes } from './error-codes.ts';
import { someBytes } from './node-modules.ts';
import type { ClientMetricsOptions } from './options.ts';

/** A push as it came, but for the compression. */
export interface PushedMetrics {
  /** 22 characters of base64url. */
  readonly clientInstanceId: string;
  readonly clientId: string | null;
  readonly nodeId: number;
  readonly subscriptionId: number;
  /** Whether it is the client's last one. */
  readonly isTerminating: boolean;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly compressionType: number;
  /** OpenTelemetry's MetricsData in protobuf. */
  readonly metrics: Uint8Array;
}

const maxKeptPushes = 1000;
const maxPlainBytes = 16 * 1024 * 1024;

/** Those of real brokers. */
const defaults: Required<ClientMetricsOptions> = {
  metrics: ['*'],
  intervalMs: 300_000,
  isDelta: true,
  compressionTypes: [4, 3, 1, 2],
  maxBytes: 1_048_576,
};

export class ClientMetrics {
  #wanted: Required<ClientMetricsOptions>;
  #subscriptionId = 1;
  readonly #known = new Set<string>();
  readonly #ended = new Set<string>();
  #pushes: PushedMetrics[] = [];

  constructor(options: ClientMetricsOptions) {
    this.#wanted = { ...defaults, ...options };
  }

  /** From now on, clients that push are told to ask again. */
  change(options: ClientMetricsOptions): void {
    this.#wanted = { ...this.#wanted, ...options };
    this.#subscriptionId++;
  }

  /** The last pushes that were accepted, oldest first. */
  get pushes(): readonly PushedMetrics[] {
    return this.#pushes.slice(-maxKeptPushes);
  }

  /** @param given all zero: the client has no id yet */
  subscribe(given: string): GetTelemetrySubscriptionsResponse {
    const clientInstanceId = given === zeroUuid ? someBytes(16).toString('base64url') : given;
    this.#known.add(clientInstanceId);
    const { metrics, intervalMs, isDelta, compressionTypes, maxBytes } = this.#wanted;
    return {
      errorCode: errorCodes.NONE,
      clientInstanceId,
      subscriptionId: this.#subscriptionId,
      acceptedCompressionTypes: compressionTypes,
      pushIntervalMs: intervalMs,
      telemetryMaxBytes: maxBytes,
      deltaTemporality: isDelta,
      requestedMetrics: metrics,
    };
  }

  /** @returns the error code of the answer */
  async push(request: PushTelemetryRequestView, nodeId: number, clientId: string | null): Promise<number> {
    const { clientInstanceId, subscriptionId, terminating, compressionType, metrics } = request;
    if (!this.#known.has(clientInstanceId) || this.#ended.has(clientInstanceId)) return errorCodes.INVALID_REQUEST;
    if (terminating) this.#ended.add(clientInstanceId);
    if (subscriptionId !== this.#subscriptionId) return errorCodes.UNKNOWN_SUBSCRIPTION_ID;
    const { compressionTypes, maxBytes } = this.#wanted;
    if (compressionType !== 0 && !compressionTypes.includes(compressionType))
      return errorCodes.UNSUPPORTED_COMPRESSION_TYPE;
    if (metrics.byteLength > maxBytes) return errorCodes.TELEMETRY_TOO_LARGE;
    const plain = await plainBytes(compressionType, metrics);
    const isTerminating = terminating;
    this.#pushes.push({
      clientInstanceId,
      clientId,
      nodeId,
      subscriptionId,
      isTerminating,
      compressionType,
      metrics: plain,
    });
    if (this.#pushes.length >= 2 * maxKeptPushes) this.#pushes = [...this.pushes];
    return errorCodes.NONE;
  }
}

async function plainBytes(compressionType: number, bytes: Uint8Array): Promise<Uint8Array> {
  if (compressionType === 0) return Uint8Array.from(bytes);
  await prepareCodecs();
  const arena = new ByteArena();
  arena.reset(maxPlainBytes);
  decompress(compressionType, bytes, 0, bytes.byteLength, arena);
  return arena.bytes.slice(0, arena.length);
}

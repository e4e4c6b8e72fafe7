// Owns what a pushing producer needs in a test: brokers that answer as the test says, a clock, and recorded numbers. Test thread.

import assert from 'node:assert/strict';
import type { Api } from '../../../../../src/protocol/flat/api.ts';
import { GetTelemetrySubscriptions, PushTelemetry } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { GetTelemetrySubscriptionsResponse } from '../../../../../src/protocol/flat/generated/get-telemetry-subscriptions.ts';
import type { PushTelemetryRequest } from '../../../../../src/protocol/flat/generated/push-telemetry.ts';
import type { BrokerRequest } from '../../../../../src/worker/client/broker-requests.ts';
import type { RoleHost } from '../../../../../src/worker/client/role.ts';
import { ProducerMeasures } from '../../../../../src/worker/link/producer-measures.ts';
import { Metrics } from '../../../../../src/worker/report/metrics-recorder.ts';
import { ConnectionNumbers } from '../../../../../src/worker/telemetry/connection-numbers.ts';
import { Reporter } from '../../../../../src/worker/telemetry/reporter.ts';
import { type ReadMetrics, readMetrics } from '../../../../helpers/otlp-reader.ts';
import { responseView } from '../../../protocol/support/response-view.ts';

export const instanceId = Buffer.from('a client instance').toString('base64url').slice(0, 21).concat('A');
export const intervalMs = 10_000;

/** What a broker wants if the test does not say otherwise. */
export const wanted: GetTelemetrySubscriptionsResponse = {
  clientInstanceId: instanceId,
  subscriptionId: 7,
  acceptedCompressionTypes: [],
  pushIntervalMs: intervalMs,
  telemetryMaxBytes: 1_048_576,
  deltaTemporality: false,
  requestedMetrics: ['*'],
};

export class TelemetryBench {
  now = 1000;
  /** Ids of all brokers; those that take metrics; those that are connected. All have said so. */
  brokers = [1];
  taking = new Set([1]);
  connected = new Set([1]);
  /** Those of them that have not said yet what they take. */
  unheard = new Set<number>();
  random = 0.5;
  readonly waiting: BrokerRequest[] = [];
  readonly flushed: number[] = [];
  readonly log: string[] = [];
  /** Brokers to which a connection was begun. */
  readonly dialled: number[] = [];
  readonly ids: string[] = [];
  onInstanceId = (id: string): void => void this.ids.push(id);
  /** What the reporter has thrown when an answer came. */
  readonly faults: unknown[] = [];
  readonly measures = new ProducerMeasures({ transactionalId: 'tx', clientRack: 'r1' }, null, this.now);
  readonly metrics = new Metrics(null, 0);
  readonly host = this.#newHost();
  readonly reporter: Reporter;

  constructor() {
    this.reporter = new Reporter(
      {
        host: this.host,
        source: this.measures,
        connections: new ConnectionNumbers(this.metrics, () => [], 16),
        log: { write: (level, event, message) => void this.log.push(`${level} ${event}: ${message}`) },
        requestTimeoutMs: 30_000,
        onInstanceId: (id) => this.onInstanceId(id),
        onFault: (error) => void this.faults.push(error),
      },
      this.now,
    );
    this.reporter.poll(this.now);
  }

  /** Moves the clock by way of every deadline. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let round = 0; this.reporter.nextDeadline() <= until; round++) {
      assert.ok(round < 1000, 'deadlines without end');
      this.now = Math.max(this.now, this.reporter.nextDeadline());
      this.reporter.poll(this.now);
    }
    this.now = until;
    this.reporter.poll(this.now);
  }

  /** Answers the question for what is wanted. Returns the id that was told. */
  subscribe(answer: GetTelemetrySubscriptionsResponse = {}): string {
    const { request } = this.answer(GetTelemetrySubscriptions, { ...wanted, ...answer });
    return (request as { clientInstanceId: string }).clientInstanceId;
  }

  /** Answers a push. Returns it, and what it says. */
  takePush(errorCode = 0): PushTelemetryRequest & { readonly said: ReadMetrics } {
    const request = this.answer(PushTelemetry, { errorCode }).request as PushTelemetryRequest;
    return {
      ...request,
      said: request.compressionType === 0 ? readMetrics(request.metrics) : { resource: {}, metrics: [] },
    };
  }

  answer<Request, Response, Data>(api: Api<Request, Response, Data>, data: Data): BrokerRequest {
    const request = this.#take(api);
    request.onResponse(responseView(api as unknown as Api<never, Response, Data>, data), 0, this.now, () => {});
    this.reporter.poll(this.now);
    return request;
  }

  fail(api: { readonly key: number }): void {
    this.#take(api).onFailure(new Error('the connection was lost'), this.now);
    this.reporter.poll(this.now);
  }

  /** The names of the APIs whose requests wait. */
  get asked(): string[] {
    return this.waiting.map(({ api, to }) => `${api.name} to ${to.brokerId}`);
  }

  #take(api: { readonly key: number }): BrokerRequest {
    const at = this.waiting.findIndex((request) => request.api.key === api.key);
    assert.ok(at >= 0, `API ${api.key} was not asked, only: ${this.asked.join(', ')}`);
    return this.waiting.splice(at, 1)[0]!;
  }

  #newHost(): RoleHost {
    const requests: Partial<RoleHost['requests']> = {
      readyAt: ({ brokerId }, now) => (this.connected.has(brokerId) ? now : Number.POSITIVE_INFINITY),
      isReady: ({ brokerId }) => {
        if (!this.connected.has(brokerId)) this.dialled.push(brokerId);
        return this.connected.has(brokerId);
      },
      versionRange: (brokerId, { key }) => {
        const hasApi = !this.unheard.has(brokerId) && (key === 18 || this.taking.has(brokerId));
        return hasApi ? { min: 0, max: 0 } : null;
      },
      send: (request) => void this.waiting.push(request as unknown as BrokerRequest),
      flush: ({ brokerId }) => void this.flushed.push(brokerId),
    };
    const bench = this;
    const cluster = {
      get brokers() {
        return new Map(bench.brokers.map((id) => [id, { id, host: 'h', port: id, rack: null }]));
      },
    };
    return {
      requests: requests as RoleHost['requests'],
      cluster: cluster as unknown as RoleHost['cluster'],
      wake: () => {},
      random: () => this.random,
      wallClock: () => 1_700_000_000_000 + this.now,
    };
  }
}

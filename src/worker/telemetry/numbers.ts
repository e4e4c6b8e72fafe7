// Owns the names under which numbers are pushed, and their reading: those of Kafka's own producer and consumer, and of no others. Network
// thread. Must not send anything. Source: KIP-714 (the names that every client has) and the names of Kafka's Java clients.

import { ConsumerTimes, consumerSlotOf } from '../../state/consumer-metrics.ts';
import { type ConsumerContext, consumerMetrics, partitionMetrics } from '../../state/definitions/consumer.ts';
import type { Metric } from '../../state/definitions/metric.ts';
import { type ProducerContext, producerMetrics } from '../../state/definitions/producer.ts';
import { producerSlotOf } from '../../state/producer-metrics.ts';
import { MetricsReader, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { readTopicNames } from '../../state/topic-rows.ts';
import type { ConnectionNumbers } from './connection-numbers.ts';
import type { PushedMetric, PushedPoint } from './otlp.ts';
import type { Attributes, ConsumerSource, ProducerSource, PushSource } from './source.ts';
import type { Subscription } from './subscription.ts';

const domain = 'org.apache.kafka';
/** The lanes whose brokers' latencies are those of a producer or consumer. */
const producerLanes: readonly string[] = ['produce', 'txn'];
const consumerLanes: readonly string[] = ['fetch', 'fetch-2', 'group'];

/** Names that Kafka's own clients do not have. */
const ownNames: ReadonlySet<string> = new Set([
  'produce-request-rate',
  'produce-request-total',
  'records-per-batch-avg',
  'prefetched-bytes',
  'failed-commit-total',
  'rebalance-rate',
  'failed-rebalance-rate',
]);
/** Names that Kafka's own clients have for topics and partitions only. */
const neverInSum: ReadonlySet<string> = new Set(['byte-rate', 'byte-total', 'records-lag']);

/** Kafka's producer has another name for this one of a topic. */
const ofProducerTopics = producerMetrics
  .filter(({ scope }) => scope === 'both')
  .map((metric) => (metric.name === 'compression-rate-avg' ? { ...metric, name: 'compression-rate' } : metric));
const ofConsumerTopics = consumerMetrics.filter(({ scope }) => scope === 'both');

/** Where Kafka's consumer has a name; it has all others with the manager of its fetches. */
const ofPolls = /^(time-between-poll|last-poll|poll-idle|committed-time)-/;
const ofCoordinator =
  /^(commit|assigned|heartbeat|last-heartbeat|join|sync|rebalance|failed-rebalance|last-rebalance)-/;

const ofFetches = 'consumer.fetch.manager';

/** How many partitions of a consumer are told one by one. Sums and extremes are of all. */
const maxPartitions = 1000;

interface Named {
  readonly kind: PushedMetric['kind'];
  readonly points: PushedPoint[];
}

/** A growing list of numbers of one moment, without those that nobody wants. */
class Numbers {
  readonly #wants: Subscription['wants'];
  /** Null: nobody wants that name. */
  readonly #byName = new Map<string, Named | null>();
  /** Wall clock less monotonic clock, ms. */
  readonly #wallAheadMs: number;

  constructor(wants: Subscription['wants'], wallAheadMs: number) {
    this.#wants = wants;
    this.#wallAheadMs = wallAheadMs;
  }

  /** @param name with hyphens; @param since of a total, ms on the monotonic clock */
  add(
    group: string,
    name: string,
    kind: PushedMetric['kind'],
    read: () => number,
    since: number,
    attributes: Attributes = [],
  ): void {
    const full = `${domain}.${group}.${name.replaceAll('-', '.')}`;
    let named = this.#byName.get(full);
    if (named === undefined) {
      named = this.#wants(full) ? { kind, points: [] } : null;
      this.#byName.set(full, named);
    }
    named?.points.push({ value: read(), attributes, startMs: since + this.#wallAheadMs });
  }

  /** Metrics of one scope, each with a group of its own. */
  addAll<Context>(
    metrics: readonly Metric<Context>[],
    groupOf: (name: string) => string | null,
    context: Context,
    since: number,
    attributes?: Attributes,
  ): void {
    for (const { name, kind, read } of metrics) {
      const group = ownNames.has(name) ? null : groupOf(name);
      if (group !== null) this.add(group, name, kind, () => read(context), since, attributes);
    }
  }

  get list(): PushedMetric[] {
    return [...this.#byName].flatMap(([name, named]) => (named === null ? [] : [{ name, ...named }]));
  }
}

/** The numbers of a producer or consumer that are wanted, those first that every client has. Totals are since the start. */
export function readNumbers(
  source: PushSource,
  connections: ConnectionNumbers,
  wants: Subscription['wants'],
  { now, wallNow }: { readonly now: number; readonly wallNow: number },
): PushedMetric[] {
  const numbers = new Numbers(wants, wallNow - now);
  const { kind } = source;
  numbers.add(kind, 'connection-creation-total', 'total', () => connections.created, connections.since);
  numbers.add(kind, 'connection-creation-rate', 'gauge', () => connections.createdPerSecond(now), now);
  for (const { brokerId, average, greatest } of connections.latencies(
    kind === 'producer' ? producerLanes : consumerLanes,
    now,
  )) {
    const node: Attributes = [['node_id', `node-${brokerId}`]];
    numbers.add(`${kind}.node`, 'request-latency-avg', 'gauge', () => average, now, node);
    numbers.add(`${kind}.node`, 'request-latency-max', 'gauge', () => greatest, now, node);
  }
  if (source.kind === 'producer') addProducer(numbers, source, now);
  else addConsumer(numbers, source, now);
  return numbers.list;
}

function addProducer(numbers: Numbers, source: ProducerSource, now: number): void {
  const { memory, since } = source.measure(now);
  const topics = readTopicNames(memory.topics);
  const reader = new MetricsReader(memory.values, producerSlotOf);
  const [sums, ...rows] = reader.read([TOTALS_ROW, ...topics.map((_, index) => index + 1)], now);
  const sum: ProducerContext = { row: sums!, now };
  numbers.addAll(producerMetrics, (name) => (neverInSum.has(name) ? null : 'producer'), sum, since);
  for (const [index, topic] of topics.entries()) {
    const context = { row: rows[index]!, now };
    numbers.addAll(ofProducerTopics, () => 'producer.topic', context, since, [['topic', topic]]);
  }
}

function addConsumer(numbers: Numbers, source: ConsumerSource, now: number): void {
  const { memory, since } = source.measure(now);
  const topics = readTopicNames(memory.topics);
  const reader = new MetricsReader(memory.values, consumerSlotOf);
  const [sums, ...rows] = reader.read([TOTALS_ROW, ...topics.map((_, index) => index + 1)], now);
  const partitions = source.partitions();
  const sum: ConsumerContext = { row: sums!, times: new ConsumerTimes(memory.times), partitions, now };
  const inGroup = (name: string): string | null =>
    neverInSum.has(name) ? null : consumerGroupOf(name, source.hasGroup);
  numbers.addAll(consumerMetrics, inGroup, sum, since);
  for (const [index, topic] of topics.entries()) {
    numbers.addAll(ofConsumerTopics, () => ofFetches, { ...sum, row: rows[index]! }, since, [['topic', topic]]);
  }
  for (const partition of partitions.slice(0, maxPartitions)) {
    const place: Attributes = [
      ['topic', partition.topic],
      ['partition', String(partition.partition)],
    ];
    numbers.addAll(partitionMetrics, () => ofFetches, partition, since, place);
  }
}

/** Null: a consumer without a group has no such number. */
function consumerGroupOf(name: string, hasGroup: boolean): string | null {
  if (ofPolls.test(name)) return 'consumer';
  if (!ofCoordinator.test(name)) return ofFetches;
  return hasGroup ? 'consumer.coordinator' : null;
}

// Owns the interface of the embedded broker, a Kafka cluster of a few nodes on TCP for tests, benchmarks and the main job. Tests can
// script faults. Each file in testing/apis tells at its top what that API does. Each partition has one log, which all replicas
// share. Groups of both protocols, transactions and fetch sessions work as in Kafka 4.3, with timeouts on a clock that tests move
// (`advanceTime`). The same tests of facts (test/helpers/broker-facts) run against it and against real brokers.
//
// It uses the client's own generated codecs. So it proves nothing about the wire format: nobody would notice here a codec that is
// wrong in both directions. Golden vectors and real brokers prove the format.

import { actionNames, type BrokerActions, type EmbeddedBroker } from './actions.ts';
import { BrokerCluster } from './broker-cluster.ts';
import { addConveniences } from './conveniences.ts';
import type { EmbeddedBrokerOptions } from './options.ts';
import { ThreadedBroker } from './threaded-broker.ts';

export type {
  ApiLike,
  ArrivedRequest,
  BrokerActions,
  BrokerStats,
  DecideFunction,
  EmbeddedBroker,
  FillOptions,
  GroupDescription,
  LogDescription,
  ModuleRule,
  NodeDescription,
  RuleHandle,
} from './actions.ts';
export { asCompacted, buildBatch } from './batch-builder.ts';
export type { PushedMetrics } from './client-metrics.ts';
export type { ControlledRequest, Decide, RuleOptions } from './control.ts';
export { errorCodes } from './error-codes.ts';
export type {
  ClientMetricsOptions,
  EmbeddedBrokerOptions,
  GroupOptions,
  NodeOptions,
  TlsSettings,
  TopicOptions,
  VersionRange,
} from './options.ts';
export type { Reply, WireFault } from './reply.ts';
export type { TransactionDescription } from './transactions/transaction-coordinator.ts';

/** A cluster in a thread of its own, so that neither a blocked test thread nor its garbage collector slows it. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  return addConveniences(await ThreadedBroker.start(options));
}

/** A cluster in this thread: quicker to start, and functions decide without a message in between. */
export async function startEmbeddedBrokerInProcess(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const cluster = await BrokerCluster.start(options);
  const actions = Object.fromEntries(
    actionNames.map((name) => [name, (cluster[name] as (...args: never[]) => unknown).bind(cluster)]),
  ) as unknown as BrokerActions;
  return addConveniences({
    actions,
    nodes: await cluster.describeNodes(),
    addFunctionRule: async (apiKey, decide, ruleOptions) => cluster.rules.add(apiKey, decide, ruleOptions),
    close: () => cluster.close(),
  });
}

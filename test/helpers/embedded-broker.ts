// Owns the public face of the embedded broker: a real TCP Kafka cluster of a few nodes, for tests, benchmarks and the
// main job, scripted where a test wants faults. What each API does is written at the top of its file in
// embedded-broker/apis. It has one log for each partition, which all replicas share; groups of both protocols,
// transactions and fetch sessions are those of Kafka 4.3, with time-outs on a clock that tests move (`advanceTime`). The
// facts in broker-facts are asked of it and of real brokers.
//
// It speaks with the client's own generated codecs, so it proves nothing about the wire format: a codec wrong in both
// directions would go unnoticed here. Golden vectors and real brokers are what prove that.

import { actionNames, type BrokerActions, type EmbeddedBroker } from './embedded-broker/actions.ts';
import { addConveniences } from './embedded-broker/conveniences.ts';
import { EmbeddedCluster } from './embedded-broker/embedded-cluster.ts';
import type { EmbeddedBrokerOptions } from './embedded-broker/options.ts';
import { ThreadedBroker } from './embedded-broker/threaded-broker.ts';

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
} from './embedded-broker/actions.ts';
export { asCompacted, buildBatch } from './embedded-broker/batch-builder.ts';
export type { ControlledRequest, Decide, RuleOptions } from './embedded-broker/control.ts';
export { errorCodes } from './embedded-broker/error-codes.ts';
export type {
  EmbeddedBrokerOptions,
  GroupOptions,
  NodeOptions,
  TlsSettings,
  TopicOptions,
  VersionRange,
} from './embedded-broker/options.ts';
export type { Reply, WireFault } from './embedded-broker/reply.ts';
export type { TransactionDescription } from './embedded-broker/transactions/transaction-coordinator.ts';

/** A cluster in a thread of its own, so that neither a blocked test thread nor its garbage collector slows it. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  return addConveniences(await ThreadedBroker.start(options));
}

/** A cluster in this thread: quicker to start, and functions decide without a message in between. */
export async function startEmbeddedBrokerInProcess(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const cluster = await EmbeddedCluster.start(options);
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

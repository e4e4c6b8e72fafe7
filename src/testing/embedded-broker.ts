// Owns the public face of the embedded broker: a real TCP Kafka cluster of a few nodes, for tests, benchmarks and the
// main job, scripted where a test wants faults. What each API does is written at the top of its file in
// embedded-broker/apis. It has one log for each partition, which all replicas share; groups of both protocols,
// transactions and fetch sessions are those of Kafka 4.3, with time-outs on a clock that tests move (`advanceTime`). The
// facts in broker-facts are asked of it and of real brokers.
//
// It speaks with the client's own generated codecs, so it proves nothing about the wire format: a codec wrong in both
// directions would go unnoticed here. Golden vectors and real brokers are what prove that.

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
export type { ControlledRequest, Decide, RuleOptions } from './control.ts';
export { errorCodes } from './error-codes.ts';
export type {
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

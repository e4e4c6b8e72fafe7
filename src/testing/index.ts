// Owns the public names of `offthread-kafka/testing`: a cluster of Kafka brokers in a thread, for the tests of applications. The thread
// of the test. Must not be loaded by the main entry.

import { errorCodes } from '../common/errors/generated/error-codes.ts';
import type { ApiLike, EmbeddedBroker, RuleHandle } from './actions.ts';
import type { RuleOptions } from './control.ts';
import { addConveniences } from './conveniences.ts';
import type { EmbeddedBrokerOptions, NodeOptions } from './options.ts';
import { ThreadedBroker } from './threaded-broker.ts';

export { errorCodes } from '../common/errors/generated/error-codes.ts';
export type {
  ApiLike,
  ArrivedRequest,
  BrokerActions,
  BrokerStats,
  DecideFunction,
  FillOptions,
  GroupDescription,
  LogDescription,
  ModuleRule,
  NodeDescription,
  RuleHandle,
} from './actions.ts';
export type { PushedMetrics } from './client-metrics.ts';
export type { ControlledRequest, Decide, RuleOptions } from './control.ts';
export type {
  ClientMetricsOptions,
  GroupOptions,
  NodeOptions,
  TlsSettings,
  TopicOptions,
  VersionRange,
} from './options.ts';
export type { Reply, WireFault } from './reply.ts';
export type { TransactionDescription } from './transactions/transaction-coordinator.ts';

/** Kafka's name of an error code, such as `NOT_LEADER_OR_FOLLOWER`. */
export type ErrorCodeName = keyof typeof errorCodes;

export interface EmbeddedClusterOptions extends Omit<EmbeddedBrokerOptions, 'nodes'> {
  /** How many, with ids from 0, or each broker by itself. Default 1. The first is the controller. */
  readonly brokers?: number | readonly NodeOptions[] | undefined;
}

/** A cluster that has started. Every call is answered by its thread. */
export interface EmbeddedCluster extends Omit<EmbeddedBroker, 'fail'>, AsyncDisposable {
  /**
   * The next `times` requests of that API are answered with the error, and not handled.
   * @param api    such as `Produce`, or its key
   * @param error  Kafka's name or number of the error
   * @param times  default 1
   */
  fail(api: ApiLike, error: ErrorCodeName | number, times?: number, options?: RuleOptions): Promise<RuleHandle>;
}

export const EmbeddedCluster = {
  /**
   * Starts a cluster in a thread of its own, on free ports of loopback. Resolves when every broker listens and every topic is there.
   * Close it at the end of the test: `close()`, or `await using`. It does not keep the process alive.
   */
  async start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const { brokers, ...others } = options;
    const thread = await ThreadedBroker.start({ ...others, ...(brokers !== undefined && { nodes: brokers }) });
    const broker = addConveniences(thread);
    return {
      ...broker,
      fail: (api, error, times, ruleOptions) => broker.fail(api, codeOf(error), times, ruleOptions),
      [Symbol.asyncDispose]: () => broker.close(),
    };
  },
};

function codeOf(error: ErrorCodeName | number): number {
  if (typeof error === 'number') return error;
  const code: number | undefined = errorCodes[error];
  if (code === undefined) throw new TypeError(`no error of Kafka has the name ${String(error)}`);
  return code;
}

// Owns the interface of an embedded broker to tests. It is the same in this thread and in a thread of its own, so everything returns
// promises. Types only, except the list of actions that cross threads.

import type { RecordsInput } from '../protocol/flat/records/record-writer.ts';
import type { PushedMetrics } from './client-metrics.ts';
import type { ControlledRequest, RuleOptions } from './control.ts';
import type { ClientMetricsOptions, TopicOptions } from './options.ts';
import type { Reply } from './reply.ts';
import type { TransactionDescription } from './transactions/transaction-coordinator.ts';

export interface NodeDescription {
  readonly id: number;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  readonly isListening: boolean;
}

/** A request that has arrived. It may be handled already or not. */
export interface ArrivedRequest {
  readonly nodeId: number;
  readonly connectionId: number;
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
}

export interface BrokerStats {
  /** Counts since the start, for all nodes together. */
  readonly acceptedConnections: number;
  readonly openConnections: number;
  /** Open connections by node id. */
  readonly openByNode: Readonly<Record<number, number>>;
  /** Requests that have arrived, by API key. */
  readonly requests: Readonly<Record<number, number>>;
  /** The same by node id, then API key. */
  readonly requestsByNode: Readonly<Record<number, Readonly<Record<number, number>>>>;
  /** Bytes from clients that a broker does not accept, oldest first, at most 1000. */
  readonly refusals: readonly string[];
}

export interface LogDescription {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly batches: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface GroupDescription {
  readonly kind: 'classic' | 'consumer' | 'none';
  readonly state: string;
  /** Generation of a classic group, else the group's epoch. */
  readonly epoch: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly epoch: number;
    /** "topic/partition", sorted. Empty for classic members, because only they can read their assignments. */
    readonly partitions: readonly string[];
  }[];
}

/** Records to fill a partition with before a benchmark or the main job. */
export interface FillOptions {
  readonly topic: string;
  readonly partition?: number;
  readonly records: number;
  /** Bytes of each value, default 100; of each key, default 8, or -1 for null. */
  readonly valueBytes?: number;
  readonly keyBytes?: number;
  /** Default 1000. */
  readonly recordsPerBatch?: number;
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

/** What tests can do to the cluster. Arguments and results cross threads as data. */
export interface BrokerActions {
  createTopic(name: string, options?: TopicOptions): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /** 22 characters of base64url. */
  topicId(name: string): Promise<string>;
  /**
   * Appends records as Produce does. Rules, producers and transactions do not apply. Returns the base offset. Throws an error
   * for records that Produce would refuse. Batches with gaps, as compaction leaves them, are allowed (`asCompacted`).
   */
  append(topic: string, partition: number, records: RecordsInput): Promise<number>;
  /** Ends a producer's open transaction in the partition with a marker of that epoch. The coordinator is not asked. */
  appendMarker(
    topic: string,
    partition: number,
    marker: { readonly producerId: number; readonly producerEpoch: number; readonly isCommit: boolean },
  ): Promise<void>;
  /** Returns the number of batches. */
  fill(options: FillOptions): Promise<number>;
  /** The stored bytes, with their offsets and epochs. */
  contents(topic: string, partition: number): Promise<Uint8Array>;
  log(topic: string, partition: number): Promise<LogDescription>;
  /** Removes records as retention and DeleteRecords do. */
  truncateBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** -1 for no leader. The node becomes a replica if it is not one yet. */
  moveLeader(topic: string, partition: number, nodeId: number): Promise<void>;
  /** -1 for none. */
  setController(nodeId: number): Promise<void>;
  /** From now on that node is the coordinator of the group or the transactional id, until it stops. */
  moveCoordinator(kind: 'group' | 'transaction', key: string, nodeId: number): Promise<void>;
  /** Acts like an unclean election: the leader goes on in a new epoch, and its log ends at `offset` or a little below. */
  truncateLog(topic: string, partition: number, offset: number): Promise<void>;

  /** Joins and listens. The id must be new. */
  addNode(id: number, rack?: string | null): Promise<NodeDescription>;
  /** Acts like a killed broker that the others have noticed: its connections are reset and its leaders move. */
  removeNode(id: number): Promise<void>;
  /** The same as `removeNode`, but the node can come back on its port with its logs. Its fetch sessions and producer ids are lost. */
  killNode(id: number): Promise<void>;
  restartNode(id: number): Promise<void>;
  describeNodes(): Promise<NodeDescription[]>;
  /** The node refuses new connections. It stays in the metadata, and open connections stay. */
  stopListener(nodeId: number): Promise<void>;
  /** On the same port as before. */
  startListener(nodeId: number): Promise<void>;
  /** The address that metadata gives for a node from now on, for example that of a proxy. */
  advertise(nodeId: number, host: string, port: number): Promise<void>;
  /** Closes connections of one node, or of all nodes. Returns their number. */
  closeConnections(kind: 'close' | 'reset', nodeId?: number): Promise<number>;
  /** False: the node reads nothing, so that the send buffers of clients fill. */
  setReading(nodeId: number, isReading: boolean): Promise<void>;
  /** Replaces the versions of one API that are announced and accepted, for old and new connections. Null: the API does not exist. */
  setApiVersions(apiKey: number, range: readonly [number, number] | null): Promise<void>;

  /** Sets the level of a finalized feature, for example `transaction.version`. The epoch of the features grows. */
  setFeature(name: string, level: number): Promise<void>;
  /** Moves the broker's clock forward. Sessions, rebalances, transactions, waiting fetches and delays use this clock. */
  advanceTime(ms: number): Promise<void>;

  /** Removes the member as if its session were over. False if the group has no such member. */
  expelMember(groupId: string, memberId: string): Promise<boolean>;
  /** Null for an unknown group. */
  describeGroup(groupId: string): Promise<GroupDescription | null>;
  /** Null for none. */
  committedOffset(groupId: string, topic: string, partition: number): Promise<number | null>;
  /** Acts like another producer that starts with that transactional id, so that the former one is fenced. Returns the error code. */
  fenceProducer(transactionalId: string): Promise<number>;
  /** Null for an unknown transactional id. */
  describeTransaction(transactionalId: string): Promise<TransactionDescription | null>;

  /** The last metrics that clients have pushed, oldest first, at most 1000. Needs the option `clientMetrics`. */
  pushedMetrics(): Promise<PushedMetrics[]>;
  /** Changes what the brokers want of their clients' metrics: a client learns it at its next push. Needs the option `clientMetrics`. */
  setClientMetrics(options: ClientMetricsOptions): Promise<void>;

  /** Releases held requests. Returns their number. */
  release(gate: string): Promise<number>;
  /** How many requests are held. */
  held(gate: string): Promise<number>;
  addRule(apiKey: number, reply: Reply, options?: RuleOptions): Promise<number>;
  /** `module` exports, under `exportName`, a function from `args` to a `Decide`, which then runs in the broker's thread. */
  addModuleRule(apiKey: number, rule: ModuleRule, options?: RuleOptions): Promise<number>;
  removeRule(id: number): Promise<boolean>;
  clearRules(): Promise<void>;
  /** How many replies a rule has given. */
  ruleUses(id: number): Promise<number>;

  stats(): Promise<BrokerStats>;
  /** The last arrived requests, oldest first, at most 10000. */
  arrivedRequests(): Promise<ArrivedRequest[]>;
}

export interface ModuleRule {
  /** URL, as text. */
  readonly module: string;
  readonly exportName: string;
  /** Cross threads as data. */
  readonly args?: readonly unknown[];
}

/** Every action, for the calling thread. A test compares the list with the interface. */
export const actionNames = [
  'createTopic',
  'deleteTopic',
  'topicId',
  'append',
  'appendMarker',
  'fill',
  'contents',
  'log',
  'truncateBefore',
  'moveLeader',
  'setController',
  'moveCoordinator',
  'truncateLog',
  'addNode',
  'removeNode',
  'killNode',
  'restartNode',
  'describeNodes',
  'stopListener',
  'startListener',
  'advertise',
  'closeConnections',
  'setReading',
  'setApiVersions',
  'setFeature',
  'advanceTime',
  'expelMember',
  'describeGroup',
  'committedOffset',
  'fenceProducer',
  'describeTransaction',
  'pushedMetrics',
  'setClientMetrics',
  'release',
  'held',
  'addRule',
  'addModuleRule',
  'removeRule',
  'clearRules',
  'ruleUses',
  'stats',
  'arrivedRequests',
] as const satisfies readonly (keyof BrokerActions)[];

// Does not compile when an action is missing above.
type MissingAction = Exclude<keyof BrokerActions, (typeof actionNames)[number]>;
const noneMissing: MissingAction extends never ? true : MissingAction = true;
void noneMissing;

/** A rule that a test has made. */
export interface RuleHandle {
  readonly id: number;
  /** How many requests it has replied to. */
  uses(): Promise<number>;
  remove(): Promise<void>;
}

/** What a test's own function gets and returns. It may run in another thread than the broker. */
export type DecideFunction<Body = unknown> = (
  request: ControlledRequest<Body>,
) => Reply | undefined | Promise<Reply | undefined>;

/** An API by its object or its key. */
export type ApiLike = number | { readonly key: number };

export interface EmbeddedBroker extends BrokerActions {
  /** The nodes that it started with, in order, with their addresses. */
  readonly nodes: readonly NodeDescription[];
  /** "host:port" of these nodes, for the client. */
  readonly bootstrapServers: readonly string[];
  /** What happens to requests of that API from now on: always the same, or what a function decides for each request. */
  control<Body = unknown>(
    api: ApiLike,
    reply: Reply | DecideFunction<Body>,
    options?: RuleOptions,
  ): Promise<RuleHandle>;
  /** The next `times` requests of that API (default 1) are answered with the code, and not handled. */
  fail(api: ApiLike, errorCode: number, times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** Requests of that API are handled so much later, on the broker's clock. */
  delay(api: ApiLike, ms: number, times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** Requests of that API end the connection without an answer, before or after they are handled. */
  dropConnection(api: ApiLike, when: 'before' | 'after', times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** Resolves when so many requests wait at the gate. */
  waitForHeld(gate: string, count?: number): Promise<void>;
  /** Resolves when so many requests of that API have arrived since the start. */
  waitForRequests(api: ApiLike, count: number, nodeId?: number): Promise<void>;
  /** Resolves when so many connections are open in total or on one node. */
  waitForConnections(count: number, nodeId?: number): Promise<void>;
  /** Ends everything. Can be called again. Throws if the embedded broker itself or a rule has failed. */
  close(): Promise<void>;
}

// Owns the interface of an embedded broker to tests, the same whether it runs in this thread or in one of its own. Types
// only, but for the list of actions that cross threads. Everything answers with promises, so that either can stand in.

import type { RecordsInput } from '../protocol/flat/records/record-writer.ts';
import type { ControlledRequest, RuleOptions } from './control.ts';
import type { TopicOptions } from './options.ts';
import type { Reply } from './reply.ts';
import type { TransactionDescription } from './transactions/transaction-coordinator.ts';

export interface NodeDescription {
  readonly id: number;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  readonly isListening: boolean;
}

/** A request that has arrived, whether handled already or not. */
export interface ArrivedRequest {
  readonly nodeId: number;
  readonly connectionId: number;
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
}

export interface BrokerStats {
  /** Over all nodes, since the start. */
  readonly acceptedConnections: number;
  readonly openConnections: number;
  /** Open connections by node id. */
  readonly openByNode: Readonly<Record<number, number>>;
  /** Requests that have arrived, by API key. */
  readonly requests: Readonly<Record<number, number>>;
  /** The same by node id, then API key. */
  readonly requestsByNode: Readonly<Record<number, Readonly<Record<number, number>>>>;
  /** What clients sent that a broker does not accept, oldest first, at most 1000. */
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
    /** "topic/partition", sorted; empty for classic members, whose assignments only they can read. */
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
   * Appends as Produce does, past all rules, producers and transactions; returns the base offset. Throws what Produce
   * would refuse, but for batches with gaps, as compaction leaves them (`asCompacted`).
   */
  append(topic: string, partition: number, records: RecordsInput): Promise<number>;
  /** Ends what a producer has open in the partition, with a marker of that epoch, without the coordinator. */
  appendMarker(
    topic: string,
    partition: number,
    marker: { readonly producerId: number; readonly producerEpoch: number; readonly isCommit: boolean },
  ): Promise<void>;
  /** Returns the number of batches. */
  fill(options: FillOptions): Promise<number>;
  /** The stored bytes, offsets and epochs in them. */
  contents(topic: string, partition: number): Promise<Uint8Array>;
  log(topic: string, partition: number): Promise<LogDescription>;
  /** As retention and DeleteRecords do. */
  truncateBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** -1 for no leader. The node becomes a replica if it was none. */
  moveLeader(topic: string, partition: number, nodeId: number): Promise<void>;
  /** -1 for none. */
  setController(nodeId: number): Promise<void>;
  /** From now on that node answers for the group or the transactional id, as long as it lives. */
  moveCoordinator(kind: 'group' | 'transaction', key: string, nodeId: number): Promise<void>;
  /** As an unclean election: the leader goes on, in a new epoch, with a log that ends at `offset` or a little below. */
  truncateLog(topic: string, partition: number, offset: number): Promise<void>;

  /** Joins and listens. The id must be new. */
  addNode(id: number, rack?: string | null): Promise<NodeDescription>;
  /** Leaves at once, as a killed broker that the others have noticed: connections reset, leaders moved. */
  removeNode(id: number): Promise<void>;
  /** As `removeNode`, but it can come back: with its logs, on its port, without its fetch sessions and producer ids. */
  killNode(id: number): Promise<void>;
  restartNode(id: number): Promise<void>;
  describeNodes(): Promise<NodeDescription[]>;
  /** Refuses connections on the node, which stays in the metadata; open ones stay. */
  stopListener(nodeId: number): Promise<void>;
  /** On the same port as before. */
  startListener(nodeId: number): Promise<void>;
  /** What metadata say of a node from now on, e.g. a proxy's address. */
  advertise(nodeId: number, host: string, port: number): Promise<void>;
  /** Without a node: of all. Returns how many there were. */
  closeConnections(kind: 'close' | 'reset', nodeId?: number): Promise<number>;
  /** False: the node reads nothing, so that clients' send buffers fill. */
  setReading(nodeId: number, isReading: boolean): Promise<void>;
  /** Replaces what is announced and accepted for one API, for connections old and new; null for nothing. */
  setApiVersions(apiKey: number, range: readonly [number, number] | null): Promise<void>;

  /** Level of a finalized feature from now on, e.g. `transaction.version`; the epoch of the features grows. */
  setFeature(name: string, level: number): Promise<void>;
  /** Lets time pass on the broker's clock: sessions, rebalances, transactions, waiting fetches, delays. */
  advanceTime(ms: number): Promise<void>;

  /** Takes the member for lost, as when its session is over. False when the group has none of that id. */
  expelMember(groupId: string, memberId: string): Promise<boolean>;
  /** Null for a group that is unknown. */
  describeGroup(groupId: string): Promise<GroupDescription | null>;
  /** Null for none. */
  committedOffset(groupId: string, topic: string, partition: number): Promise<number | null>;
  /** As another producer of that transactional id that begins: the producer so far is fenced. Returns the error code. */
  fenceProducer(transactionalId: string): Promise<number>;
  /** Null for a transactional id that is unknown. */
  describeTransaction(transactionalId: string): Promise<TransactionDescription | null>;

  /** Lets held requests go; returns how many. */
  release(gate: string): Promise<number>;
  /** How many are held. */
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

/** Every action, for the caller's side of the thread; a test compares it with the interface. */
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

/** What the test's own function sees and says; it may run in another thread than the broker. */
export type DecideFunction<Body = unknown> = (
  request: ControlledRequest<Body>,
) => Reply | undefined | Promise<Reply | undefined>;

/** An API by its object or its key. */
export type ApiLike = number | { readonly key: number };

export interface EmbeddedBroker extends BrokerActions {
  /** The nodes it started with, in order, where they listen. */
  readonly nodes: readonly NodeDescription[];
  /** "host:port" of those, for the client. */
  readonly bootstrapServers: readonly string[];
  /** What happens to requests of that API from now on: always the same, or as the function decides request by request. */
  control<Body = unknown>(
    api: ApiLike,
    reply: Reply | DecideFunction<Body>,
    options?: RuleOptions,
  ): Promise<RuleHandle>;
  /** The next `times` requests of that API (default 1) are answered with the code, and not handled. */
  fail(api: ApiLike, errorCode: number, times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** They are handled so much later, on the broker's clock. */
  delay(api: ApiLike, ms: number, times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** They end the connection, before or after they are handled, without an answer. */
  dropConnection(api: ApiLike, when: 'before' | 'after', times?: number, options?: RuleOptions): Promise<RuleHandle>;
  /** Resolves when so many requests wait at the gate. */
  waitForHeld(gate: string, count?: number): Promise<void>;
  /** Resolves when so many requests of that API have arrived since the start. */
  waitForRequests(api: ApiLike, count: number, nodeId?: number): Promise<void>;
  /** Resolves when so many connections are open, at all or on one node. */
  waitForConnections(count: number, nodeId?: number): Promise<void>;
  /** Ends everything. Idempotent. Throws if the embedded broker itself, or a rule, has failed meanwhile. */
  close(): Promise<void>;
}

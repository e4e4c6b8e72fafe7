// Owns an embedded cluster in the thread that makes it: state, listeners, rules, and the actions of tests upon them.
// Usually that is the broker's own thread; unit tests may run it in theirs.

import type { RecordsInput } from '../protocol/flat/records/record-writer.ts';
import type {
  ArrivedRequest,
  BrokerActions,
  BrokerStats,
  FillOptions,
  GroupDescription,
  LogDescription,
  ModuleRule,
  NodeDescription,
} from './actions.ts';
import { announcedRanges } from './announced-ranges.ts';
import { buildBatch, builderProduceVersion, buildFillBatch } from './batch-builder.ts';
import { checkBatches } from './batches.ts';
import type { PushedMetrics } from './client-metrics.ts';
import { clusterDefaults } from './cluster-defaults.ts';
import { type ClusterNode, ClusterState, coordinatorKinds } from './cluster-state.ts';
import type { BrokerConnection, ConnectionHost } from './connection.ts';
import { Control, type Decide, type RuleOptions } from './control.ts';
import type { EarlyListener } from './early-listeners.ts';
import { errorCodes } from './error-codes.ts';
import { FetchSessions } from './fetch-sessions.ts';
import { describeGroup } from './groups/group-coordinator.ts';
import { NodeListener } from './node-listener.ts';
import type { EmbeddedBrokerOptions, NodeOptions, TopicOptions, VersionRange } from './options.ts';
import type { Reply } from './reply.ts';
import { ProducerIds } from './transactions/producer-ids.ts';
import type { TransactionDescription } from './transactions/transaction-coordinator.ts';

const defaultHost = '127.0.0.1';
const maxRefusals = 1000;
const maxArrived = 10_000;
/** Different batches that a fill repeats: enough that a wrong one shows, few enough to be made quickly. */
const fillVariants = 16;

export class BrokerCluster implements BrokerActions {
  readonly rules = new Control();
  readonly #options: EmbeddedBrokerOptions;
  readonly #state: ClusterState;
  readonly #listeners = new Map<number, NodeListener>();
  readonly #killed = new Map<number, ClusterNode>();
  readonly #ranges: Map<number, VersionRange>;
  readonly #requests = new Map<number, Map<number, number>>();
  readonly #refusals: string[] = [];
  readonly #errors: unknown[] = [];
  #arrived: ArrivedRequest[] = [];
  #acceptedConnections = 0;

  private constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#ranges = announcedRanges(options);
    this.#state = new ClusterState(clusterDefaults(options));
  }

  /**
   * Resolves when every node listens and every topic is there.
   * @param early listeners of the nodes that listen already, in their order
   */
  static async start(
    options: EmbeddedBrokerOptions = {},
    early: readonly EarlyListener[] = [],
  ): Promise<BrokerCluster> {
    const cluster = new BrokerCluster(options);
    const { nodes = 1, topics = {} } = options;
    const wanted = typeof nodes === 'number' ? Array.from({ length: nodes }, (_, id) => ({ id })) : nodes;
    try {
      for (const [i, node] of wanted.entries()) await cluster.#join(node, early[i]);
      for (const [name, topic] of Object.entries(topics)) {
        cluster.#state.createTopic(name, typeof topic === 'number' ? { partitions: topic } : topic);
      }
      for (const listener of cluster.#listeners.values()) listener.takeEarly();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  async createTopic(name: string, options?: TopicOptions): Promise<void> {
    this.#state.createTopic(name, options);
  }

  async deleteTopic(name: string): Promise<void> {
    this.#state.deleteTopic(name);
  }

  async topicId(name: string): Promise<string> {
    const topic = this.#state.topic(name);
    if (topic === undefined) throw new Error(`the cluster has no topic ${name}`);
    return topic.id;
  }

  async append(topic: string, partition: number, records: RecordsInput): Promise<number> {
    return this.#append(topic, partition, Buffer.from(records instanceof Uint8Array ? records : buildBatch(records)));
  }

  async appendMarker(
    topic: string,
    partition: number,
    marker: { readonly producerId: number; readonly producerEpoch: number; readonly isCommit: boolean },
  ): Promise<void> {
    const { log, leaderEpoch } = this.#state.partition(topic, partition);
    log.appendMarker(marker.producerId, marker.producerEpoch, marker.isCommit, leaderEpoch);
  }

  async fill(options: FillOptions): Promise<number> {
    const { topic, partition = 0, records, recordsPerBatch = 1000 } = options;
    const variants: Buffer[] = [];
    let batches = 0;
    for (let left = records; left > 0; left -= recordsPerBatch, batches++) {
      const count = Math.min(left, recordsPerBatch);
      const variant = batches % fillVariants;
      const batch = count === recordsPerBatch ? variants[variant] : undefined;
      const bytes = batch ?? buildFillBatch(options, count, batches * recordsPerBatch);
      if (count === recordsPerBatch) variants[variant] = bytes;
      this.#append(topic, partition, bytes);
    }
    return batches;
  }

  async contents(topic: string, partition: number): Promise<Uint8Array> {
    return this.#state.partition(topic, partition).log.contents();
  }

  async log(topic: string, partition: number): Promise<LogDescription> {
    const { log, leaderId, leaderEpoch } = this.#state.partition(topic, partition);
    return { startOffset: log.startOffset, endOffset: log.endOffset, batches: log.batchCount, leaderId, leaderEpoch };
  }

  async truncateBefore(topic: string, partition: number, offset: number): Promise<void> {
    this.#state.partition(topic, partition).log.truncateBefore(offset);
  }

  async moveLeader(topic: string, partition: number, nodeId: number): Promise<void> {
    this.#state.moveLeader(topic, partition, nodeId);
  }

  async setController(nodeId: number): Promise<void> {
    this.#state.controllerId = nodeId;
  }

  async moveCoordinator(kind: 'group' | 'transaction', key: string, nodeId: number): Promise<void> {
    this.#state.moveCoordinator(coordinatorKinds[kind], key, nodeId);
  }

  async truncateLog(topic: string, partition: number, offset: number): Promise<void> {
    const { log, leaderId } = this.#state.partition(topic, partition);
    log.truncateTo(offset);
    this.#state.moveLeader(topic, partition, leaderId);
  }

  async addNode(id: number, rack: string | null = null): Promise<NodeDescription> {
    await this.#join({ id, rack });
    return this.#describe(id);
  }

  async removeNode(id: number): Promise<void> {
    const listener = this.#listener(id);
    this.#state.removeNode(id);
    this.#listeners.delete(id);
    listener.stopListening();
    listener.closeConnections('reset');
  }

  async killNode(id: number): Promise<void> {
    const node = this.#state.node(id);
    const listener = this.#listener(id);
    this.#state.removeNode(id);
    this.#killed.set(id, node);
    listener.stopListening();
    listener.closeConnections('reset');
  }

  async restartNode(id: number): Promise<void> {
    const node = this.#killed.get(id);
    if (node === undefined) throw new Error(`node ${id} was not killed`);
    this.#killed.delete(id);
    node.sessions.clear();
    node.producerIds.restart();
    await this.#listener(id).listen();
    this.#state.addNode(node);
  }

  async describeNodes(): Promise<NodeDescription[]> {
    return this.#state.nodes.map(({ id }) => this.#describe(id));
  }

  async stopListener(nodeId: number): Promise<void> {
    this.#listener(nodeId).stopListening();
  }

  async startListener(nodeId: number): Promise<void> {
    await this.#listener(nodeId).listen();
  }

  async advertise(nodeId: number, host: string, port: number): Promise<void> {
    Object.assign(this.#state.node(nodeId), { host, port });
  }

  async closeConnections(kind: 'close' | 'reset', nodeId?: number): Promise<number> {
    const listeners = nodeId === undefined ? [...this.#listeners.values()] : [this.#listener(nodeId)];
    return listeners.reduce((sum, listener) => sum + listener.closeConnections(kind), 0);
  }

  async setReading(nodeId: number, isReading: boolean): Promise<void> {
    this.#listener(nodeId).setReading(isReading);
  }

  async setApiVersions(apiKey: number, range: readonly [number, number] | null): Promise<void> {
    this.#ranges.set(apiKey, range);
  }

  async setFeature(name: string, level: number): Promise<void> {
    this.#state.features.set(name, level);
  }

  async advanceTime(ms: number): Promise<void> {
    this.#state.clock.advance(ms);
  }

  async expelMember(groupId: string, memberId: string): Promise<boolean> {
    return this.#state.groups.expel(groupId, memberId);
  }

  async describeGroup(groupId: string): Promise<GroupDescription | null> {
    const group = this.#state.groups.find(groupId);
    return group === undefined ? null : describeGroup(group, (id) => this.#state.topicById(id)?.name ?? id);
  }

  async committedOffset(groupId: string, topic: string, partition: number): Promise<number | null> {
    return this.#state.groups.find(groupId)?.offsets.committed(topic, partition)?.offset ?? null;
  }

  async fenceProducer(transactionalId: string): Promise<number> {
    const result = this.#state.transactions.init(transactionalId, 60_000, null, () =>
      this.#state.producerIdBlocks.take(),
    );
    return 'producer' in result ? errorCodes.NONE : result.errorCode;
  }

  async describeTransaction(transactionalId: string): Promise<TransactionDescription | null> {
    return this.#state.transactions.describe(transactionalId);
  }

  async pushedMetrics(): Promise<PushedMetrics[]> {
    return [...(this.#state.clientMetrics?.pushes ?? [])];
  }

  async setClientMetrics(...[options]: Parameters<BrokerActions['setClientMetrics']>): Promise<void> {
    const { clientMetrics } = this.#state;
    if (clientMetrics === null) throw new Error('the cluster was started without clientMetrics');
    clientMetrics.change(options);
  }

  async release(gate: string): Promise<number> {
    return this.rules.release(gate);
  }

  async held(gate: string): Promise<number> {
    return this.rules.held(gate);
  }

  async addRule(apiKey: number, reply: Reply, options?: RuleOptions): Promise<number> {
    return this.rules.add(apiKey, () => reply, options);
  }

  async addModuleRule(apiKey: number, rule: ModuleRule, options?: RuleOptions): Promise<number> {
    const exported = ((await import(rule.module)) as Record<string, unknown>)[rule.exportName];
    if (typeof exported !== 'function') throw new Error(`${rule.module} exports no function ${rule.exportName}`);
    const make = exported as (...args: readonly unknown[]) => Decide;
    return this.rules.add(apiKey, make(...(rule.args ?? [])), options);
  }

  async removeRule(id: number): Promise<boolean> {
    return this.rules.remove(id);
  }

  async clearRules(): Promise<void> {
    this.rules.clear();
  }

  async ruleUses(id: number): Promise<number> {
    return this.rules.uses(id);
  }

  async stats(): Promise<BrokerStats> {
    const openByNode: Record<number, number> = {};
    for (const [id, listener] of this.#listeners) openByNode[id] = listener.connections.length;
    const requests: Record<number, number> = {};
    const requestsByNode: Record<number, Record<number, number>> = {};
    for (const [nodeId, counts] of this.#requests) {
      requestsByNode[nodeId] = Object.fromEntries(counts);
      for (const [apiKey, count] of counts) requests[apiKey] = (requests[apiKey] ?? 0) + count;
    }
    return {
      acceptedConnections: this.#acceptedConnections,
      openConnections: Object.values(openByNode).reduce((sum, open) => sum + open, 0),
      openByNode,
      requests,
      requestsByNode,
      refusals: [...this.#refusals],
    };
  }

  async arrivedRequests(): Promise<ArrivedRequest[]> {
    return this.#arrived.slice(-maxArrived);
  }

  /** Ends listeners and connections; throws what went wrong inside. */
  async close(): Promise<void> {
    this.#state.clock.stop();
    for (const listener of this.#listeners.values()) {
      listener.stopListening();
      listener.closeConnections('reset');
    }
    const errors = this.#errors.splice(0);
    if (errors.length === 0) return;
    const texts = errors.map((error) => (error instanceof Error ? (error.stack ?? error.message) : String(error)));
    throw new AggregateError(errors, `inside the embedded broker: ${texts.join('\n')}`);
  }

  async #join(options: NodeOptions, early?: EarlyListener): Promise<void> {
    const host = this.#options.host ?? defaultHost;
    const node: ClusterNode = {
      id: options.id,
      rack: options.rack ?? null,
      host,
      port: 0,
      sessions: new FetchSessions(),
      producerIds: new ProducerIds(this.#state.producerIdBlocks),
    };
    if (this.#state.hasNode(node.id)) throw new Error(`the cluster has a node ${node.id} already`);
    const listener = new NodeListener(
      host,
      options.port ?? 0,
      this.#options.tls,
      () => this.#connectionHost(node),
      () => this.#acceptedConnections++,
      early,
    );
    await listener.listen();
    node.port = listener.port;
    this.#listeners.set(node.id, listener);
    this.#state.addNode(node);
  }

  #connectionHost(node: ClusterNode): ConnectionHost {
    return {
      node,
      cluster: this.#state,
      control: this.rules,
      ranges: this.#ranges,
      requestMaxBytes: this.#options.requestMaxBytes ?? 104_857_600,
      arrived: (connection, apiKey, version, correlationId) => {
        this.#count(connection, { nodeId: node.id, connectionId: connection.id, apiKey, version, correlationId });
      },
      refused: (connection, problem) => {
        if (this.#refusals.length < maxRefusals) this.#refusals.push(`connection ${connection.id}: ${problem}`);
      },
      failed: (error) => this.#errors.push(error),
    };
  }

  #count(connection: BrokerConnection, request: ArrivedRequest): void {
    const counts = this.#requests.get(connection.nodeId) ?? new Map<number, number>();
    this.#requests.set(connection.nodeId, counts);
    counts.set(request.apiKey, (counts.get(request.apiKey) ?? 0) + 1);
    this.#arrived.push(request);
    if (this.#arrived.length >= 2 * maxArrived) this.#arrived = this.#arrived.slice(-maxArrived);
  }

  #append(topic: string, partition: number, bytes: Buffer): number {
    const { log, leaderEpoch } = this.#state.partition(topic, partition);
    const limits = {
      maxBatchBytes: Number.POSITIVE_INFINITY,
      produceVersion: builderProduceVersion,
      mayHaveGaps: true,
    };
    const checked = checkBatches(bytes, limits);
    if (!('batches' in checked)) throw new Error(`error ${checked.errorCode} appending to ${topic}-${partition}`);
    return log.append(bytes, checked.batches, leaderEpoch);
  }

  #listener(nodeId: number): NodeListener {
    const listener = this.#listeners.get(nodeId);
    if (listener === undefined) throw new Error(`the cluster has no node ${nodeId}`);
    return listener;
  }

  #describe(id: number): NodeDescription {
    const { port, isListening } = this.#listener(id);
    return { id, host: this.#options.host ?? defaultHost, port, isListening };
  }
}

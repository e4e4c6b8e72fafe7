// Owns the implementation of BrokerRequests: it passes requests of roles to the nodes of the network thread, and
// their answers back. Network thread. Must not decide for a role what to do about a failure.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { IncompatibleBrokerVersion } from '../../common/errors/errors.ts';
import { HeapMemory } from '../../common/memory.ts';
import { mainLane, sharedScope } from '../../common/node-ids.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { Channel, WriteMark } from '../net/channel.ts';
import { Unwritten } from '../net/unwritten.ts';
import { decodeOptions, responseClusterHints, responseThrottleTimeMs } from '../requests/decode-options.ts';
import type { InFlightRequest, RequestName, RequestOwner, ResponseHost } from '../requests/request-owner.ts';
import type { VersionRange } from './api-versions.ts';
import { anyBroker, type BrokerRequest, type BrokerRequests, type Destination } from './broker-requests.ts';
import type { Connections } from './connections.ts';
import type { FinalizedFeatures } from './finalized-features.ts';
import type { Node } from './node.ts';
import { takesRequests, unknownNode, whyNotSend } from './node-refusal.ts';
import type { Nodes } from './nodes.ts';
import { type Refusal, refusedEverywhere } from './refused-everywhere.ts';
import type { RequestSender } from './request-sender.ts';
import { withNode } from './unexpected-answers.ts';

/** What a response is expected to take without its records. */
const lentBytes = 16 * 1024;

export interface NodeRequestsParts {
  readonly config: KafkaClientConfig;
  readonly nodes: Nodes;
  readonly connections: Connections;
  readonly sender: RequestSender;
  readonly features: FinalizedFeatures;
  readonly hints: Pick<ResponseHost, 'onClusterHints'>;
  /** Begins a connection to the node, unless it has one or is backing off. */
  readonly connect: (node: Node, now: number) => void;
  /** Asks for a round, in which `poll` of every role is called. */
  readonly wake: () => void;
}

export class NodeRequests implements BrokerRequests {
  readonly #parts: NodeRequestsParts;
  readonly #scope: number;
  readonly #mainScope: number;
  readonly #writer = new FlatWriter();
  #isEnded = false;
  /** Told of what a callback of the role has thrown; no other is called after that. Null: whoever calls it gets that. */
  onFault: ((error: unknown) => void) | null = null;
  /** Of all scopes together. */
  readonly #common: { readonly unwritten: Unwritten; sentCount: number };

  /**
   * @param scope whose connections are used; requests to any broker always go over those of all threads
   * @param mainScope whose connection is used in the main lane
   */
  constructor(
    parts: NodeRequestsParts,
    scope = sharedScope,
    mainScope = scope,
    common = { unwritten: new Unwritten(), sentCount: 0 },
  ) {
    this.#parts = parts;
    this.#scope = scope;
    this.#mainScope = mainScope;
    this.#common = common;
  }

  /** How many requests have been sent so far, over the connections of all scopes. */
  get sentCount(): number {
    return this.#common.sentCount;
  }

  /** The same over the connections of a scope, but in the main lane over those of `mainScope`. `poll` of this object serves both. */
  inScope(scope: number, mainScope = scope): NodeRequests {
    return new NodeRequests(this.#parts, scope, mainScope, this.#common);
  }

  /** The role that sends with this object has ended: it is told of nothing any more, and the memory of answers that come is given back. */
  end(): void {
    this.#isEnded = true;
  }

  isReady(to: Destination, now: number): boolean {
    const node = this.#node(to, now);
    if (node !== undefined && takesRequests(node, this.#maxInFlight, now)) return true;
    this.#connect(to, node, now);
    return false;
  }

  readyAt(to: Destination, now: number): number {
    const node = this.#node(to, now);
    if (node === undefined) return this.#attemptAt(to, now);
    const { connection } = node;
    if (node.isReady) {
      if (connection.isThrottled(now)) return connection.throttledUntil;
      return takesRequests(node, this.#maxInFlight, now) ? now : Number.POSITIVE_INFINITY;
    }
    return node.isConnecting ? Number.POSITIVE_INFINITY : Math.max(now, connection.backoffUntil);
  }

  lastError(to: Destination): Error | null {
    const { nodes } = this.#parts;
    if (to.brokerId === anyBroker) return nodes.whyNoneReady();
    const node = this.#inLane(to);
    if (node !== undefined) return node.connection.lastError;
    // It has left the cluster, or was never in it. Whoever waits for it would wait for ever.
    return unknownNode(to.brokerId);
  }

  refusedEverywhere(): Refusal | null {
    const { nodes } = this.#parts;
    return nodes.anyReady() === undefined ? refusedEverywhere(nodes.candidates()) : null;
  }

  send<Request, Response>(request: BrokerRequest<Request, Response>, now: number): void {
    const { to } = request;
    const node = this.#node(to, now);
    const refusal = whyNotSend(node, node?.id ?? to.brokerId, this.#maxInFlight, now);
    if (refusal !== null || node === undefined) {
      this.#connect(to, node, now);
      if (request.encodeBody !== undefined) request.onBodyFree?.();
      request.onFailure(refusal!, now);
      return;
    }
    this.#common.sentCount++;
    const owner = new RoleRequest(this, request as BrokerRequest);
    try {
      const codec = wireCodec(request.api.key);
      const version = chooseVersion(node, request);
      const outgoing = { owner, requestId: 0, codec, version, timeoutMs: request.timeoutMs };
      if (request.encodeBody === undefined) {
        this.#parts.sender.send(node, { ...outgoing, message: this.#written(request) }, now);
        return;
      }
      const expectsResponse = request.api.key !== Produce.key || (request.request as { acks?: number }).acks !== 0;
      const channel = node.channel!;
      const mark = this.#parts.sender.sendBody(node, outgoing, request.encodeBody(version), expectsResponse, now);
      owner.body = mark === null ? null : { channel, mark };
    } catch (error) {
      owner.onFailure({ requestId: 0, nodeId: node.id }, withNode(error, node.id), now);
    }
  }

  flush(to: Destination, now: number): void {
    this.#node(to, now)?.channel?.flush(now);
  }

  versionRange(brokerId: number, { key }: { readonly key: number }): VersionRange | null {
    const { nodes } = this.#parts;
    const versions = brokerId === anyBroker ? (nodes.anyReady()?.apiVersions ?? null) : nodes.versionsOf(brokerId);
    return versions?.common(wireCodec(key)) ?? null;
  }

  finalizedFeature(name: string): number | null {
    return this.#parts.features.level(name);
  }

  inFlight(to: Destination): number {
    return this.#inLane(to)?.inFlight.size ?? 0;
  }

  throttledUntil(to: Destination): number {
    return Math.max(0, this.#inLane(to)?.connection.throttledUntil ?? 0);
  }

  disconnect(to: Destination, reason: Error, now: number): void {
    const node = this.#inLane(to);
    if (node !== undefined) this.#parts.connections.disconnectNode(node, now, reason);
  }

  /** Gives back the memory of bodies that the socket has taken since their request was answered. */
  poll(): void {
    this.#common.unwritten.poll();
  }

  // --- for RoleRequest

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Calls the role. What it throws is its own fault: neither the connection nor whoever else uses that has to do with it. */
  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (this.onFault === null) throw error;
      this.#isEnded = true;
      this.onFault(error);
    }
  }

  /** Takes the memory of the frame that is being handled. Null: it lies in memory that it shares with others. */
  takeFrame({ nodeKey, channel }: InFlightRequest): (() => void) | null {
    const node = this.#parts.nodes.find(nodeKey);
    return node !== undefined && node.channel === channel ? node.channel.received.takeFrame() : null;
  }

  /** The response in memory of its own, but for records that are lent. Throws KafkaProtocolError. */
  decode(request: InFlightRequest, reader: WireReader, records: 'rows' | 'raw' | 'lent'): FlatMessage {
    const expectedBytes = reader.remaining + 512;
    const memory = new HeapMemory(records === 'lent' ? Math.min(expectedBytes, lentBytes) : expectedBytes);
    this.#writer.reset(memory);
    const options = decodeOptions(this.#parts.config);
    request.codec.decodeResponse(reader, this.#writer, request.version, { ...options, records });
    const { i32, u8, base } = memory;
    const message = new FlatMessage({ i32, u8, base, byteLength: this.#writer.finish() });
    if (records === 'lent') message.lent = reader.bytes;
    const hints = responseClusterHints(request.codec.apiKey, message);
    if (hints !== null) this.#parts.hints.onClusterHints(hints);
    return message;
  }

  /** The request has ended: the memory of its body is free as soon as the socket has taken it. */
  answered(channel: Channel, mark: WriteMark, free: () => void): void {
    if (channel.isWritten(mark)) free();
    else this.#common.unwritten.add(channel, mark, free);
  }

  wake(): void {
    this.#parts.wake();
  }

  // --- helpers

  get #maxInFlight(): number {
    return this.#parts.config.maxInFlightRequestsPerConnection;
  }

  #node(to: Destination, now: number): Node | undefined {
    return to.brokerId === anyBroker ? this.#parts.nodes.leastLoaded(now) : this.#inLane(to);
  }

  #inLane({ brokerId, lane }: Destination): Node | undefined {
    return this.#parts.nodes.inLane(brokerId, lane, lane === mainLane ? this.#mainScope : this.#scope);
  }

  #connect({ brokerId }: Destination, node: Node | undefined, now: number): void {
    if (node !== undefined) {
      this.#parts.connect(node, now);
    } else if (brokerId === anyBroker) {
      const next = this.#parts.nodes.nextAttempt(now);
      if (next !== undefined && next.at <= now) this.#parts.connect(next.node, now);
    }
  }

  /** When a broker may be tried, if there is none to send to now. */
  #attemptAt({ brokerId }: Destination, now: number): number {
    return (brokerId === anyBroker ? this.#parts.nodes.nextAttempt(now)?.at : undefined) ?? Number.POSITIVE_INFINITY;
  }

  #written({
    api,
    request,
  }: Pick<BrokerRequest, 'request'> & {
    readonly api: { writeRequest(w: FlatWriter, request: never): void };
  }): FlatMessage {
    const memory = new HeapMemory();
    api.writeRequest(this.#writer.reset(memory), request as never);
    const byteLength = this.#writer.finish();
    return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
  }
}

/** One request on its way. It tells the role about its end exactly once. */
class RoleRequest implements RequestOwner {
  readonly isInternal = true;
  body: { readonly channel: Channel; readonly mark: WriteMark } | null = null;
  readonly #host: NodeRequests;
  readonly #request: BrokerRequest;
  #isSettled = false;

  constructor(host: NodeRequests, request: BrokerRequest) {
    this.#host = host;
    this.#request = request;
  }

  onResponse(inFlight: InFlightRequest, reader: WireReader, now: number): number {
    const request = this.#request;
    const free = request.records === 'lent' ? this.#host.takeFrame(inFlight) : null;
    const records = request.records === 'lent' && free === null ? 'raw' : (request.records ?? 'rows');
    let message: FlatMessage;
    try {
      message = this.#host.decode(inFlight, reader, records);
    } catch (error) {
      free?.();
      throw error;
    }
    const response = request.api.readResponse(message);
    const throttleTimeMs = responseThrottleTimeMs(inFlight.codec.apiKey, message);
    const release = (): void => {
      if (message.lent === null) return;
      message.lent = null;
      free?.();
    };
    this.#settle(() => request.onResponse(response, inFlight.version, now, release));
    // Whoever has ended, also by what it threw in here, reads no records.
    if (this.#host.isEnded) release();
    return throttleTimeMs;
  }

  onFailure(_name: RequestName, error: Error, now: number): void {
    this.#settle(() => this.#request.onFailure(error, now));
  }

  onSentWithoutResponse(inFlight: InFlightRequest, now: number): void {
    this.#settle(() => this.#request.onResponse(null, inFlight.version, now, () => {}));
  }

  #settle(tell: () => void): void {
    // If a callback without `onFault` threw in here, its connection was ended because of that, and it was told already.
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#host.wake();
    const { body } = this;
    this.body = null;
    const free = (): void => {
      if (!this.#host.isEnded) this.#host.guard(() => this.#request.onBodyFree?.());
    };
    if (body !== null) this.#host.answered(body.channel, body.mark, free);
    else if (this.#request.encodeBody !== undefined) free();
    if (!this.#host.isEnded) this.#host.guard(tell);
  }
}

function chooseVersion(
  node: Node,
  {
    api,
    minVersion = 0,
    maxVersion = 32767,
  }: Pick<BrokerRequest, 'minVersion' | 'maxVersion'> & { readonly api: { readonly key: number } },
): number {
  const codec = wireCodec(api.key);
  // This also throws an error that says so when there is no common version at all.
  const highest = node.apiVersions!.choose(codec, -1);
  const range = node.apiVersions!.common(codec)!;
  const version = Math.min(highest, maxVersion);
  if (version >= Math.max(minVersion, range.min)) return version;
  throw new IncompatibleBrokerVersion(
    `${codec.name}: versions ${minVersion} to ${maxVersion} are needed, ${node.name} and this client have ${range.min} to ${range.max} in common`,
    { apiKey: codec.apiKey },
  );
}

// Owns the other side of the network thread's connections: a byte stream in memory, and a broker that speaks Kafka by the
// generated codecs. Test thread. Nothing happens inside a turn: what peers do waits until the network runs its events.

import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import {
  ApiVersions,
  GetTelemetrySubscriptions,
  Metadata,
  PushTelemetry,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse } from '../../../../src/protocol/flat/generated/metadata.ts';
import { type WireCodec, wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { wireApis } from '../../../../src/protocol/wire/generated/index.ts';
import { decodeRequestHeader } from '../../../../src/protocol/wire/header.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import type { Transport, TransportEvents, TransportTarget } from '../../../../src/worker/net/transport.ts';
import { apiByKey, int32, responseFrame } from './peer-frames.ts';

export { frameOf, int32, responseFrame } from './peer-frames.ts';

const options = { verifyCrc: false, records: 'raw', maxDecompressedBytes: 2 ** 20 } as const;

/** What the network offers to peers: its event queue. */
export interface Later {
  later(event: () => void): void;
}

/** One byte stream, with a socket's habits: memory is asked for ahead of the read it serves, events come between turns. */
export class FakeTransport implements Transport {
  readonly target: TransportTarget;
  readonly events: TransportEvents;
  isOpen = false;
  isDestroyed = false;
  /** The peer does not read: `write` returns false, and bytes wait until `drain`. */
  isBlocked = false;
  /** As a socket's `writableLength`. */
  unsentBytes = 0;
  /** Bytes the client wrote and the peer has not taken. */
  written: Buffer = Buffer.alloc(0);
  writes = 0;
  corks = 0;
  /** Called after each write, when bytes reach the peer. */
  onBytes: () => void = () => {};
  readonly #network: Later;
  #memory: Uint8Array | null = null;
  #incoming: Buffer = Buffer.alloc(0);
  #isPaused = false;
  #wasOpened = false;
  #end: { error: Error | null } | null = null;

  constructor(network: Later, target: TransportTarget, events: TransportEvents) {
    this.#network = network;
    this.target = target;
    this.events = events;
  }

  // --- the client's side

  write(bytes: Uint8Array): boolean {
    if (this.isDestroyed) throw new Error('write to a destroyed transport');
    if (!this.#wasOpened) throw new Error('write to a transport that was never open');
    this.writes++;
    this.written = Buffer.concat([this.written, bytes]);
    if (!this.isBlocked) this.#network.later(() => this.onBytes());
    return !this.isBlocked;
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    this.corks--;
  }

  resume(): void {
    this.#isPaused = false;
    this.#network.later(() => this.#pump());
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Bytes that the client has not read. */
  get unreadBytes(): number {
    return this.#incoming.length;
  }

  // --- the peer's side

  open(): void {
    this.#network.later(() => {
      if (this.isDestroyed) return;
      this.isOpen = true;
      this.#wasOpened = true;
      this.events.onConnect();
    });
  }

  /** Bytes arrive at the client, all in one segment. */
  send(bytes: Uint8Array): void {
    this.#network.later(() => {
      this.#incoming = Buffer.concat([this.#incoming, bytes]);
      this.#pump();
    });
  }

  /** FIN behind everything sent so far. */
  end(): void {
    this.#finish(null);
  }

  /** The stream breaks behind everything sent so far. */
  fail(error: Error): void {
    this.#finish(error);
  }

  /** The peer reads again. */
  drain(): void {
    this.isBlocked = false;
    this.#network.later(() => {
      this.onBytes();
      if (!this.isDestroyed) this.events.onDrain();
    });
  }

  #finish(error: Error | null): void {
    this.#network.later(() => {
      this.#end = { error };
      this.#pump();
    });
  }

  #pump(): void {
    // A socket has its memory before the first read.
    this.#memory ??= this.events.memoryForRead();
    while (this.#incoming.length > 0 && !this.#isPaused && !this.isDestroyed) {
      const count = Math.min(this.#memory.length, this.#incoming.length);
      this.#incoming.copy(this.#memory, 0, 0, count);
      this.#incoming = this.#incoming.subarray(count);
      const goesOn = this.events.onRead(this.#memory, count);
      this.#memory = this.events.memoryForRead();
      if (!goesOn) this.#isPaused = true;
    }
    if (this.#end === null || this.#incoming.length > 0 || this.#isPaused || this.isDestroyed) return;
    const { error } = this.#end;
    this.#end = null;
    this.isOpen = false;
    this.events.onClose(error);
  }
}

export interface FakeRequest {
  readonly transport: FakeTransport;
  readonly codec: WireCodec;
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** The generated view of the body. */
  // biome-ignore lint/suspicious/noExplicitAny: every API has another
  readonly body: any;
  readonly at: number;
}

export interface VersionRange {
  min: number;
  max: number;
}

export type Ranges = Map<number, VersionRange>;

/** Everything this client speaks, but for the APIs that only brokers with a receiver of metrics have (KIP-714). */
export function allRanges(): Ranges {
  const served = [...wireApis.values()].filter(
    ({ key }) => key !== GetTelemetrySubscriptions.key && key !== PushTelemetry.key,
  );
  return new Map(served.map(({ key, minVersion, maxVersion }) => [key, range(minVersion, maxVersion)]));
}

export function range(min: number, max: number): VersionRange {
  return { min, max };
}

export interface FakeCluster {
  /** Null: brokers have none to tell, and compare none. */
  clusterId: string | null;
  brokers: { id: number; host: string; port: number }[];
  controllerId: number;
  topics: NonNullable<MetadataResponse['topics']>;
  throttleTimeMs: number;
}

export type Handler = (request: FakeRequest) => object | Buffer | null;

/** A broker at one address. Answers ApiVersions and Metadata by itself; every other request waits in `waiting`. */
export class FakeBroker {
  ranges: Ranges = allRanges();
  /** Every request that arrived, oldest first. */
  readonly requests: FakeRequest[] = [];
  /** Those nobody answered yet. */
  waiting: FakeRequest[] = [];
  readonly transports: FakeTransport[] = [];
  /** By API key. Null leaves the request waiting; a Buffer is sent as it is. */
  readonly handlers = new Map<number, Handler>();
  /** False: connections are taken, nothing is ever answered. */
  answers = true;
  /** Called for every new connection. */
  onConnection: (transport: FakeTransport) => void = () => {};
  /** What is done with a token without header that follows a SaslHandshake 0; null: the broker knows none. */
  takesBareTokens: ((token: Buffer) => { answer: Buffer; isOver: boolean } | 'close') | null = null;
  readonly bareTokens: Buffer[] = [];
  readonly #bare = new Set<FakeTransport>();
  /** Connections whose login was let in. */
  readonly #loggedIn = new Set<FakeTransport>();
  readonly #cluster: FakeCluster;
  readonly #id: number | null;
  readonly #now: () => number;
  readonly #answers = new Map<FakeRequest, Buffer>();
  readonly #isDone = new Set<FakeRequest>();

  /** @param id null: a bootstrap server, which compares no ids */
  constructor(cluster: FakeCluster, id: number | null, now: () => number) {
    this.#cluster = cluster;
    this.#id = id;
    this.#now = now;
    this.handlers.set(ApiVersions.key, (request) => this.#apiVersions(request));
    this.handlers.set(Metadata.key, () => metadataOf(cluster));
  }

  get transport(): FakeTransport {
    return this.transports.at(-1)!;
  }

  accept(transport: FakeTransport): void {
    this.transports.push(transport);
    transport.onBytes = () => this.#take(transport);
    transport.open();
    this.onConnection(transport);
  }

  requestsOf(api: Pick<Api, 'key'>): FakeRequest[] {
    return this.requests.filter(({ apiKey }) => apiKey === api.key);
  }

  /** Takes the oldest waiting request: its answer is the test's business. */
  next(): FakeRequest {
    const request = this.waiting.shift();
    if (request === undefined) throw new Error('no request is waiting for an answer');
    this.#isDone.add(request);
    return request;
  }

  /** Takes all of them. */
  takeWaiting(): FakeRequest[] {
    const taken: FakeRequest[] = [];
    while (this.waiting.length > 0) taken.push(this.next());
    return taken;
  }

  /** Answers a request, by default the oldest that waits; behind older ones of its connection, as brokers do. */
  reply(response: object, request: FakeRequest = this.waiting[0] ?? this.next()): void {
    this.#answer(request, responseFrame(request, response));
  }

  #answer(request: FakeRequest, frame: Buffer): void {
    this.#answers.set(request, frame);
    this.waiting = this.waiting.filter((other) => other !== request);
    for (const other of this.requests) {
      if (other.transport !== request.transport || this.#isDone.has(other)) continue;
      const answer = this.#answers.get(other);
      if (answer === undefined) return;
      this.#isDone.add(other);
      other.transport.send(answer);
    }
  }

  #take(transport: FakeTransport): void {
    for (;;) {
      const { written } = transport;
      if (written.length < 4 || written.length < 4 + written.readInt32BE(0)) return;
      const end = 4 + written.readInt32BE(0);
      transport.written = written.subarray(end);
      if (this.#bare.has(transport)) {
        this.#takeToken(transport, Buffer.from(written.subarray(4, end)));
        continue;
      }
      const request = this.#parsed(transport, written.subarray(4, end));
      if (request === null) {
        transport.end();
        return;
      }
      if (this.takesBareTokens !== null && request.apiKey === SaslHandshake.key) this.#bare.add(transport);
      this.requests.push(request);
      const answer = this.answers ? (this.handlers.get(request.apiKey)?.(request) ?? null) : null;
      if (request.apiKey === SaslAuthenticate.key && answer !== null) this.#loggedIn.add(transport);
      if (answer === null) this.waiting.push(request);
      else this.#answer(request, Buffer.isBuffer(answer) ? answer : responseFrame(request, answer));
    }
  }

  #takeToken(transport: FakeTransport, token: Buffer): void {
    this.bareTokens.push(token);
    const outcome = this.takesBareTokens!(token);
    if (outcome === 'close') {
      transport.end();
      return;
    }
    if (outcome.isOver) this.#bare.delete(transport);
    transport.send(Buffer.concat([int32(outcome.answer.length), outcome.answer]));
  }

  /** Null: this is a token of a login that the broker takes for over, and no request. */
  #parsed(transport: FakeTransport, bytes: Buffer): FakeRequest | null {
    try {
      return this.#parse(transport, bytes);
    } catch (error) {
      if (this.takesBareTokens === null) throw error;
      return null;
    }
  }

  #parse(transport: FakeTransport, bytes: Buffer): FakeRequest {
    const codec = wireCodec(bytes.readInt16BE(0));
    const version = bytes.readInt16BE(2);
    const reader = new WireReader(bytes);
    const { correlationId, clientId } = decodeRequestHeader(reader, codec.requestHeaderVersion(version));
    const memory = new HeapMemory();
    const writer = new FlatWriter().reset(memory);
    codec.decodeRequest(reader, writer, version, options);
    const byteLength = writer.finish();
    if (reader.remaining !== 0) throw new Error(`${codec.name}: ${reader.remaining} bytes behind the request`);
    const body = apiByKey
      .get(codec.apiKey)!
      .readRequest(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }));
    return { transport, codec, apiKey: codec.apiKey, version, correlationId, clientId, body, at: this.#now() };
  }

  #apiVersions(request: FakeRequest): object | Buffer {
    const apiKeys = [...this.ranges].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max }));
    const own = this.ranges.get(ApiVersions.key);
    if (own !== undefined && request.version <= own.max) {
      const errorCode = request.version < 5 ? 0 : this.#peerErrorOf(request);
      return errorCode === 0 ? { apiKeys } : { errorCode };
    }
    return responseFrame(request, { errorCode: 35, apiKeys }, { version: 0 });
  }

  /** As brokers of 4.4 compare ids: one without the other is refused, and before the login nothing is compared. */
  #peerErrorOf({ transport, body }: FakeRequest): number {
    const { clusterId, nodeId } = body as { clusterId: string | null; nodeId: number };
    if ((clusterId === null) !== (nodeId === -1)) return 42;
    const isLoginDue = this.handlers.has(SaslHandshake.key) && !this.#loggedIn.has(transport);
    const own = this.#cluster.clusterId;
    if (clusterId === null || own === null || this.#id === null || isLoginDue) return 0;
    return clusterId === own && nodeId === this.#id ? 0 : 129;
  }
}

export function metadataOf({
  clusterId,
  brokers,
  controllerId,
  topics,
  throttleTimeMs,
}: FakeCluster): MetadataResponse {
  return {
    clusterId,
    brokers: brokers.map(({ id, host, port }) => ({ nodeId: id, host, port })),
    controllerId,
    topics,
    throttleTimeMs,
  };
}

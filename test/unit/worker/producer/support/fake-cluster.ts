// Owns a cluster as a producer's role sees it, without sockets or clocks: requests wait here until a test has them answered, as a
// real broker would (sequence checks included), with an error, or never.

import { ByteArena } from '../../../../../src/codec/byte-arena.ts';
import { decompress } from '../../../../../src/codec/index.ts';
import { KafkaConnectionError } from '../../../../../src/common/errors/errors.ts';
import type { Api } from '../../../../../src/protocol/flat/api.ts';
import { InitProducerId, Produce } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { ProduceResponse } from '../../../../../src/protocol/flat/generated/produce.ts';
import { readSigned, varintEnd } from '../../../../../src/protocol/flat/varints.ts';
import type { BrokerRequest, BrokerRequests, Destination } from '../../../../../src/worker/client/broker-requests.ts';
import type { ClusterView } from '../../../../../src/worker/client/cluster-view.ts';
import type { RoleHost } from '../../../../../src/worker/client/role.ts';
import { responseView } from '../../../protocol/support/response-view.ts';

const errors = { OUT_OF_ORDER: 45, NOT_LEADER: 6, INVALID_EPOCH: 47 };
export const topicId = (name: string): string => Buffer.from(name.padEnd(16, '_').slice(0, 16)).toString('base64url');

interface ProducerState {
  epoch: number;
  /** The newest five. */
  batches: { first: number; last: number; offset: number }[];
}

export class FakePartition {
  leaderId = 1;
  leaderEpoch = 0;
  readonly values: string[] = [];
  readonly producers = new Map<string, ProducerState>();

  /** What a real leader does with a batch; error code and base offset. */
  append(batch: SentBatch): { errorCode: number; offset: number } {
    if (batch.producerId === -1n) return { errorCode: 0, offset: this.#store(batch) };
    const key = String(batch.producerId);
    const state = this.producers.get(key);
    const next = (sequence: number): number => (sequence + 1) % 2147483648;
    if (state !== undefined) {
      if (batch.epoch < state.epoch) return { errorCode: errors.INVALID_EPOCH, offset: -1 };
      if (batch.epoch > state.epoch) {
        if (batch.sequence !== 0) return { errorCode: errors.OUT_OF_ORDER, offset: -1 };
      } else {
        const repeated = state.batches.find(
          ({ first, last }) => first === batch.sequence && last === batch.lastSequence,
        );
        if (repeated !== undefined) return { errorCode: 0, offset: repeated.offset };
        if (batch.sequence !== next(state.batches.at(-1)!.last)) return { errorCode: errors.OUT_OF_ORDER, offset: -1 };
      }
    }
    const offset = this.#store(batch);
    const kept = state !== undefined && state.epoch === batch.epoch ? state.batches.slice(-4) : [];
    kept.push({ first: batch.sequence, last: batch.lastSequence, offset });
    this.producers.set(key, { epoch: batch.epoch, batches: kept });
    return { errorCode: 0, offset };
  }

  #store({ values }: SentBatch): number {
    const offset = this.values.length;
    this.values.push(...values);
    return offset;
  }
}

/** A batch as it went over the wire. */
export interface SentBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
  readonly lastSequence: number;
  readonly count: number;
  readonly isTransactional: boolean;
  readonly values: readonly string[];
}

export interface SentProduce {
  readonly brokerId: number;
  readonly version: number;
  readonly acks: number;
  readonly transactionalId: string | null;
  readonly batches: readonly SentBatch[];
  readonly request: BrokerRequest<never, never>;
}

export class FakeCluster implements RoleHost {
  now = 1000;
  wakes = 0;
  isUp = new Map<number, boolean>();
  maxInFlight = 5;
  /** Until then every node is throttled. */
  throttledUntil = 0;
  produceVersion = 13;
  /** What is sent without acknowledgement is lost with its connection. */
  losesUnacknowledged = false;
  readonly topicsByName = new Map<string, FakePartition[]>();
  readonly topicErrors = new Map<string, number>();
  /** Produce requests that wait for their answer, oldest first. */
  readonly produces: SentProduce[] = [];
  /** All other requests. */
  readonly others: BrokerRequest<never, never>[] = [];
  readonly tracked = new Set<string>();
  updatesAsked = 0;
  nextProducerId = 7;
  /** By broker. */
  readonly racks = new Map<number, string>();
  /** Finalized features, by name. */
  readonly features = new Map<string, number>();
  readonly #listeners = new Set<(now: number) => void>();
  #updateId = 1;
  random: () => number = () => 0.5;
  /** Keeps memory from being given back, as a socket does that has not taken it. */
  isMemoryHeld = false;
  readonly heldMemory: (() => void)[] = [];

  wallClock(): number {
    return 1_700_000_000_000 + this.now;
  }

  wake(): void {
    this.wakes++;
  }

  addTopic(name: string, partitions = 1): FakePartition[] {
    const all = Array.from({ length: partitions }, () => new FakePartition());
    this.topicsByName.set(name, all);
    this.update();
    return all;
  }

  partition(topic: string, index = 0): FakePartition {
    return this.topicsByName.get(topic)![index]!;
  }

  /** New metadata. */
  update(): void {
    this.#updateId++;
    for (const listener of this.#listeners) listener(this.now);
  }

  readonly cluster: ClusterView = this.#newCluster();
  readonly requests: BrokerRequests = this.#newRequests();

  /** Answers the oldest Produce, or the one given, as a broker does; `errorFor` may refuse batches. */
  answer(
    sent: SentProduce | undefined = this.produces[0],
    errorFor: (batch: SentBatch) => number = () => 0,
    extra: object = {},
  ): void {
    const { batches, request, version } = this.#take(sent);
    const responses = batches.map((batch) => {
      const log = this.partition(batch.topic, batch.partition);
      const refusal = errorFor(batch);
      const isLeader = log.leaderId === sent!.brokerId;
      const errorCode = refusal !== 0 ? refusal : isLeader ? 0 : errors.NOT_LEADER;
      const result = errorCode === 0 ? log.append(batch) : { errorCode, offset: -1 };
      return {
        ...(version >= 13 ? { topicId: topicId(batch.topic) } : { name: batch.topic }),
        partitionResponses: [
          {
            index: batch.partition,
            errorCode: result.errorCode,
            baseOffset: result.offset,
            logStartOffset: 0,
            recordErrors: [],
            ...extra,
          },
        ],
      };
    });
    const view = responseView(Produce, { responses } as ProduceResponse);
    request.onResponse(view as never, version, this.now, () => {});
  }

  /** The connection ends; with `isWritten` the broker has handled the request, and only its answer is lost. */
  lose(
    sent: SentProduce | undefined = this.produces[0],
    isWritten = false,
    errorFor: (batch: SentBatch) => number = () => 0,
  ): void {
    const { batches, request } = this.#take(sent);
    if (isWritten) {
      for (const batch of batches) {
        const log = this.partition(batch.topic, batch.partition);
        if (log.leaderId === sent!.brokerId && errorFor(batch) === 0) log.append(batch);
      }
    }
    request.onFailure(new KafkaConnectionError('connection reset'), this.now);
  }

  /** Answers a request for a producer id. */
  giveProducerId(errorCode = 0, producerEpoch = 0): void {
    const at = this.others.findIndex(({ api }) => api.key === InitProducerId.key);
    const [request] = this.others.splice(at, 1);
    const producerId = errorCode === 0 ? this.nextProducerId++ : -1;
    const view = responseView(InitProducerId, { throttleTimeMs: 0, errorCode, producerId, producerEpoch });
    request!.onResponse(view as never, 5, this.now, () => {});
  }

  /** Answers the oldest request of that kind, which must be waiting. Returns the request. */
  answerOther<Request, Response>(api: Api<Request, Response>, response: object, version = api.maxVersion): Request {
    const at = this.others.findIndex(({ api: { key } }) => key === api.key);
    if (at < 0) throw new Error(`no ${api.name} is waiting`);
    const [request] = this.others.splice(at, 1);
    request!.onResponse(responseView(api, response as Response) as never, version, this.now, () => {});
    return request!.request as Request;
  }

  /** The connection ends before the oldest request of that kind is answered. */
  loseOther({ key }: { readonly key: number }): void {
    const at = this.others.findIndex(({ api }) => api.key === key);
    const [request] = this.others.splice(at, 1);
    request!.onFailure(new KafkaConnectionError('connection reset'), this.now);
  }

  #take(sent: SentProduce | undefined): SentProduce {
    const at = this.produces.indexOf(sent!);
    if (at < 0) throw new Error('no such Produce request is waiting');
    this.produces.splice(at, 1);
    return sent!;
  }

  #newCluster(): ClusterView {
    const self = this;
    return {
      get updateId() {
        return self.#updateId;
      },
      clusterId: 'fake',
      brokers: new Map(),
      rack: (brokerId) => self.racks.get(brokerId) ?? null,
      topics: () => [...self.topicsByName.keys()],
      isInternal: () => false,
      partitionCount: (topic) => self.topicsByName.get(topic)?.length ?? null,
      leader: (topic, partition) => self.topicsByName.get(topic)?.[partition] ?? null,
      replicaRacks: () => new Set(),
      topicId: (topic) => (self.topicsByName.has(topic) ? topicId(topic) : null),
      topicName: () => null,
      topicError: (topic) => self.topicErrors.get(topic) ?? null,
      addTopic: (_role, topic) => void self.tracked.add(topic),
      removeTopic: (_role, topic) => void self.tracked.delete(topic),
      setNeedsAllTopics: () => {},
      forget: () => self.tracked.clear(),
      requestUpdate: () => void self.updatesAsked++,
      onUpdate: (listener) => {
        self.#listeners.add(listener);
        return () => self.#listeners.delete(listener);
      },
      learn: () => {},
    };
  }

  #newRequests(): BrokerRequests {
    const isReady = (to: Destination): boolean =>
      this.now >= this.throttledUntil &&
      (to.brokerId < 0 || ((this.isUp.get(to.brokerId) ?? true) && this.#inFlight(to) < this.maxInFlight));
    return {
      isReady,
      readyAt: (to, now) => {
        if (isReady(to)) return now;
        return this.throttledUntil > now ? this.throttledUntil : Number.POSITIVE_INFINITY;
      },
      lastError: () => null,
      refusedEverywhere: () => null,
      send: (request) => this.#send(request as BrokerRequest<never, never>),
      flush: () => {},
      versionRange: () => ({ min: 0, max: 13 }),
      finalizedFeature: (name) => this.features.get(name) ?? null,
      inFlight: (to) => this.#inFlight(to),
      throttledUntil: () => 0,
      disconnect: () => {},
    };
  }

  #inFlight(to: Destination): number {
    return this.produces.filter(({ brokerId }) => brokerId === to.brokerId).length;
  }

  #send(request: BrokerRequest<never, never>): void {
    if (request.api.key !== Produce.key) {
      this.others.push(request);
      return;
    }
    const version = Math.min(this.produceVersion, request.maxVersion ?? 13);
    const body = Buffer.concat(request.encodeBody!(version).map((piece) => Buffer.from(piece)));
    const free = (): void => request.onBodyFree?.();
    if (this.isMemoryHeld) this.heldMemory.push(free);
    else free();
    const { acks, transactionalId, batches } = readBody(body, version);
    this.produces.push({ brokerId: request.to.brokerId, version, acks, transactionalId, batches, request });
    if (acks === 0) {
      const sent = this.produces.pop()!;
      if (!this.losesUnacknowledged)
        for (const batch of sent.batches) this.partition(batch.topic, batch.partition).append(batch);
      request.onResponse(null as never, version, this.now, () => {});
    }
  }
}

/** By the schema's words, not by the code under test. */
function readBody(body: Buffer, version: number): Pick<SentProduce, 'acks' | 'transactionalId' | 'batches'> {
  let at = 0;
  const isFlexible = version >= 9;
  const uvarint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const length = (): number => {
    if (isFlexible) return uvarint() - 1;
    at += 4;
    return body.readInt32BE(at - 4);
  };
  const text = (): string | null => {
    let size: number;
    if (isFlexible) size = uvarint() - 1;
    else {
      size = body.readInt16BE(at);
      at += 2;
    }
    if (size < 0) return null;
    at += size;
    return body.toString('utf8', at - size, at);
  };
  const tags = (): void => {
    if (isFlexible && body[at++] !== 0) throw new Error('tagged fields');
  };
  const transactionalId = text();
  const acks = body.readInt16BE(at);
  at += 6;
  const batches: SentBatch[] = [];
  for (let topics = length(); topics > 0; topics--) {
    let topic: string;
    if (version >= 13) {
      topic = body.toString('utf8', at, at + 16).replace(/_+$/, '');
      at += 16;
    } else topic = text()!;
    for (let partitions = length(); partitions > 0; partitions--) {
      const partition = body.readInt32BE(at);
      at += 4;
      const size = length();
      batches.push(readBatch(topic, partition, Buffer.from(body.subarray(at, at + size))));
      at += size;
      tags();
    }
    tags();
  }
  tags();
  if (at !== body.length) throw new Error(`${body.length - at} bytes too many`);
  return { acks, transactionalId, batches };
}

function readBatch(topic: string, partition: number, bytes: Buffer): SentBatch {
  const count = bytes.readInt32BE(57);
  const sequence = bytes.readInt32BE(53);
  const attributes = bytes.readInt16BE(21);
  return {
    topic,
    partition,
    bytes,
    producerId: bytes.readBigInt64BE(43),
    epoch: bytes.readInt16BE(51),
    sequence,
    lastSequence: (sequence + count - 1) % 2147483648,
    count,
    isTransactional: (attributes & 16) !== 0,
    values: valuesOf(bytes, count, attributes & 7),
  };
}

function valuesOf(batch: Buffer, count: number, codec: number): string[] {
  let bytes: Uint8Array = batch.subarray(61);
  if (codec !== 0) {
    const arena = new ByteArena();
    arena.reset(100_000_000);
    decompress(codec, batch, 61, batch.length, arena);
    bytes = arena.bytes.slice(0, arena.length);
  }
  const values: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const size = readSigned(bytes, at);
    const end = varintEnd + size;
    at = varintEnd + 1;
    readSigned(bytes, at);
    readSigned(bytes, varintEnd);
    const keyLength = readSigned(bytes, varintEnd);
    const valueLength = readSigned(bytes, varintEnd + Math.max(keyLength, 0));
    values.push(Buffer.from(bytes.subarray(varintEnd, varintEnd + Math.max(valueLength, 0))).toString());
    at = end;
  }
  return values;
}

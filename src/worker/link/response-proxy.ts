// Owns the writing of one attachment's response link: responses that are decoded straight into it, failures, metadata, answers to
// polls. Network thread. Must not drop anything: if a frame does not fit, it waits here, in order, or its channel is muted.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { Cancelled, KafkaProtocolError, RingCorruptError } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { CodecTaskNeeded } from '../../protocol/wire/records/codec-task-needed.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import { commitResponse, writeMetadata } from '../../ring/frames/client-frames.ts';
import type { MetadataUpdate } from '../client/metadata.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import { budgetBytes, CodecAccount } from '../requests/codec-account.ts';
import type { CodecPool } from '../requests/codec-pool.ts';
import type { DecodedBody } from '../requests/codec-work.ts';
import { responseClusterHints, responseDecoding, responseThrottleTimeMs } from '../requests/decode-options.ts';
import {
  type InFlightRequest,
  notDelivered,
  type RequestName,
  type RequestOwner,
  type ResponseHost,
} from '../requests/request-owner.ts';
import type { ProxyHost } from './attachments.ts';
import { type Held, maxAsideBudgets, maxHeldFrames, writeHeld } from './held-frame.ts';
import { type PooledResponse, PooledResponses } from './pooled-responses.ts';

/** How many times larger than its frame a flat message is expected to be. Every field has fixed words, every record ten. */
const flatPerWire = 2;
const flatOverheadBytes = 512;
const beginBytes = 16 * 1024;
const maxBodyBytes = 2 ** 31 - 8;

export class ResponseProxy implements RequestOwner {
  readonly isInternal = false;
  readonly #end: NetworkEnd;
  readonly #config: KafkaClientConfig;
  readonly #pool: CodecPool;
  /** Decoded bodies count here until they are read. If the link has no room for a response, it is not decoded. */
  readonly account: CodecAccount;
  readonly #host: ResponseHost;
  readonly #metrics: Metrics;
  readonly #decoding: ReturnType<typeof responseDecoding>;
  readonly #pooled = new PooledResponses();
  /** Requests whose big response needs no pool but waits for room. It must not be sent to the pool again. */
  readonly #plain = new WeakSet<InFlightRequest>();
  /** Bytes of the response that waits for room in the pool; 0 if none waits. */
  #wantedPoolBytes = 0;
  /** A connection that waited for the pool may go on. */
  #hasUnblocked = false;
  readonly #writer = new FlatWriter();
  /** At most one frame for each request that the application has in flight. */
  #held: Held[] = [];
  /** The newest metadata that waits for room. Older metadata is of no use to an application that is behind. */
  #heldMetadata: MetadataUpdate | null = null;
  #isBehind = false;
  /** Expected size of the response that waits for room; 0 while only held frames wait. */
  #neededBytes = 0;
  #hasNews = false;
  /** Bytes of undecoded responses that are moved aside here, so that others need not wait, and of requests that wait for a place. */
  keptBytes = 0;
  /** Whether nothing is written any more. */
  isClosed = false;
  readonly #proxyHost: ProxyHost;
  readonly #reader = new WireReader();

  constructor(
    end: NetworkEnd,
    config: KafkaClientConfig,
    pool: CodecPool,
    host: ResponseHost,
    metrics: Metrics,
    proxyHost: ProxyHost,
  ) {
    this.#proxyHost = proxyHost;
    this.#end = end;
    this.#config = config;
    this.#pool = pool;
    this.#host = host;
    this.#metrics = metrics;
    this.account = new CodecAccount(Math.max(config.spillBudgetBytes, budgetBytes));
    this.#decoding = responseDecoding(config, pool.isEnabled);
  }

  /** Whether something waits for room. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Whether so much waits here that the thread's requests are not taken until it reads. */
  get isOverQuota(): boolean {
    return this.keptBytes > this.#config.spillBudgetBytes || this.#held.length >= maxHeldFrames;
  }

  onResponse(request: InFlightRequest, reader: WireReader): number {
    const bodyStart = reader.offset;
    try {
      const delivered = this.isClosed ? this.#discard() : this.#deliver(request, reader, this.#isBehind);
      if (delivered !== notDelivered || !this.#isBehind || !this.#proxyHost.isShared(request.nodeId)) return delivered;
      if (this.keptBytes > maxAsideBudgets * this.#config.spillBudgetBytes) return delivered;
      // Others use this connection, so a copy waits here. `slice` of a Buffer is none. Its throttle time counts when it is decoded.
      const body = new Uint8Array(reader.bytes.subarray(bodyStart, reader.end));
      this.keptBytes += body.length;
      this.#held.push({ kind: 'aside', request, body });
      return 0;
    } catch (error) {
      if (!(error instanceof RingCorruptError)) throw error;
      this.#proxyHost.onBroken(error);
      return this.#discard();
    }
  }

  /** Discards a response, because its thread is gone. The request counts as failed. */
  #discard(): number {
    this.#metrics.requestFailed();
    return 0;
  }

  /** The thread is gone: everything that waits here, and everything that comes later, is discarded. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const { kind } of this.#held) if (kind === 'aside') this.#metrics.requestFailed();
    this.#held = [];
    this.#heldMetadata = null;
    this.keptBytes = 0;
    this.#wantedPoolBytes = 0;
    this.#isBehind = false;
    this.#hasNews = false;
    this.#deliverPooled(0);
    this.#pool.drop(this.account, new Cancelled('the thread that sent this request has ended or closed its client'), 0);
  }

  #deliver(request: InFlightRequest, reader: WireReader, mustWait: boolean): number {
    // While a response of this node is in the pool, only responses that go to the pool too may be taken.
    const mayPool = reader.remaining > this.#decoding.mayPoolAbove;
    if (this.#pooled.hasAny(request.nodeId) && (!mayPool || this.#plain.has(request))) return notDelivered;
    const bodyStart = reader.offset;
    const { responses } = this.#end;
    const expectedBytes = Math.min(flatOverheadBytes + reader.remaining * flatPerWire, maxBodyBytes);
    // Waiting frames go first: an application must not see a later response before an earlier failure.
    if (mustWait || !this.#hasRoom(expectedBytes)) return this.#fellBehind(expectedBytes);
    // For a big body little room is claimed now: the decoder knows the size better when it needs the room.
    if (!responses.begin(Math.min(expectedBytes, beginBytes))) return this.#fellBehind(expectedBytes);
    const { codec, version } = request;
    let throttleTimeMs: number;
    let neededBytes: number;
    try {
      const writer = this.#writer.reset(responses);
      codec.decodeResponse(reader, writer, version, this.#decoding.here);
      const usedBytes = writer.finish();
      if (this.#pooled.hasAny(request.nodeId)) {
        responses.abandon();
        this.#plain.add(request);
        return notDelivered;
      }
      const message = this.#openMessage(usedBytes);
      throttleTimeMs = responseThrottleTimeMs(codec.apiKey, message);
      this.#learn(codec.apiKey, message);
      if (commitResponse(responses, request.requestId, usedBytes)) {
        this.#delivered(reader.remaining);
        return throttleTimeMs;
      }
      // A moved body counts with the size of its whole buffer.
      neededBytes = usedBytes > responses.spillBytes ? responses.capacity : usedBytes;
    } catch (error) {
      responses.abandon();
      if (error instanceof CodecTaskNeeded) return this.#decodeInPool(request, reader, bodyStart);
      throw error;
    }
    responses.abandon();
    return this.#fellBehind(neededBytes);
  }

  onFailure(request: RequestName, error: Error): void {
    this.#metrics.requestFailed();
    if (error instanceof RingCorruptError && !this.isClosed) {
      // The request's body in shared memory is not a valid request.
      this.#proxyHost.onBroken(error);
      return;
    }
    this.#put({ kind: 'failure', request, error });
  }

  onSentWithoutResponse(request: InFlightRequest): void {
    this.#metrics.requestSucceeded();
    this.#put({ kind: 'sent', request });
  }

  onWaiting(byteCount: number): void {
    this.keptBytes += byteCount;
  }

  onPolled(pollId: number): void {
    this.#put({ kind: 'polled', pollId });
  }

  onMetadata(update: MetadataUpdate): void {
    if (this.isClosed) return;
    this.#heldMetadata = update;
    try {
      this.#flushMetadata();
    } catch (error) {
      this.#proxyHost.onBroken(error);
    }
  }

  /** Returns true once when a connection that waited for the codec pool may go on. */
  takeUnblocked(): boolean {
    // This is checked in every round, because the tasks before it may belong to another attachment or may be requests.
    if (this.#wantedPoolBytes > 0 && this.#pool.hasRoom(this.#wantedPoolBytes, this.account)) {
      this.#wantedPoolBytes = 0;
      this.#hasUnblocked = true;
    }
    const hasUnblocked = this.#hasUnblocked;
    this.#hasUnblocked = false;
    return hasUnblocked;
  }

  /** Delivers waiting frames while there is room. Returns true when nothing waits any more, so that responses may be taken again. */
  flush(now: number): boolean {
    try {
      return this.#flush(now);
    } catch (error) {
      this.#proxyHost.onBroken(error);
      return true;
    }
  }

  #flush(now: number): boolean {
    if (!this.#isBehind) return true;
    let written = 0;
    while (written < this.#held.length && this.#write(this.#held[written]!, now)) written++;
    this.#held = this.#held.slice(written);
    const [next] = this.#held;
    // The frame waits for an earlier response of its node, and the pool has decoded that one by now.
    if (next?.kind === 'aside' && this.#pooled.hasAny(next.request.nodeId)) this.#deliverPooledNow(now);
    if (this.#held.length > 0) return false;
    this.#flushMetadata();
    if (this.#heldMetadata !== null) return false;
    // Without enough room, the response would be decoded for nothing in every round.
    if (this.#neededBytes > 0 && !this.#hasRoom(this.#neededBytes)) return false;
    this.#isBehind = false;
    this.#deliverPooled(now);
    return !this.#isBehind;
  }

  /** Wakes the application thread if anything was written since the last call. */
  notify(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#end.applicationDoorbell.notify();
  }

  /** Moves the frame to the codec pool. The connection goes on reading. */
  #decodeInPool(request: InFlightRequest, reader: WireReader, bodyStart: number): number {
    const { bytes, end } = reader;
    const byteCount = end - bodyStart;
    if (!this.#pool.hasRoom(byteCount, this.account)) {
      this.#wantedPoolBytes = this.#wantedPoolBytes === 0 ? byteCount : Math.min(this.#wantedPoolBytes, byteCount);
      return notDelivered;
    }
    const response = this.#pooled.add(request);
    const { codec, version } = request;
    const into = this.#end.responses.keptMemory(this.account.usedBytes(byteCount));
    const task = { start: bodyStart, end, apiKey: codec.apiKey, version, prefixBytes: 0, into };
    const done = (outcome: DecodedBody | Error, now: number): void => {
      response.outcome = outcome;
      try {
        this.#deliverPooled(now);
      } catch (error) {
        this.#proxyHost.onBroken(error);
      }
    };
    this.#pool.decode({ kind: 'decode', frame: bytes, ...task, options: this.#decoding.inPool }, done, this.account);
    return 0;
  }

  #deliverPooled(now: number): void {
    if (!this.#isBehind) this.#deliverPooledNow(now);
  }

  #deliverPooledNow(now: number): void {
    if (this.#pooled.deliver((response) => this.#writePooled(response, now))) this.#hasUnblocked = true;
  }

  #writePooled({ request, outcome }: PooledResponse, now: number): boolean {
    if (outcome === null) return false;
    if (this.isClosed) {
      this.#discard();
      return true;
    }
    if (outcome instanceof Error) {
      this.onFailure(request, withNodeId(outcome, request.nodeId));
      // If a body cannot be decoded, the connection is at fault. If a thread was lost, it is not.
      if (outcome instanceof KafkaProtocolError) this.#host.onPooledFailure(request, outcome, now);
      return true;
    }
    const { responses } = this.#end;
    const { buffer, usedBytes, throttleTimeMs, extraBytes } = outcome;
    if (!this.#hasRoom(buffer.byteLength)) {
      this.#fellBehind(buffer.byteLength);
      return false;
    }
    // The length is read before the buffer is moved, because it is 0 after that.
    const { byteLength } = buffer;
    responses.adopt(buffer);
    this.#learn(request.codec.apiKey, this.#openMessage(usedBytes));
    if (!commitResponse(responses, request.requestId, usedBytes)) {
      responses.abandon();
      this.#fellBehind(buffer.byteLength);
      return false;
    }
    this.#pool.release(this.account, byteLength, responses.spilledBytesOutstanding);
    this.#delivered(extraBytes);
    if (throttleTimeMs > 0) this.#host.onPooledThrottle(request, throttleTimeMs, now);
    return true;
  }

  #delivered(extraBytes: number): void {
    this.#hasNews = true;
    this.#metrics.requestSucceeded();
    if (extraBytes > 0) this.#metrics.count('responsesWithExtraBytes');
  }

  /** The response that is being written. */
  #openMessage(byteLength: number): FlatMessage {
    const { i32, u8, base } = this.#end.responses;
    return new FlatMessage({ i32, u8, base, byteLength });
  }

  #learn(apiKey: number, message: FlatMessage): void {
    const hints = responseClusterHints(apiKey, message);
    if (hints !== null) this.#host.onClusterHints(hints);
  }

  #put(held: Held): void {
    if (this.isClosed) return;
    try {
      if (!this.#isBehind && this.#write(held, 0)) return;
      this.#held.push(held);
      this.#fellBehind();
    } catch (error) {
      this.#proxyHost.onBroken(error);
    }
  }

  #write(held: Held, now: number): boolean {
    if (held.kind === 'aside') return this.#writeAside(held.request, held.body, now);
    const isWritten = writeHeld(this.#end.responses, held);
    if (isWritten) this.#hasNews = true;
    return isWritten;
  }

  /** Handles a response that was moved aside as if it came now. Its effects on the connection come late, and only if the connection is still the same. */
  #writeAside(request: InFlightRequest, body: Uint8Array, now: number): boolean {
    const reader = this.#reader.reset(body);
    reader.describe(request.codec.name, request.codec.apiKey, request.version);
    try {
      const throttleTimeMs = this.#deliver(request, reader, false);
      if (throttleTimeMs === notDelivered) return false;
      if (throttleTimeMs > 0) this.#host.onPooledThrottle(request, throttleTimeMs, now);
    } catch (thrown) {
      if (thrown instanceof RingCorruptError) throw thrown;
      const error = withNodeId(thrown instanceof Error ? thrown : new Error(String(thrown)), request.nodeId);
      if (!writeHeld(this.#end.responses, { kind: 'failure', request, error })) return false;
      this.#hasNews = true;
      this.#metrics.requestFailed();
      if (error instanceof KafkaProtocolError) this.#host.onPooledFailure(request, error, now);
    }
    this.keptBytes -= body.length;
    return true;
  }

  #flushMetadata(): void {
    const update = this.#heldMetadata;
    if (update === null) return;
    if (writeMetadata(this.#end.responses, update)) {
      this.#heldMetadata = null;
      this.#hasNews = true;
    } else {
      this.#fellBehind();
    }
  }

  #hasRoom(expectedBytes: number): boolean {
    const { responses } = this.#end;
    return responses.hasRoom(expectedBytes) && responses.hasRoom(Math.min(expectedBytes, beginBytes));
  }

  #fellBehind(neededBytes = 0): typeof notDelivered {
    if (!this.#isBehind) this.#neededBytes = neededBytes;
    this.#isBehind = true;
    this.#end.responses.setWaiting(true);
    return notDelivered;
  }
}

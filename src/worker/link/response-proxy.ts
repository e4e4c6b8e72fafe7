// Owns the writing of one attachment's response link: responses decoded straight into it, failures, metadata, answers to
// polls. Network thread. Must not drop anything: what does not fit waits here, in order, and its channel is muted.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import type { MessageBytes } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { Metadata } from '../../protocol/flat/generated/apis.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import { CodecTaskNeeded } from '../../protocol/wire/records/codec-task-needed.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import {
  FAILURE,
  METADATA,
  POLLED,
  RESPONSE,
  RESPONSE_API_KEY_WORD,
  RESPONSE_FLAGS_WORD,
  RESPONSE_PREFIX_BYTES,
  RESPONSE_VERSION_WORD,
} from '../../ring/frames.ts';
import type { MetadataUpdate } from '../client/metadata.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import { CodecAccount, type CodecPool } from '../requests/codec-pool.ts';
import type { DecodedBody } from '../requests/codec-work.ts';
import { decodeOptions, responseClusterHints, responseThrottleTimeMs } from '../requests/decode-options.ts';
import {
  type InFlightRequest,
  notDelivered,
  type RequestName,
  type RequestOwner,
  type ResponseHost,
} from '../requests/request-owner.ts';
import { type PooledResponse, PooledResponses } from './pooled-responses.ts';

/** A flat message is larger than the frame it comes from: fixed words for every field, ten words for every record. */
const flatPerWire = 2;
const flatOverheadBytes = 512;
const beginBytes = 16 * 1024;
const maxBodyBytes = 2 ** 31 - 8;

/** A small frame that found no room, kept until there is some. */
type Held =
  | { readonly kind: typeof FAILURE; readonly request: RequestName; readonly error: Error }
  | { readonly kind: typeof RESPONSE; readonly request: RequestName }
  | { readonly kind: typeof POLLED; readonly pollId: number };

export class ResponseProxy implements RequestOwner {
  readonly isInternal = false;
  readonly #end: NetworkEnd;
  readonly #config: KafkaClientConfig;
  readonly #pool: CodecPool;
  /** Decoded bodies count until they are in the link, whose own budget counts them until they are read. */
  readonly #account = new CodecAccount();
  readonly #host: ResponseHost;
  readonly #metrics: Metrics;
  readonly #pooledOptions: DecodeOptions;
  readonly #inlineOptions: DecodeOptions;
  readonly #pooled = new PooledResponses();
  /** Requests whose big response turned out to need no pool, and waits: so that it is not decoded in vain again. */
  readonly #plain = new WeakSet<InFlightRequest>();
  /** What a response that found no room in the pool has to decode; 0 while none waits for that. */
  #wantedPoolBytes = 0;
  /** A connection that was held back for the pool's sake may go on. */
  #hasUnblocked = false;
  readonly #writer = new FlatWriter();
  /** Bounded by what the application has in flight. */
  #held: Held[] = [];
  /** Only the newest matters to an application that is behind. */
  #heldMetadata: MetadataUpdate | null = null;
  #isBehind = false;
  /** What the response that found no room expects to need; 0 while only held frames wait. */
  #neededBytes = 0;
  #hasNews = false;

  constructor(end: NetworkEnd, config: KafkaClientConfig, pool: CodecPool, host: ResponseHost, metrics: Metrics) {
    this.#end = end;
    this.#config = config;
    this.#pool = pool;
    this.#host = host;
    this.#metrics = metrics;
    this.#pooledOptions = decodeOptions(config);
    this.#inlineOptions = pool.isEnabled
      ? { ...this.#pooledOptions, maxInlineBytes: config.codecPoolThresholdBytes }
      : this.#pooledOptions;
  }

  /** Whether something waits for room. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  onResponse(request: InFlightRequest, reader: WireReader): number {
    // Behind a response that is still in the pool only another one for the pool may go ahead.
    const mayPool = reader.remaining > this.#config.codecPoolThresholdBytes;
    if (this.#pooled.hasAny(request.nodeId) && (!mayPool || this.#plain.has(request))) return notDelivered;
    const bodyStart = reader.offset;
    const { responses } = this.#end;
    const expectedBytes = Math.min(
      RESPONSE_PREFIX_BYTES + flatOverheadBytes + reader.remaining * flatPerWire,
      maxBodyBytes,
    );
    // What waits goes first: an application must not see a later response before an earlier failure.
    if (this.#isBehind || !this.#hasRoom(expectedBytes)) return this.#fellBehind(expectedBytes);
    // A big body is claimed small: the decoder knows its size better by the time it needs the room.
    if (!responses.begin(Math.min(expectedBytes, beginBytes))) return this.#fellBehind(expectedBytes);
    const { codec, version } = request;
    let throttleTimeMs: number;
    let neededBytes: number;
    try {
      const writer = this.#writer.reset(responses, RESPONSE_PREFIX_BYTES);
      codec.decodeResponse(reader, writer, version, this.#inlineOptions);
      const usedBytes = writer.finish();
      if (this.#pooled.hasAny(request.nodeId)) {
        responses.abandon();
        this.#plain.add(request);
        return notDelivered;
      }
      const message = this.#openMessage(usedBytes);
      throttleTimeMs = responseThrottleTimeMs(codec.apiKey, message);
      this.#learn(codec.apiKey, message);
      this.#writePrefix(codec.apiKey, version, 0);
      if (responses.commit(RESPONSE, request.requestId, request.nodeId, usedBytes)) {
        this.#delivered(reader.remaining);
        return throttleTimeMs;
      }
      // A moved body counts as long as its buffer.
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
    this.#put({ kind: FAILURE, request, error });
  }

  onSentWithoutResponse(request: InFlightRequest): void {
    this.#metrics.requestSucceeded();
    this.#put({ kind: RESPONSE, request });
  }

  onPolled(pollId: number): void {
    this.#put({ kind: POLLED, pollId });
  }

  onMetadata(update: MetadataUpdate): void {
    this.#heldMetadata = update;
    this.#flushMetadata();
  }

  /** True once after a connection that had to wait for the codec pool may go on. */
  takeUnblocked(): boolean {
    // Looked at every turn: the tasks in its way may be another attachment's, or requests.
    if (this.#wantedPoolBytes > 0 && this.#pool.hasRoom(this.#wantedPoolBytes, this.#account)) {
      this.#wantedPoolBytes = 0;
      this.#hasUnblocked = true;
    }
    const hasUnblocked = this.#hasUnblocked;
    this.#hasUnblocked = false;
    return hasUnblocked;
  }

  /** Delivers what waits while there is room. True once nothing waits any more and responses may flow again. */
  flush(now: number): boolean {
    if (!this.#isBehind) return true;
    let written = 0;
    while (written < this.#held.length && this.#write(this.#held[written]!)) written++;
    this.#held = this.#held.slice(written);
    if (this.#held.length > 0) return false;
    this.#flushMetadata();
    if (this.#heldMetadata !== null) return false;
    // Without room for it, the response would be decoded in vain again, and again the next turn.
    if (this.#neededBytes > 0 && !this.#hasRoom(this.#neededBytes)) return false;
    this.#isBehind = false;
    this.#deliverPooled(now);
    if (this.#isBehind) return false;
    this.#end.responses.setWaiting(false);
    return true;
  }

  /** Wakes the application thread if anything was written since the last call. */
  notify(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#end.applicationDoorbell.notify();
  }

  /** Moves the frame to the codec pool; the connection reads on meanwhile. */
  #decodeInPool(request: InFlightRequest, reader: WireReader, bodyStart: number): number {
    const { bytes, end } = reader;
    const byteCount = end - bodyStart;
    if (!this.#pool.hasRoom(byteCount, this.#account)) {
      this.#wantedPoolBytes = this.#wantedPoolBytes === 0 ? byteCount : Math.min(this.#wantedPoolBytes, byteCount);
      return notDelivered;
    }
    const response = this.#pooled.add(request);
    const { codec, version } = request;
    const task = { start: bodyStart, end, apiKey: codec.apiKey, version, prefixBytes: RESPONSE_PREFIX_BYTES };
    const done = (outcome: DecodedBody | Error, now: number): void => {
      response.outcome = outcome;
      this.#deliverPooled(now);
    };
    this.#pool.decode({ kind: 'decode', frame: bytes, ...task, options: this.#pooledOptions }, done, this.#account);
    return 0;
  }

  #deliverPooled(now: number): void {
    if (this.#isBehind) return;
    if (this.#pooled.deliver((response) => this.#writePooled(response, now))) this.#hasUnblocked = true;
  }

  #writePooled({ request, outcome }: PooledResponse, now: number): boolean {
    if (outcome === null) return false;
    if (outcome instanceof Error) {
      this.onFailure(request, withNodeId(outcome, request.nodeId));
      // A thread that was lost says nothing about the connection; a body that cannot be read does.
      if (outcome instanceof KafkaProtocolError) this.#host.onPooledFailure(request, outcome, now);
      return true;
    }
    const { responses } = this.#end;
    const { buffer, usedBytes, throttleTimeMs, extraBytes } = outcome;
    if (!this.#hasRoom(buffer.byteLength)) {
      this.#fellBehind(buffer.byteLength);
      return false;
    }
    // Of a buffer that has been moved the length is 0.
    const { byteLength } = buffer;
    responses.adopt(buffer);
    this.#learn(request.codec.apiKey, this.#openMessage(usedBytes));
    this.#writePrefix(request.codec.apiKey, request.version, 0);
    if (!responses.commit(RESPONSE, request.requestId, request.nodeId, usedBytes)) {
      responses.abandon();
      this.#fellBehind(buffer.byteLength);
      return false;
    }
    this.#pool.release(this.#account, byteLength);
    this.#delivered(extraBytes);
    if (throttleTimeMs > 0) this.#host.onPooledThrottle(request, throttleTimeMs, now);
    return true;
  }

  #delivered(extraBytes: number): void {
    this.#hasNews = true;
    this.#metrics.requestSucceeded();
    if (extraBytes > 0) this.#metrics.count('responsesWithExtraBytes');
  }

  /** The response that is being written, its prefix left out. */
  #openMessage(byteLength: number): FlatMessage {
    const { i32, u8, base } = this.#end.responses;
    return new FlatMessage({ i32, u8, base, byteLength }, RESPONSE_PREFIX_BYTES);
  }

  #learn(apiKey: number, message: FlatMessage): void {
    const hints = responseClusterHints(apiKey, message);
    if (hints !== null) this.#host.onClusterHints(hints);
  }

  #put(held: Held): void {
    if (!this.#isBehind && this.#write(held)) return;
    this.#held.push(held);
    this.#fellBehind();
  }

  #write(held: Held): boolean {
    const { responses } = this.#end;
    let isWritten: boolean;
    if (held.kind === POLLED) isWritten = responses.commitEmpty(POLLED, held.pollId, 0);
    else if (held.kind === RESPONSE)
      isWritten = responses.commitEmpty(RESPONSE, held.request.requestId, held.request.nodeId);
    else isWritten = this.#writeFailure(held.request, held.error);
    if (isWritten) this.#hasNews = true;
    return isWritten;
  }

  #writeFailure({ requestId, nodeId }: RequestName, error: Error): boolean {
    const text = Buffer.from(JSON.stringify(toPlainError(error)), 'utf8');
    const { responses } = this.#end;
    if (!responses.begin(text.length)) return false;
    responses.u8.set(text, responses.base);
    if (responses.commit(FAILURE, requestId, nodeId, text.length)) return true;
    responses.abandon();
    return false;
  }

  #flushMetadata(): void {
    const update = this.#heldMetadata;
    if (update === null) return;
    if (this.#writeMetadata(update)) {
      this.#heldMetadata = null;
      this.#hasNews = true;
    } else {
      this.#fellBehind();
    }
  }

  #writeMetadata(update: MetadataUpdate): boolean {
    const { responses } = this.#end;
    const { bytes } = update;
    if (!responses.begin(RESPONSE_PREFIX_BYTES + bytes.byteLength)) return false;
    this.#writePrefix(Metadata.key, update.version, update.updateId);
    copyMessage(bytes, responses.u8, responses.base + RESPONSE_PREFIX_BYTES);
    if (responses.commit(METADATA, update.updateId, update.nodeId, RESPONSE_PREFIX_BYTES + bytes.byteLength))
      return true;
    responses.abandon();
    return false;
  }

  #writePrefix(apiKey: number, version: number, flags: number): void {
    const { i32, base } = this.#end.responses;
    const word = base >>> 2;
    i32.fill(0, word, word + (RESPONSE_PREFIX_BYTES >>> 2));
    i32[word + RESPONSE_API_KEY_WORD] = apiKey;
    i32[word + RESPONSE_VERSION_WORD] = version;
    i32[word + RESPONSE_FLAGS_WORD] = flags;
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

function copyMessage(bytes: MessageBytes, target: Uint8Array, targetOffset: number): void {
  target.set(bytes.u8.subarray(bytes.base, bytes.base + bytes.byteLength), targetOffset);
}

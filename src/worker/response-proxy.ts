// Owns the writing of one attachment's response link: responses decoded straight into it, failures, metadata, answers to
// polls. Network thread. Must not drop anything: what does not fit waits here, in order, and its channel is muted.

import type { KafkaClientConfig } from '../common/config.ts';
import { toPlainError } from '../common/errors.ts';
import type { MessageBytes } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import type { WireReader } from '../protocol/wire/wire-reader.ts';
import type { NetworkEnd } from '../ring/attachment.ts';
import {
  FAILURE,
  METADATA,
  POLLED,
  RESPONSE,
  RESPONSE_API_KEY_WORD,
  RESPONSE_FLAGS_WORD,
  RESPONSE_PREFIX_BYTES,
  RESPONSE_VERSION_WORD,
} from '../ring/frames.ts';
import { decodeOptions, responseThrottleTimeMs } from './decode.ts';
import { type InFlightRequest, notDelivered, type RequestName, type RequestOwner } from './in-flight-requests.ts';
import type { MetadataUpdate } from './metadata.ts';

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
  readonly #writer = new FlatWriter();
  /** Bounded by what the application has in flight. */
  #held: Held[] = [];
  /** Only the newest matters to an application that is behind. */
  #heldMetadata: MetadataUpdate | null = null;
  #isBehind = false;
  #hasNews = false;

  constructor(end: NetworkEnd, config: KafkaClientConfig) {
    this.#end = end;
    this.#config = config;
  }

  /** Whether something waits for room. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  onResponse(request: InFlightRequest, reader: WireReader): number {
    const { responses } = this.#end;
    const expectedBytes = Math.min(
      RESPONSE_PREFIX_BYTES + flatOverheadBytes + reader.remaining * flatPerWire,
      maxBodyBytes,
    );
    // What waits goes first: an application must not see a later response before an earlier failure.
    if (this.#isBehind || !responses.hasRoom(expectedBytes)) return this.#fellBehind();
    // A big body is claimed small: the decoder knows its size better by the time it needs the room.
    if (!responses.begin(Math.min(expectedBytes, beginBytes))) return this.#fellBehind();
    const { codec, version } = request;
    let throttleTimeMs: number;
    try {
      const writer = this.#writer.reset(responses, RESPONSE_PREFIX_BYTES);
      codec.decodeResponse(reader, writer, version, decodeOptions(this.#config));
      const usedBytes = writer.finish();
      throttleTimeMs = responseThrottleTimeMs(
        codec.apiKey,
        new FlatMessage(
          { i32: responses.i32, u8: responses.u8, base: responses.base, byteLength: usedBytes },
          RESPONSE_PREFIX_BYTES,
        ),
      );
      this.#writePrefix(codec.apiKey, version, 0);
      if (responses.commit(RESPONSE, request.requestId, request.nodeId, usedBytes)) {
        this.#hasNews = true;
        return throttleTimeMs;
      }
    } catch (error) {
      responses.abandon();
      throw error;
    }
    responses.abandon();
    return this.#fellBehind();
  }

  onFailure(request: RequestName, error: Error): void {
    this.#put({ kind: FAILURE, request, error });
  }

  onSentWithoutResponse(request: InFlightRequest): void {
    this.#put({ kind: RESPONSE, request });
  }

  onPolled(pollId: number): void {
    this.#put({ kind: POLLED, pollId });
  }

  onMetadata(update: MetadataUpdate): void {
    this.#heldMetadata = update;
    this.#flushMetadata();
  }

  /** Delivers what waits while there is room. True once nothing waits any more and responses may flow again. */
  flush(): boolean {
    if (!this.#isBehind) return true;
    let written = 0;
    while (written < this.#held.length && this.#write(this.#held[written]!)) written++;
    this.#held = this.#held.slice(written);
    if (this.#held.length > 0) return false;
    this.#flushMetadata();
    if (this.#heldMetadata !== null) return false;
    this.#isBehind = false;
    this.#end.responses.setWaiting(false);
    return true;
  }

  /** Wakes the application thread if anything was written since the last call. */
  notify(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#end.applicationDoorbell.notify();
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
    this.#writePrefix(METADATA_API_KEY, update.version, update.updateId);
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

  #fellBehind(): typeof notDelivered {
    this.#isBehind = true;
    this.#end.responses.setWaiting(true);
    return notDelivered;
  }
}

const METADATA_API_KEY = 3;

function copyMessage(bytes: MessageBytes, target: Uint8Array, targetOffset: number): void {
  target.set(bytes.u8.subarray(bytes.base, bytes.base + bytes.byteLength), targetOffset);
}

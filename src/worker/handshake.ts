// Owns what happens between an open transport and a ready connection: the version exchange, and where SASL will follow
// it. Network thread. Every connection makes one of its own. Source: KIP-35, KIP-511.

import { KafkaProtocolError, UnsupportedVersionError } from '../common/errors.ts';
import { HeapMemory } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import { ApiVersions } from '../protocol/flat/generated/apis.ts';
import { wireCodec } from '../protocol/wire/codecs.ts';
import type { WireReader } from '../protocol/wire/wire-reader.ts';
import { NodeApiVersions, type VersionRange } from './api-versions.ts';
import type { InFlightRequest, RequestOwner } from './in-flight-requests.ts';
import type { Node } from './node.ts';

const unsupportedVersionCode = 35;
const softwareName = 'offthread-kafka';
const softwareVersion = '0.1.0';

/** What a handshake needs of the client that runs it. */
export interface HandshakeHost {
  transmit(
    node: Node,
    owner: RequestOwner,
    codec: ReturnType<typeof wireCodec>,
    version: number,
    message: FlatMessage,
    now: number,
  ): void;
  onHandshakeDone(node: Node, now: number): void;
  onHandshakeFailed(node: Node, error: Error, now: number): void;
}

export class Handshake implements RequestOwner {
  readonly isInternal = true;
  readonly #host: HandshakeHost;
  readonly #node: Node;
  readonly #codec = wireCodec(ApiVersions.key);
  readonly #writer = new FlatWriter();
  #hasTriedVersion0 = false;

  constructor(host: HandshakeHost, node: Node) {
    this.#host = host;
    this.#node = node;
  }

  start(now: number): void {
    this.#ask(this.#codec.maxVersion, now);
  }

  onResponse(request: InFlightRequest, reader: WireReader, now: number): number {
    const message = this.#decode(request, reader);
    const response = ApiVersions.readResponse(message);
    const ranges = new Map<number, VersionRange>();
    for (const key of response.apiKeys) ranges.set(key.apiKey, { min: key.minVersion, max: key.maxVersion });
    if (response.errorCode === unsupportedVersionCode) {
      this.#askLower(request.version, ranges.get(ApiVersions.key), now);
    } else if (response.errorCode !== 0) {
      const text = `the broker answered ApiVersions with error code ${response.errorCode}`;
      this.#host.onHandshakeFailed(
        this.#node,
        new KafkaProtocolError(text, { nodeId: this.#node.id, apiKey: ApiVersions.key }),
        now,
      );
    } else {
      this.#node.apiVersions = new NodeApiVersions(ranges);
      this.#host.onHandshakeDone(this.#node, now);
    }
    return 0;
  }

  onFailure(): void {
    // The connection is gone, and whoever ended it has dealt with the node.
  }

  onSentWithoutResponse(): void {
    throw new Error('ApiVersions always has a response');
  }

  /** An answer with error 35 has the form of version 0, whatever was asked. */
  #decode(request: InFlightRequest, reader: WireReader): FlatMessage {
    const memory = new HeapMemory(4096);
    this.#writer.reset(memory);
    const errorCode = reader.remaining < 2 ? 0 : (reader.bytes[reader.offset]! << 8) | reader.bytes[reader.offset + 1]!;
    const version = errorCode === unsupportedVersionCode ? 0 : request.version;
    request.codec.decodeResponse(reader, this.#writer, version, {
      verifyCrc: false,
      records: 'raw',
      maxDecompressedBytes: 0,
    });
    const byteLength = this.#writer.finish();
    return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
  }

  #askLower(version: number, advertised: VersionRange | undefined, now: number): void {
    if (version === 0 || this.#hasTriedVersion0) {
      const text = `the broker supports no version of ApiVersions that this client knows (0 to ${this.#codec.maxVersion})`;
      this.#host.onHandshakeFailed(
        this.#node,
        new UnsupportedVersionError(text, { nodeId: this.#node.id, apiKey: ApiVersions.key }),
        now,
      );
      return;
    }
    const lower = advertised !== undefined && advertised.max < version && advertised.max >= 0 ? advertised.max : 0;
    this.#ask(lower, now);
  }

  #ask(version: number, now: number): void {
    if (version === 0) this.#hasTriedVersion0 = true;
    const memory = new HeapMemory();
    const names = version >= 3 ? { clientSoftwareName: softwareName, clientSoftwareVersion: softwareVersion } : {};
    ApiVersions.writeRequest(this.#writer.reset(memory), names);
    const byteLength = this.#writer.finish();
    const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
    this.#host.transmit(this.#node, this, this.#codec, version, message, now);
  }
}

// Owns what happens between an open transport and a ready connection, except the login: the version exchange, and the
// check that the peer is the broker that was meant. Network thread. Every connection has its own handshake; what is
// remembered after it is in version-probe.ts. Source: KIP-35, KIP-511, KIP-1242.
//
//   without login:  ApiVersions, with both ids if the broker is known to take them           -> ready
//                   ApiVersions in an older version; the answer says that 5 is spoken -> ApiVersions 5 with both ids -> ready
//   with login:     ApiVersions without ids -> login -> ApiVersions 5 with both ids          -> ready
//
// A broker does not compare the ids before the login, and an unknown peer should not learn the cluster's id.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { usesSasl } from '../../common/config/sasl-config.ts';
import { KafkaProtocolError, UnsupportedVersionError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { packageVersion } from '../../common/generated/package-version.ts';
import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { ApiVersions, FindCoordinator, ListGroups, Metadata, OffsetFetch } from '../../protocol/flat/generated/apis.ts';
import { type WireCodec, wireCodec } from '../../protocol/wire/codecs.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { InFlightRequest, RequestOwner } from '../requests/request-owner.ts';
import { NodeApiVersions, type VersionLimit, type VersionRange } from './api-versions.ts';
import { findVersion, hasApiVersions, rangesOfVersion } from './broker-versions.ts';
import { type ExpectedPeer, expectedPeer, expectedPeerVersion, misroutedError } from './expected-peer.ts';
import type { Node } from './node.ts';
import { ignoresApiVersions, listGroupsProbe, type OldProbe } from './version-probe.ts';

const softwareName = 'offthread-kafka';
/** A group that nobody uses. The client only asks for its coordinator. */
const probeGroup = 'offthread-kafka-version-probe';

/** A name that no topic can have: the response is small, and no topic is created. */
const noTopic = '?';

/** What a handshake needs of the client that runs it. */
export interface HandshakeHost {
  transmit(node: Node, owner: RequestOwner, codec: WireCodec, version: number, message: FlatMessage, now: number): void;
  /**
   * Called once before the login, and again after it if the peer was checked then.
   * @param hasAnswered false: the version was known, so nothing was asked
   */
  onHandshakeDone(node: Node, hasAnswered: boolean, now: number): void;
  onHandshakeFailed(node: Node, error: Error, now: number): void;
  /** The connection led to another broker than the one that was meant. */
  onMisrouted(node: Node, error: Error, now: number): void;
  /**
   * The features that are finalized in the whole cluster, as the broker says. @param epoch -1: the broker does not
   * know it
   */
  onFinalizedFeatures(epoch: bigint, levels: ReadonlyMap<string, number>): void;
}

export interface HandshakeOptions {
  /** The configured `apiVersion`, or null. */
  readonly limit: VersionLimit | null;
  /** How long ApiVersions may stay unanswered before a request that every broker knows is sent behind it. */
  readonly silenceMs: number;
  /** Connections log in between the version exchange and ready. */
  readonly isLoginNeeded: boolean;
  /** Whom connections of the node have to reach, as far as that is known now. */
  readonly expectedPeer: (node: Node) => ExpectedPeer | null;
}

const maxSilenceMs = 500;

/** @param clusterId of the newest metadata; null before it, and where brokers have none */
export function handshakeOptions(config: KafkaClientConfig, clusterId: () => string | null): HandshakeOptions {
  const { apiVersion, connectionSetupTimeoutMs, apiVersionAutoTimeoutMs } = config;
  const version = apiVersion === null ? undefined : findVersion(apiVersion);
  const isLoginNeeded = usesSasl(config);
  return {
    limit: version === undefined ? null : { version, ranges: rangesOfVersion(version) },
    // Short enough that a broker that ignores ApiVersions is ready in time. With SASL no other request is sent:
    // brokers that ignore ApiVersions know no SASL, and a broker with SASL closes the connection on any other request
    // before the login.
    isLoginNeeded,
    expectedPeer: (node) => expectedPeer(node, clusterId(), config),
    silenceMs: isLoginNeeded
      ? Number.POSITIVE_INFINITY
      : Math.min(maxSilenceMs, connectionSetupTimeoutMs / 4, apiVersionAutoTimeoutMs / 4),
  };
}

export class Handshake implements RequestOwner {
  readonly isInternal = true;
  readonly #host: HandshakeHost;
  readonly #node: Node;
  readonly #options: HandshakeOptions;
  readonly #codec = wireCodec(ApiVersions.key);
  readonly #metadataCodec = wireCodec(Metadata.key);
  readonly #writer = new FlatWriter();
  #hasTriedVersion0 = false;
  #isOver = false;
  /** The peer that ApiVersions named. */
  #namedPeer: ExpectedPeer | null = null;
  /** The broker answered the request behind ApiVersions, but not ApiVersions. */
  #isApiVersionsIgnored = false;
  #behindAt = Number.POSITIVE_INFINITY;

  constructor(host: HandshakeHost, node: Node, options: HandshakeOptions) {
    this.#host = host;
    this.#node = node;
    this.#options = options;
  }

  /** When a silent broker counts as one that ignores ApiVersions; ms, or Infinity. */
  get behindAt(): number {
    return this.#behindAt;
  }

  start(now: number): void {
    const { limit } = this.#options;
    const { probe } = this.#node;
    const { step } = probe;
    const known = probe.known(now);
    if (limit !== null && !hasApiVersions(limit.version)) {
      // A broker that does not know ApiVersions closes the connection, or is silent.
      this.#done(new NodeApiVersions(limit.ranges, limit.version), false, now);
    } else if (known !== null) {
      this.#done(known, false, now);
    } else if (typeof step === 'object') {
      // A broker is really old if it closes the connection because of ApiVersions, or if it answers only the request
      // behind it.
      this.#askOld(step, now);
      this.#ask(0, now);
      if (step === listGroupsProbe) this.#askOld(step, now);
    } else {
      const version = step === 'newest' ? Math.min(this.#codec.maxVersion, probe.newestApiVersions) : 0;
      if (version >= expectedPeerVersion && !this.#options.isLoginNeeded) this.#namedPeer = this.#peerToName(null);
      this.#ask(version, now);
      this.#expectAnswer(now);
    }
  }

  /**
   * After the login: asks whether the peer is the broker that was meant. The handshake is over again when the answer
   * has come. False if there is nothing to ask.
   */
  confirmPeer(now: number): boolean {
    const peer = this.#peerToName(this.#node.apiVersions!.ranges);
    if (peer === null) return false;
    this.#isOver = false;
    this.#askPeer(peer, now);
    return true;
  }

  /**
   * Sends a request that every broker knows behind the ApiVersions that is not answered: the order of the answers
   * shows what kind of broker it is.
   */
  expire(now: number): void {
    if (now < this.#behindAt) return;
    this.#behindAt = Number.POSITIVE_INFINITY;
    this.#send(this.#metadataCodec, 0, (writer) => Metadata.writeRequest(writer, { topics: [{ name: noTopic }] }), now);
  }

  /** Answers come in order, so the ApiVersions in front of this request will never be answered. */
  isOvertaken(request: InFlightRequest, correlationId: number): boolean {
    if (request.owner !== this || request.codec !== this.#codec) return false;
    if (correlationId !== request.correlationId + 1 || this.#node.inFlight.size === 1) return false;
    this.#isApiVersionsIgnored = true;
    return true;
  }

  onResponse(request: InFlightRequest, reader: WireReader, now: number): number {
    this.#behindAt = Number.POSITIVE_INFINITY;
    if (this.#isOver) return 0;
    if (request.codec.apiKey === ApiVersions.key) this.#onApiVersions(request, reader, now);
    else this.#onOldProbe(request, reader, now);
    return 0;
  }

  onFailure(): void {
    // The connection is gone, and the code that ended it has updated the node.
  }

  onSentWithoutResponse(): void {
    throw new Error('every request of a handshake has a response');
  }

  #onApiVersions(request: InFlightRequest, reader: WireReader, now: number): void {
    // A response with error 35 has the format of version 0, whatever version was asked for.
    const errorCode = reader.remaining < 2 ? 0 : (reader.bytes[reader.offset]! << 8) | reader.bytes[reader.offset + 1]!;
    const version = errorCode === errorCodes.UNSUPPORTED_VERSION ? 0 : request.version;
    const response = ApiVersions.readResponse(this.#decode(request, reader, version));
    const ranges = new Map<number, VersionRange>();
    for (const key of response.apiKeys) ranges.set(key.apiKey, { min: key.minVersion, max: key.maxVersion });
    if (response.errorCode === errorCodes.UNSUPPORTED_VERSION) {
      this.#askLower(request.version, ranges.get(ApiVersions.key), now);
    } else if (response.errorCode === errorCodes.REBOOTSTRAP_REQUIRED && this.#namedPeer !== null) {
      this.#host.onMisrouted(this.#node, misroutedError(this.#namedPeer, this.#node), now);
    } else if (response.errorCode !== 0) {
      const text = `the broker answered ApiVersions with error code ${response.errorCode}`;
      const details = { nodeId: this.#node.id, apiKey: ApiVersions.key };
      this.#host.onHandshakeFailed(this.#node, new KafkaProtocolError(text, details), now);
    } else {
      const levels = new Map(response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
      this.#host.onFinalizedFeatures(response.finalizedFeaturesEpoch.toBigInt(), levels);
      this.#node.probe.succeeded(ranges.get(ApiVersions.key)?.max);
      this.#onRanges(ranges, now);
    }
  }

  #onRanges(ranges: ReadonlyMap<number, VersionRange>, now: number): void {
    const peer = this.#options.isLoginNeeded ? null : this.#peerToName(ranges);
    if (peer === null) this.#done(new NodeApiVersions(ranges), true, now);
    else this.#askPeer(peer, now);
  }

  /**
   * The peer to name, if it was not named yet and the broker supports it. @param ranges of the broker; null before it
   * has sent them
   */
  #peerToName(ranges: ReadonlyMap<number, VersionRange> | null): ExpectedPeer | null {
    const { limit } = this.#options;
    if (this.#namedPeer !== null || !takesPeer(ranges) || !takesPeer(limit?.ranges ?? null)) return null;
    return this.#options.expectedPeer(this.#node);
  }

  #askPeer(peer: ExpectedPeer, now: number): void {
    this.#namedPeer = peer;
    this.#ask(expectedPeerVersion, now);
  }

  /** Any response that can be decoded is enough: its error code says nothing about versions. */
  #onOldProbe(request: InFlightRequest, reader: WireReader, now: number): void {
    this.#decode(request, reader, request.version);
    const { probe } = this.#node;
    const { step } = probe;
    if (this.#isApiVersionsIgnored) {
      this.#done(probe.confirm(ignoresApiVersions, now), true, now);
    } else if (typeof step === 'object' && step.apiKey === request.codec.apiKey) {
      probe.answered(step.version);
      if (step !== listGroupsProbe) this.#expectAnswer(now);
    }
  }

  #done(versions: NodeApiVersions, hasAnswered: boolean, now: number): void {
    this.#isOver = true;
    this.#node.apiVersions = versions.limitedTo(this.#options.limit);
    this.#host.onHandshakeDone(this.#node, hasAnswered, now);
  }

  #expectAnswer(now: number): void {
    if (this.#node.probe.mayAskOthers) this.#behindAt = now + this.#options.silenceMs;
  }

  #decode(request: InFlightRequest, reader: WireReader, version: number): FlatMessage {
    const memory = new HeapMemory(4096);
    this.#writer.reset(memory);
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
      const details = { nodeId: this.#node.id, apiKey: ApiVersions.key };
      this.#host.onHandshakeFailed(this.#node, new UnsupportedVersionError(text, details), now);
      return;
    }
    const lower = advertised !== undefined && advertised.max < version && advertised.max >= 0 ? advertised.max : 0;
    this.#ask(lower, now);
  }

  #ask(version: number, now: number): void {
    if (version === 0) this.#hasTriedVersion0 = true;
    // A broker wants both ids, or none.
    const request = {
      ...(version >= 3 ? { clientSoftwareName: softwareName, clientSoftwareVersion: packageVersion } : {}),
      ...(version >= expectedPeerVersion ? this.#namedPeer : {}),
    };
    this.#send(this.#codec, version, (writer) => ApiVersions.writeRequest(writer, request), now);
  }

  #askOld({ apiKey }: OldProbe, now: number): void {
    this.#send(wireCodec(apiKey), 0, (writer) => writeOldProbe(apiKey, writer), now);
  }

  #send(codec: WireCodec, version: number, write: (writer: FlatWriter) => void, now: number): void {
    const memory = new HeapMemory();
    write(this.#writer.reset(memory));
    const byteLength = this.#writer.finish();
    const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
    this.#host.transmit(this.#node, this, codec, version, message, now);
  }
}

function takesPeer(ranges: ReadonlyMap<number, VersionRange> | null): boolean {
  if (ranges === null) return true;
  const range = ranges.get(ApiVersions.key);
  return range !== undefined && range.min <= expectedPeerVersion && range.max >= expectedPeerVersion;
}

function writeOldProbe(apiKey: number, writer: FlatWriter): void {
  if (apiKey === ListGroups.key) ListGroups.writeRequest(writer, {});
  else if (apiKey === FindCoordinator.key) FindCoordinator.writeRequest(writer, { key: probeGroup });
  else if (apiKey === OffsetFetch.key) OffsetFetch.writeRequest(writer, { groupId: probeGroup, topics: [] });
  else Metadata.writeRequest(writer, { topics: [] });
}

// Owns the frames of an attachment's two links: the fields of each kind, and the only functions that write and read them. Every thread.
// Must not know the content of Kafka messages.

import { RingCorruptError } from '../../common/errors/errors.ts';
import type { PlainError } from '../../common/errors/plain-error.ts';
import type { MessageBytes } from '../../common/memory.ts';
import { isLaneName, laneNameRule, maxLaneNameLength } from '../../common/node-ids.ts';
import type { LinkReader } from '../link-reader.ts';
import type { LinkWriter } from '../link-writer.ts';
import type { OwnedBytes } from '../owned-bytes.ts';
import { bytesOf, jsonBytesOf, jsonIn, textIn, writeFrame } from './frame.ts';
import { CONNECT, CONNECT_LANE, DISCONNECT, FAILURE, METADATA, POLL, POLLED, RESPONSE, SEND, SENT } from './kinds.ts';

/*
 *                 requestId   detail     body
 *   SEND          requestId   nodeId     prefix (below), flat request                to the network thread
 *   POLL          pollId      -          -
 *   CONNECT       -           nodeId     -
 *   DISCONNECT    -           nodeId     -
 *   CONNECT_LANE  -           brokerId   lane, ASCII
 *   RESPONSE      requestId   -          flat response                               to the application thread
 *   SENT          requestId   -          -
 *   FAILURE       requestId   nodeId     PlainError as JSON
 *   METADATA      updateId    -          flat Metadata response
 *   POLLED        pollId      -          -
 *
 *   SEND prefix, words:  0 apiKey   1 version   2 timeoutMs   3 nothing   4 flat request
 *
 * `write...` returns false when there is no room; nothing was written then. `commit...` publishes the message that is open in the link.
 * If it returns false, the message is still open. `read...` reads the current frame in place. `take...` also releases it.
 */

/** One request. */
export interface SendFrame {
  /** uint32. */
  requestId: number;
  nodeId: number;
  apiKey: number;
  /** -1: the highest version in common. */
  version: number;
  /** -1: `requestTimeoutMs`. */
  timeoutMs: number;
}

/** Bytes before the flat request, which a FlatWriter skips. */
export const SEND_PREFIX_BYTES = 16;
const API_KEY_WORD = 0;
const VERSION_WORD = 1;
const TIMEOUT_WORD = 2;

export function commitSend(link: LinkWriter, frame: Readonly<SendFrame>, usedBytes: number): boolean {
  const { i32 } = link;
  const word = link.base >>> 2;
  i32[word + API_KEY_WORD] = frame.apiKey;
  i32[word + VERSION_WORD] = frame.version;
  i32[word + TIMEOUT_WORD] = frame.timeoutMs;
  return link.commit(SEND, frame.requestId, frame.nodeId, usedBytes);
}

/** Fills `into`. The flat request stays in the link, behind SEND_PREFIX_BYTES. */
export function readSend(link: LinkReader, into: SendFrame): void {
  if (link.byteLength < SEND_PREFIX_BYTES) {
    throw new RingCorruptError(`a request of ${link.byteLength} bytes, expected at least ${SEND_PREFIX_BYTES}`);
  }
  const { i32 } = link;
  const word = link.base >>> 2;
  into.requestId = link.requestId;
  into.nodeId = link.detail;
  into.apiKey = i32[word + API_KEY_WORD]!;
  into.version = i32[word + VERSION_WORD]!;
  into.timeoutMs = i32[word + TIMEOUT_WORD]!;
}

/** Writes a fence. POLLED answers it. */
export function writePoll(link: LinkWriter, pollId: number): boolean {
  return link.commitEmpty(POLL, pollId, 0);
}

/** @returns pollId */
export function readPoll(link: LinkReader): number {
  return link.requestId;
}

/** Asks for a connection to a node. */
export function writeConnect(link: LinkWriter, nodeId: number): boolean {
  return link.commitEmpty(CONNECT, 0, nodeId);
}

/** @returns nodeId */
export function readConnect(link: LinkReader): number {
  return link.detail;
}

/** Closes the connection to a node. */
export function writeDisconnect(link: LinkWriter, nodeId: number): boolean {
  return link.commitEmpty(DISCONNECT, 0, nodeId);
}

/** @returns nodeId */
export function readDisconnect(link: LinkReader): number {
  return link.detail;
}

/** Asks for a connection to a broker in a lane. The network thread makes a node for it. */
export interface ConnectLaneFrame {
  readonly brokerId: number;
  readonly lane: string;
}

export function writeConnectLane(link: LinkWriter, { brokerId, lane }: ConnectLaneFrame): boolean {
  return writeFrame(link, { kind: CONNECT_LANE, requestId: 0, detail: brokerId, body: bytesOf(lane) });
}

export function readConnectLane(link: LinkReader): ConnectLaneFrame {
  const lane = textIn(link, 0, Math.min(link.byteLength, maxLaneNameLength + 1));
  if (!isLaneName(lane)) {
    throw new RingCorruptError(`a frame names lane ${JSON.stringify(lane)}, expected ${laneNameRule}`);
  }
  return { brokerId: link.detail, lane };
}

/** One response: `body` is the flat message. */
export interface ResponseFrame {
  /** uint32. */
  requestId: number;
  body: OwnedBytes;
}

export function commitResponse(link: LinkWriter, requestId: number, usedBytes: number): boolean {
  return link.commit(RESPONSE, requestId, 0, usedBytes);
}

/** Fills `into`, and returns it. */
export function takeResponse(link: LinkReader, into: ResponseFrame): ResponseFrame {
  into.requestId = link.requestId;
  into.body = link.own();
  link.release();
  return into;
}

/** The socket has a request without response (Produce with acks 0). */
export function writeSent(link: LinkWriter, requestId: number): boolean {
  return link.commitEmpty(SENT, requestId, 0);
}

/** @returns requestId */
export function takeSent(link: LinkReader): number {
  const { requestId } = link;
  link.release();
  return requestId;
}

/** A request failed. */
export interface FailureFrame {
  /** uint32. */
  readonly requestId: number;
  readonly nodeId: number;
  readonly error: PlainError;
}

export function writeFailure(link: LinkWriter, { requestId, nodeId, error }: FailureFrame): boolean {
  return writeFrame(link, { kind: FAILURE, requestId, detail: nodeId, body: jsonBytesOf(error) });
}

export function takeFailure(link: LinkReader): FailureFrame {
  const { requestId, detail: nodeId } = link;
  const error = jsonIn(link) as PlainError;
  link.release();
  return { requestId, nodeId, error };
}

/** A newer Metadata response: `body` is the flat message. */
export interface MetadataFrame<Body extends MessageBytes = MessageBytes> {
  /** Counts refreshes from 1. */
  readonly updateId: number;
  readonly body: Body;
}

export function writeMetadata(link: LinkWriter, { updateId, body }: MetadataFrame): boolean {
  const { u8, base, byteLength } = body;
  return writeFrame(link, {
    kind: METADATA,
    requestId: updateId,
    detail: 0,
    body: u8.subarray(base, base + byteLength),
  });
}

export function takeMetadata(link: LinkReader): MetadataFrame<OwnedBytes> {
  const { requestId: updateId } = link;
  const body = link.own();
  link.release();
  return { updateId, body };
}

/** Answers a POLL. */
export function writePolled(link: LinkWriter, pollId: number): boolean {
  return link.commitEmpty(POLLED, pollId, 0);
}

/** @returns pollId */
export function takePolled(link: LinkReader): number {
  const { requestId } = link;
  link.release();
  return requestId;
}

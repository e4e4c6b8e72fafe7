// Owns the frames of a producer's calls and their answers: the fields of each kind, and the only functions that write and read them. Every
// thread. Must not know what a call does.

import type { PlainError } from '../../common/errors/plain-error.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import type { LinkReader } from '../link-reader.ts';
import { emptyFrame, type Frame, jsonBytesOf, jsonIn } from './frame.ts';
import * as kinds from './kinds.ts';

/*
 *                        requestId   detail        body
 *   FLUSH                callId      -             -                                to the network thread
 *   TRANSACTION_BEGIN    callId      -             -
 *   TRANSACTION_OFFSETS  callId      beganBy       TransactionOffsets as JSON
 *   TRANSACTION_END      callId      beganBy       true as JSON: commit
 *   PRODUCER_CLOSE       callId      timeoutMs     -
 *   FLUSHED              callId      -             -                                to the application thread
 *   TRANSACTION_DONE     callId      -             PlainError as JSON, or -
 *   PRODUCER_CLOSED      callId      -             -
 *   PRODUCER_FATAL       -           -             PlainError as JSON
 *
 * A callId is a uint32 that the answer repeats; `beganBy` is that of the TRANSACTION_BEGIN that began the transaction. `...Frame` makes a frame that can wait. `read...` reads the current frame in place.
 * `take...` releases it, too.
 */

/** Everything that was posted before must be sent now. FLUSHED answers it. */
export function flushFrame(callId: number): Frame {
  return emptyFrame(kinds.FLUSH, callId, 0);
}

/** @returns callId */
export function readFlush(link: LinkReader): number {
  return link.requestId;
}

/** A transaction begins. TRANSACTION_DONE answers it. */
export function transactionBeginFrame(callId: number): Frame {
  return emptyFrame(kinds.TRANSACTION_BEGIN, callId, 0);
}

/** @returns callId */
export function readTransactionBegin(link: LinkReader): number {
  return link.requestId;
}

/** Offsets must be committed with the transaction. TRANSACTION_DONE answers it. */
export interface TransactionOffsetsFrame {
  readonly callId: number;
  readonly beganBy: number;
  readonly offsets: TransactionOffsets;
}

export function transactionOffsetsFrame({ callId, beganBy, offsets }: TransactionOffsetsFrame): Frame {
  return { kind: kinds.TRANSACTION_OFFSETS, requestId: callId, detail: beganBy | 0, body: jsonBytesOf(offsets) };
}

export function readTransactionOffsets(link: LinkReader): TransactionOffsetsFrame {
  return { callId: link.requestId, beganBy: link.detail >>> 0, offsets: jsonIn(link) as TransactionOffsets };
}

/** The transaction ends. TRANSACTION_DONE answers it. */
export interface TransactionEndFrame {
  readonly callId: number;
  readonly beganBy: number;
  readonly isCommit: boolean;
}

export function transactionEndFrame({ callId, beganBy, isCommit }: TransactionEndFrame): Frame {
  return { kind: kinds.TRANSACTION_END, requestId: callId, detail: beganBy | 0, body: jsonBytesOf(isCommit) };
}

export function readTransactionEnd(link: LinkReader): TransactionEndFrame {
  return { callId: link.requestId, beganBy: link.detail >>> 0, isCommit: jsonIn(link) === true };
}

/** No more records come. PRODUCER_CLOSED answers it. */
export interface ProducerCloseFrame {
  readonly callId: number;
  /** int32 in ms: after this time the remaining records fail. -1: no limit. */
  readonly timeoutMs: number;
}

export function producerCloseFrame({ callId, timeoutMs }: ProducerCloseFrame): Frame {
  return emptyFrame(kinds.PRODUCER_CLOSE, callId, timeoutMs);
}

export function readProducerClose(link: LinkReader): ProducerCloseFrame {
  return { callId: link.requestId, timeoutMs: link.detail };
}

/** All records before a flush are settled. */
export function flushedFrame(callId: number): Frame {
  return emptyFrame(kinds.FLUSHED, callId, 0);
}

/** @returns callId */
export function takeFlushed(link: LinkReader): number {
  const { requestId } = link;
  link.release();
  return requestId;
}

/** The producer has ended. */
export function producerClosedFrame(callId: number): Frame {
  return emptyFrame(kinds.PRODUCER_CLOSED, callId, 0);
}

/** @returns callId */
export function takeProducerClosed(link: LinkReader): number {
  const { requestId } = link;
  link.release();
  return requestId;
}

/** A call of the transaction has ended. */
export interface TransactionDoneFrame {
  readonly callId: number;
  readonly error: PlainError | null;
}

export function transactionDoneFrame({ callId, error }: TransactionDoneFrame): Frame {
  const body = error === null ? null : jsonBytesOf(error);
  return { kind: kinds.TRANSACTION_DONE, requestId: callId, detail: 0, body };
}

export function takeTransactionDone(link: LinkReader): TransactionDoneFrame {
  const callId = link.requestId;
  const error = link.byteLength === 0 ? null : (jsonIn(link) as PlainError);
  link.release();
  return { callId, error };
}

/** The producer can only be closed. */
export function producerFatalFrame(error: PlainError): Frame {
  return { kind: kinds.PRODUCER_FATAL, requestId: 0, detail: 0, body: jsonBytesOf(error) };
}

export function takeProducerFatal(link: LinkReader): PlainError {
  const error = jsonIn(link) as PlainError;
  link.release();
  return error;
}

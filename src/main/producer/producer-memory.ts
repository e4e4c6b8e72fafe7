// Owns the shared memory of a producer's link: how much of `bufferMemoryBytes` each part gets, and the handles for both threads.
// Application thread. Must not open an end of the link.

import type { MessagePort } from 'node:worker_threads';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { type ApplicationHandle, createAttachmentHandles, type NetworkHandle } from '../../ring/attachment.ts';
import { createLifeline } from '../../ring/lifeline.ts';
import { createProducerCounters } from '../../state/producer-counters.ts';

const minRingBytes = 8 * 1024;
/** So much is left for batches before the ring takes more than its least part. */
const leastBeforeRingBytes = 16 * 1024 * 1024;
/** Limit of the ring of a further thread of a producer. */
const maxFurtherRingBytes = 1024 * 1024;
const maxRingBytes = 128 * 1024 * 1024;
/** For the outcomes of records. These frames are small, and few of them wait. */
const responseRingBytes = 128 * 1024;
/** Records of up to this size are copied into the ring. Larger ones are moved. */
const maxSpillBytes = 64 * 1024;

export interface ApplicationProducerLink {
  readonly link: ApplicationHandle;
  readonly counters: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

export interface NetworkProducerLink {
  readonly link: NetworkHandle;
  readonly counters: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

export interface ProducerMemory {
  readonly application: ApplicationProducerLink;
  readonly network: NetworkProducerLink;
  /** The rest, which is for batches. */
  readonly batchMemoryBytes: number;
}

/** @param isFurther the producer has a thread already: this one has smaller parts, since `bufferMemoryBytes` is for all threads together */
export function createProducerMemory(
  { bufferMemoryBytes }: ProducerConfig,
  networkDoorbell: SharedArrayBuffer,
  countersMemory: SharedArrayBuffer,
  isFurther = false,
): ProducerMemory {
  // One eighth is for large records under way, and at least one eighth for records in the ring.
  const eighth = bufferMemoryBytes / (isFurther ? 32 : 8);
  const ringBytes = isFurther ? Math.min(eighth, maxFurtherRingBytes) : ringBytesOf(bufferMemoryBytes);
  const requestRingBytes = 2 ** Math.floor(Math.log2(Math.max(ringBytes, minRingBytes)));
  const spillBytes = Math.min(maxSpillBytes, requestRingBytes / 4);
  const spillBudgetBytes = Math.floor(eighth);
  const { application, network } = createAttachmentHandles(
    { requestRingBytes, responseRingBytes, spillBytes: Math.min(spillBytes, responseRingBytes / 4), spillBudgetBytes },
    networkDoorbell,
    countersMemory,
  );
  const counters = createProducerCounters();
  const lifePorts = createLifeline();
  return {
    application: { link: application, counters, lifePort: lifePorts.application },
    network: { link: network, counters, lifePort: lifePorts.network },
    batchMemoryBytes: Math.max(0, bufferMemoryBytes - requestRingBytes - spillBudgetBytes),
  };
}

/**
 * The records that an application gives in the pauses of its other work must last until the next pause, or the network thread has nothing to
 * send: half of the memory holds what it sends in 20 to 30 ms (bench/macro/produce.ts).
 */
function ringBytesOf(bufferMemoryBytes: number): number {
  const wanted = Math.min(bufferMemoryBytes / 2, bufferMemoryBytes - leastBeforeRingBytes);
  return Math.min(Math.max(wanted, bufferMemoryBytes / 8), maxRingBytes);
}

/** The ports to move with the network thread's handle. */
export function portsOf({ link, lifePort }: NetworkProducerLink): readonly MessagePort[] {
  return [link.bodyPort, link.sparePort, lifePort];
}

// Owns what one application thread shares with the network thread: two links, a doorbell for each thread, the counters.
// Makes it on any thread and opens either end where it is used. Must not know who starts threads or how handles travel.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { IllegalStateError } from '../common/errors/errors.ts';
import { maxRingBodyBytes } from '../common/ring-sizes.ts';
import { CountersReader } from '../state/counters.ts';
import { createDoorbell, Doorbell } from './doorbell.ts';
import { createRing, isRingCapacity, openRing } from './layout.ts';
import { type LinkLimits, LinkReader, LinkWriter } from './link.ts';
import { RingConsumer, RingProducer } from './ring-buffer.ts';

/*
 *   application thread                                                  network thread
 *   requests:  LinkWriter  --- request ring, port ------------------->  requests:  LinkReader
 *   responses: LinkReader  <-- response ring, same port, other way ---  responses: LinkWriter
 *   memory of bodies goes back through a second port, to either writer
 *   ownDoorbell      <----------------- notify -----------------------  applicationDoorbell
 *   networkDoorbell  ------------------ notify ---------------------->  (one for all attachments)
 *   counters         <----------------- read only --------------------
 */

export interface AttachmentOptions extends LinkLimits {
  /** Data bytes of the ring of requests, a power of two. */
  readonly requestRingBytes: number;
  /** Data bytes of the ring of responses, a power of two. */
  readonly responseRingBytes: number;
}

/** Plain data that structured clone carries; both ports must be in the transfer list, and only one thread may open it. */
interface EndHandle extends LinkLimits {
  readonly requestRing: SharedArrayBuffer;
  readonly responseRing: SharedArrayBuffer;
  readonly applicationDoorbell: SharedArrayBuffer;
  readonly bodyPort: MessagePort;
  /** Takes memory of bodies back for reuse, in either direction. */
  readonly sparePort: MessagePort;
}

/** What an application thread needs to open its end. */
export interface ApplicationHandle extends EndHandle {
  readonly networkDoorbell: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

/** What the network thread needs to open its end; its own doorbell and counters it has. */
export interface NetworkHandle extends EndHandle {}

/** The application thread's end. */
export interface ApplicationEnd {
  readonly requests: LinkWriter;
  readonly responses: LinkReader;
  /** This thread's; it alone sleeps on it. */
  readonly ownDoorbell: Doorbell;
  /** Notify after requests are committed or responses released. */
  readonly networkDoorbell: Doorbell;
  readonly counters: CountersReader;
  /** Closes the ports and ends this thread's sleep; bodies not picked up are lost. */
  close(): void;
}

/** The network thread's end of one attachment. */
export interface NetworkEnd {
  readonly requests: LinkReader;
  readonly responses: LinkWriter;
  /** Notify after responses are committed or requests released. */
  readonly applicationDoorbell: Doorbell;
  /** Closes the ports; bodies not picked up are lost. */
  close(): void;
}

/**
 * Makes an attachment for two threads that may both be others than this one.
 * @throws IllegalStateError when a ring size is no power of two, or a ring is too small for spillBytes
 */
export function createAttachmentHandles(
  options: AttachmentOptions,
  networkDoorbell: SharedArrayBuffer,
  counters: SharedArrayBuffer,
): { application: ApplicationHandle; network: NetworkHandle } {
  const { requestRingBytes, responseRingBytes, spillBytes, spillBudgetBytes } = options;
  checkRingBytes('requestRingBytes', requestRingBytes, spillBytes);
  checkRingBytes('responseRingBytes', responseRingBytes, spillBytes);
  const bodies = new MessageChannel();
  const spares = new MessageChannel();
  const shared = {
    requestRing: createRing(requestRingBytes),
    responseRing: createRing(responseRingBytes),
    applicationDoorbell: createDoorbell(),
    spillBytes,
    spillBudgetBytes,
  };
  return {
    application: { ...shared, networkDoorbell, counters, bodyPort: bodies.port1, sparePort: spares.port1 },
    network: { ...shared, bodyPort: bodies.port2, sparePort: spares.port2 },
  };
}

/** Makes an attachment of this thread: its own end, opened, and the handle and transfer list for the network thread. */
export function createAttachment(
  options: AttachmentOptions,
  networkDoorbell: SharedArrayBuffer,
  counters: SharedArrayBuffer,
): { application: ApplicationEnd; handle: NetworkHandle; transferList: MessagePort[] } {
  const { application, network } = createAttachmentHandles(options, networkDoorbell, counters);
  try {
    return {
      application: openApplicationEnd(application),
      handle: network,
      transferList: [network.bodyPort, network.sparePort],
    };
  } catch (error) {
    closePorts(application);
    throw error;
  }
}

/** Opens the application thread's end. @throws RingCorruptError when the handle's memory is not what it should be */
export function openApplicationEnd(handle: ApplicationHandle): ApplicationEnd {
  const { bodyPort, sparePort } = handle;
  // An attachment keeps no process alive; the control port decides that.
  bodyPort.unref();
  sparePort.unref();
  const ownDoorbell = new Doorbell(handle.applicationDoorbell);
  return {
    requests: new LinkWriter(new RingProducer(openRing(handle.requestRing)), bodyPort, handle, sparePort),
    responses: new LinkReader(new RingConsumer(openRing(handle.responseRing)), bodyPort, sparePort),
    ownDoorbell,
    networkDoorbell: new Doorbell(handle.networkDoorbell),
    counters: new CountersReader(handle.counters),
    close: () => {
      closePorts(handle);
      ownDoorbell.retire();
    },
  };
}

/** Opens the network thread's end. @throws RingCorruptError when the handle's memory is not what it should be */
export function openNetworkEnd(handle: NetworkHandle): NetworkEnd {
  const { bodyPort, sparePort } = handle;
  bodyPort.unref();
  sparePort.unref();
  return {
    requests: new LinkReader(new RingConsumer(openRing(handle.requestRing)), bodyPort, sparePort),
    responses: new LinkWriter(new RingProducer(openRing(handle.responseRing)), bodyPort, handle, sparePort),
    applicationDoorbell: new Doorbell(handle.applicationDoorbell),
    close: () => closePorts(handle),
  };
}

function closePorts({ bodyPort, sparePort }: EndHandle): void {
  bodyPort.close();
  sparePort.close();
}

function checkRingBytes(option: string, bytes: number, spillBytes: number): void {
  if (!isRingCapacity(bytes)) {
    throw new IllegalStateError(`${option} is ${bytes}, must be a power of two from 64 to 2^30`);
  }
  if (spillBytes > maxRingBodyBytes(bytes)) {
    throw new IllegalStateError(
      `${option} is ${bytes}, too small for spillBytes ${spillBytes}: must be at least twice that plus 32`,
    );
  }
}

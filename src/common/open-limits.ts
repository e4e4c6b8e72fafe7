// Owns how much application threads may have open in one network thread. Every thread. Must not count anything.

import { TooManyOpenError } from './errors/errors.ts';

/** Clients of one network thread: that of the thread that started it, attached ones, and handles that were not attached yet. */
export const maxAttachments = 1024;
/** Producers that one thread has opened or attached. */
export const maxProducersOfThread = 256;
/** Consumers that one thread has opened. */
export const maxConsumersOfThread = 256;
/** Threads that read one consumer, and handles of it that were not attached yet. */
export const maxThreadsOfConsumer = 256;
/** Administration calls of one thread that are under way. */
export const maxAdminCallsOfThread = 1024;
/** Calls of one thread that wait in the network thread: `awaitReady`, `checkVersion` and the like, without refreshes of metadata. */
export const maxCallsOfThread = 16_384;
/** Calls of one thread that wait for a refresh of metadata: `refreshMetadata`, `setTopics`, `addTopic`. */
export const maxRefreshesOfThread = 65_536;

/**
 * Throws TooManyOpenError when there are as many as there may be.
 * @param what what there are too many of, in the plural, and of whom
 * @param remedy what to do about it
 */
export function checkOpenCount(count: number, max: number, what: string, remedy: string): void {
  if (count >= max) throw new TooManyOpenError(`${count} ${what}, the limit is ${max}: ${remedy}`);
}

export function checkAttachmentCount(count: number): void {
  const what = 'clients are attached to this network thread, with handles that were not attached yet';
  checkOpenCount(count, maxAttachments, what, 'close some, or start another client with KafkaClient.start');
}

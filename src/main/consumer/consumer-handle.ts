// Owns the handle by which another thread reads the same consumer, and what that thread's end needs of its surroundings. Application
// thread.

import type { MessagePort } from 'node:worker_threads';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import { IllegalStateError } from '../../common/errors/errors.ts';
import type { ApplicationHandle } from '../../ring/attachment.ts';
import type { ClientHost } from '../link/client-host.ts';

/** What a consumer's session needs of whoever it belongs to: a client, or, in an attached thread, nobody. */
export type ConsumerHost = Pick<ClientHost, 'hold' | 'release' | 'addRole' | 'removeRole' | 'callbackThrew'>;

const kind = 'offthread-kafka consumer';
const unclaimed = 0;
const claimed = 1;
const keepAliveMs = 1000;

/**
 * Carries a consumer to another thread: as `workerData`, in `postMessage` or as a task of a pool, always with `transferList` as the
 * transfer list. Opened there, once, by `Consumer.attach`.
 */
export interface ConsumerHandle {
  readonly kind: typeof kind;
  /** What has to be in the transfer list of whatever carries the handle. */
  readonly transferList: readonly MessagePort[];
  readonly config: ConsumerConfig;
  readonly application: ApplicationHandle;
  readonly table: SharedArrayBuffer;
  readonly snapshot: SharedArrayBuffer;
  readonly lifePort: MessagePort;
  /** Tells whether it was opened. */
  readonly claim: SharedArrayBuffer;
}

export function makeConsumerHandle(
  parts: Pick<ConsumerHandle, 'config' | 'application' | 'table' | 'snapshot' | 'lifePort'>,
): ConsumerHandle {
  const { bodyPort, sparePort } = parts.application;
  return { kind, transferList: [bodyPort, sparePort, parts.lifePort], claim: new SharedArrayBuffer(4), ...parts };
}

/** Throws: TypeError for what is no handle, IllegalStateError for one that was opened before. */
export function claimConsumerHandle(given: unknown): ConsumerHandle {
  const handle = given as Partial<ConsumerHandle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind)
    throw new TypeError('attach takes what `consumer.share()` returned, carried here with its transferList');
  // Atomic: a copy in another thread may be opened at the same time.
  if (Atomics.compareExchange(new Int32Array(handle.claim!), 0, unclaimed, claimed) !== unclaimed)
    throw new IllegalStateError('this handle was attached before: each one is for one thread, make another by share()');
  return handle as ConsumerHandle;
}

/** Surroundings of an attached thread: it has no client, so it keeps itself alive and looks for the network thread's end. */
export function attachedHost(look: () => void): ConsumerHost {
  let holds = 0;
  let timer: NodeJS.Timeout | null = null;
  return {
    hold: () => {
      holds++;
      timer ??= setInterval(look, keepAliveMs);
    },
    release: () => {
      if (--holds > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
    addRole: () => {},
    removeRole: () => {},
    callbackThrew: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  };
}

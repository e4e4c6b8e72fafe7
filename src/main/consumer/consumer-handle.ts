// Owns the handle with which another thread uses the same consumer, and the host of a consumer in an attached thread. Application
// thread.

import type { MessagePort } from 'node:worker_threads';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import { IllegalStateError } from '../../common/errors/errors.ts';
import type { ApplicationHandle } from '../../ring/attachment.ts';
import { claimOnce, createClaim, isClaimed } from '../../ring/claim.ts';
import { isUsable } from '../../ring/ports.ts';
import type { ClientHost } from '../link/client-host.ts';

/** The host that a consumer's session needs: a client, or, in an attached thread, a host without a client. */
export type ConsumerHost = Pick<ClientHost, 'hold' | 'release' | 'addRole' | 'removeRole' | 'callbackThrew'>;

const kind = 'offthread-kafka consumer';
const keepAliveMs = 1000;

/**
 * Carries a consumer to another thread: as `workerData`, by `postMessage` or as a task of a pool. `transferList` must always be passed
 * as the transfer list. `Consumer.attach` opens the handle there, once.
 */
export interface ConsumerHandle {
  readonly kind: typeof kind;
  /** The ports to pass in the transfer list together with the handle. */
  readonly transferList: readonly MessagePort[];
  readonly config: ConsumerConfig;
  readonly application: ApplicationHandle;
  readonly table: SharedArrayBuffer;
  readonly snapshot: SharedArrayBuffer;
  readonly lifePort: MessagePort;
  /** Shared memory that shows whether the handle was opened. */
  readonly claim: SharedArrayBuffer;
}

export function makeConsumerHandle(
  parts: Pick<ConsumerHandle, 'config' | 'application' | 'table' | 'snapshot' | 'lifePort'>,
): ConsumerHandle {
  const { bodyPort, sparePort } = parts.application;
  return { kind, transferList: [bodyPort, sparePort, parts.lifePort], claim: createClaim(), ...parts };
}

/**
 * Opens the handle. Fails with TypeError for anything but a handle, and with IllegalStateError for a handle that was opened before, that was
 * sent to another thread, or whose consumer has ended.
 */
export async function claimConsumerHandle(given: unknown): Promise<ConsumerHandle> {
  const handle = given as Partial<ConsumerHandle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind)
    throw new TypeError(
      'attach takes a handle that `consumer.share()` returned and that was sent with its transferList',
    );
  if (!isClaimed(handle.claim!) && !(await isUsable(handle.lifePort!)))
    throw new IllegalStateError(
      'this handle cannot be attached here: it was sent to another thread, so attach it there; or its consumer has ended',
    );
  if (!claimOnce(handle.claim!))
    throw new IllegalStateError(
      'this handle was attached before: a handle is for one thread, so make another one with share()',
    );
  return handle as ConsumerHandle;
}

/** The host in an attached thread. There is no client, so this host keeps the thread alive and checks whether the network thread has ended. */
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

// Owns the handle by which another thread gets a client of its own on the same network thread: made by one client, carried by
// structured clone, opened once. Application thread.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { VersionInfo } from '../../common/control.ts';
import { IllegalStateError } from '../../common/errors/errors.ts';
import { withoutSecrets } from '../../common/secret.ts';
import { type ApplicationHandle, createAttachmentHandles } from '../../ring/attachment.ts';
import { withPorts } from './control-calls.ts';
import { ringSizes } from './ring-sizes.ts';
import type { ThreadAccess } from './thread-access.ts';

const kind = 'offthread-kafka client';
/** Of the memory and frames that both sides share: a handle of another layout cannot be opened. */
const layout = 1;
const unclaimed = 0;
const claimed = 1;

/**
 * Carries a client to another thread: as `workerData`, in `postMessage` or as a task of a pool, always with `transferList` as the
 * transfer list. Opened there, once, by `KafkaClient.attach`.
 */
export interface ClientHandle {
  readonly kind: typeof kind;
  readonly layout: number;
  /** What has to be in the transfer list of whatever carries the handle. */
  readonly transferList: readonly MessagePort[];
  /** Without secrets, which only the network thread has. */
  readonly config: KafkaClientConfig;
  readonly versions: VersionInfo | null;
  readonly application: ApplicationHandle;
  readonly metrics: SharedArrayBuffer | null;
  readonly controlPort: MessagePort;
  /** Tells whether it was opened. */
  readonly claim: SharedArrayBuffer;
}

/** The network thread takes the other half in as soon as it comes to that; calls over the control port wait until then. */
export function makeHandle(
  thread: ThreadAccess,
  config: KafkaClientConfig,
  versions: VersionInfo | null,
): ClientHandle {
  const { networkDoorbell, counters } = thread.end;
  const { application, network } = createAttachmentHandles(ringSizes(config), networkDoorbell.buffer, counters.buffer);
  const { port1, port2 } = new MessageChannel();
  const ports = [network.bodyPort, network.sparePort, port2];
  // Without a network thread the port is closed, which whoever opens the handle is told of.
  thread
    .call((control) => control.attach(withPorts({ handle: network, controlPort: port2 }, ports)))
    .catch(() => port1.close());
  return {
    kind,
    layout,
    transferList: [application.bodyPort, application.sparePort, port1],
    config: { ...withoutSecrets(config).open, logger: null },
    versions,
    application,
    metrics: thread.metrics?.buffer ?? null,
    controlPort: port1,
    claim: new SharedArrayBuffer(4),
  };
}

/**
 * The handle, which is nobody else's from now on.
 * Throws: TypeError for anything else, a client for example; IllegalStateError for one that was opened before, or is of another
 * version of this package
 */
export function claimHandle(given: unknown): ClientHandle {
  const handle = given as Partial<ClientHandle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind) {
    const what = typeof given === 'object' && given !== null && 'cluster' in given ? 'a client' : String(given);
    throw new TypeError(
      `attach takes what \`client.share()\` returned, carried here with its transferList; not ${what}`,
    );
  }
  if (handle.layout !== layout) {
    const text = `the handle was made by another version of offthread-kafka (layout ${handle.layout}, here ${layout}): all threads must load the same`;
    throw new IllegalStateError(text);
  }
  const words = new Int32Array(handle.claim!);
  // Atomic: a copy in another thread may be opened at the same time.
  if (Atomics.compareExchange(words, 0, unclaimed, claimed) !== unclaimed) {
    throw new IllegalStateError(
      'this handle was attached before: each one is for one thread, make another by `client.share()`',
    );
  }
  return handle as ClientHandle;
}

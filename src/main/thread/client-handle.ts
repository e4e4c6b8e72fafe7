// Owns the handle with which another thread gets its own client on the same network thread. A client makes the handle, structured
// clone carries it, and it is opened once. Application thread.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { VersionInfo } from '../../common/control.ts';
import { IllegalStateError } from '../../common/errors/errors.ts';
import { withoutSecrets } from '../../common/secret.ts';
import { type ApplicationHandle, createAttachmentHandles } from '../../ring/attachment.ts';
import { claimOnce, createClaim, isClaimed } from '../../ring/claim.ts';
import { isUsable } from '../../ring/ports.ts';
import { CountersReader } from '../../state/counters.ts';
import { withPorts } from './control-calls.ts';
import { ringSizes } from './ring-sizes.ts';
import type { ThreadAccess } from './thread-access.ts';

const kind = 'offthread-kafka client';
/** The version of the shared memory and frames. A handle of another version cannot be opened. */
const layout = 1;

/**
 * Carries a client to another thread: as `workerData`, by `postMessage` or as a task of a pool. `transferList` must always be passed
 * as the transfer list. `KafkaClient.attach` opens the handle there, once.
 */
export interface ClientHandle {
  readonly kind: typeof kind;
  readonly layout: number;
  /** The ports to pass in the transfer list together with the handle. */
  readonly transferList: readonly MessagePort[];
  /** The configuration without secrets. Only the network thread has these. */
  readonly config: KafkaClientConfig;
  readonly versions: VersionInfo | null;
  readonly application: ApplicationHandle;
  readonly metrics: SharedArrayBuffer | null;
  readonly controlPort: MessagePort;
  /** Shared memory that shows whether the handle was opened. */
  readonly claim: SharedArrayBuffer;
}

/** Makes a handle. The network thread gets the other half by a control call. Until it has that, calls over the new control port wait. */
export function makeHandle(
  thread: ThreadAccess,
  config: KafkaClientConfig,
  versions: VersionInfo | null,
): ClientHandle {
  const { networkDoorbell, counters } = thread.end;
  const { application, network } = createAttachmentHandles(ringSizes(config), networkDoorbell.buffer, counters.buffer);
  const { port1, port2 } = new MessageChannel();
  const ports = [network.bodyPort, network.sparePort, port2];
  // If the network thread has ended, the port is closed, and the client that opens the handle sees that.
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
    claim: createClaim(),
  };
}

/**
 * Opens the handle. It cannot be opened again.
 * Fails with TypeError for anything that is not a handle, such as a client. Fails with IllegalStateError for a handle that was opened
 * before, that was sent to another thread, or that another version of this package made.
 */
export async function claimHandle(given: unknown): Promise<ClientHandle> {
  const handle = given as Partial<ClientHandle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind) {
    const what = typeof given === 'object' && given !== null && 'cluster' in given ? 'a client' : String(given);
    throw new TypeError(
      `attach takes a handle that \`client.share()\` returned and that was sent with its transferList, not ${what}`,
    );
  }
  if (handle.layout !== layout) {
    const text = `the handle was made by another version of offthread-kafka (layout ${handle.layout}, here ${layout}): load the same version in all threads`;
    throw new IllegalStateError(text);
  }
  await checkIsHere(handle as ClientHandle);
  if (!claimOnce(handle.claim!)) {
    throw new IllegalStateError(
      'this handle was attached before: a handle is for one thread, so make another one with `client.share()`',
    );
  }
  return handle as ClientHandle;
}

/** Fails with IllegalStateError when the handle's port is not usable here. */
async function checkIsHere({ controlPort, application, claim }: ClientHandle): Promise<void> {
  if (await isUsable(controlPort)) return;
  // If the network thread has ended, or the handle was opened, that is the better reason, which is found later.
  const isOpened = isClaimed(claim);
  if (isOpened || new CountersReader(application.counters).isEnded()) return;
  throw new IllegalStateError(
    'this handle cannot be attached here: it was sent to another thread, so attach it there; or its client has ended',
  );
}

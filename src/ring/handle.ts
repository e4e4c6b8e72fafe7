// Owns what all handles have in common: the mark of what they are for and of their version, and the checks when one is opened. A
// handle carries shared memory and ports to another thread, where it is opened once. Every thread. Must not know what a handle opens.

import { MessagePort } from 'node:worker_threads';
import { IllegalStateError } from '../common/errors/errors.ts';

/** The version of all shared memory and frames. A handle of another version cannot be opened. */
const layout = 2;
const unclaimed = 0;
const claimed = 1;

export interface Handle<Kind extends string = string> {
  readonly kind: Kind;
  readonly layout: number;
  /** The ports to pass in the transfer list together with the handle. */
  readonly transferList: readonly MessagePort[];
  /** Shared memory that shows whether the handle was opened. Several threads may have a copy of the handle. */
  readonly claim: SharedArrayBuffer;
}

export function newHandle<Kind extends string>(kind: Kind, transferList: readonly MessagePort[]): Handle<Kind> {
  return { kind, layout, transferList, claim: new SharedArrayBuffer(4) };
}

/**
 * Returns `given` if it is a handle of this kind and of this version of the package.
 * @param maker what makes such handles, such as `client.share()`
 * @throws TypeError for anything else, such as a client; IllegalStateError for a handle of another version
 */
export function checkHandle<H extends Handle>(given: unknown, kind: H['kind'], maker: string): H {
  const handle = given as Partial<Handle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind) {
    throw new TypeError(
      `attach takes a handle that \`${maker}\` returned and that was sent with its transferList, not ${whatIs(given)}`,
    );
  }
  if (handle.layout !== layout) {
    const text = `the handle was made by another version of offthread-kafka (layout ${String(handle.layout)}, here ${layout}): load the same version in all threads`;
    throw new IllegalStateError(text);
  }
  const { claim, transferList } = handle;
  if (!isSharedMemory(claim) || !Array.isArray(transferList) || !transferList.every(isPort)) {
    throw new TypeError(
      'attach: the handle has lost its shared memory or its ports: it cannot go to another process, and not through JSON',
    );
  }
  return handle as H;
}

/**
 * Claims a handle that was checked, so that it is opened once.
 * @param port one of its ports
 * @param whose what the handle is of, such as `client`
 * @param isEnded whether the network thread has ended. Then a closed port is not the reason, and opening it will tell the reason
 * Fails with IllegalStateError when it was opened before, or when its port cannot be used in this thread
 */
export async function claimHandle(
  { claim }: Handle,
  port: MessagePort,
  whose: string,
  isEnded: () => boolean,
): Promise<void> {
  const word = new Int32Array(claim);
  if (!(await isUsable(port)) && Atomics.load(word, 0) !== claimed && !isEnded()) {
    throw new IllegalStateError(
      `this handle cannot be attached here: it was sent to another thread, so attach it there; or its ${whose} has ended`,
    );
  }
  // Atomic: another thread may open a copy at the same time.
  if (Atomics.compareExchange(word, 0, unclaimed, claimed) === unclaimed) return;
  throw new IllegalStateError(
    'this handle was attached before: a handle is for one thread, so make another one with `share()`',
  );
}

/** `instanceof` would fail where a test runner gives each file globals of its own. */
function isSharedMemory(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';
}

function isPort(value: unknown): boolean {
  return value instanceof MessagePort;
}

function whatIs(given: unknown): string {
  if (typeof given !== 'object' || given === null) return String(given);
  const { kind } = given as Partial<Handle>;
  if (typeof kind === 'string' && kind.startsWith('offthread-kafka ')) {
    return `a handle of a ${kind.slice('offthread-kafka '.length)}`;
  }
  if ('share' in given) return 'a client, producer or consumer itself';
  return 'another object';
}

/**
 * False for a port that was sent to another thread, or whose other end is closed. It asks after a whole turn of the event loop,
 * because Node notices both at the end of a turn.
 */
async function isUsable(port: MessagePort): Promise<boolean> {
  // Two of them: ports are closed at the end of a turn, behind what runs immediately.
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  // Only a port that is open can be referenced.
  port.ref();
  const isOpen = (port as MessagePort & { hasRef(): boolean | undefined }).hasRef() === true;
  if (isOpen) port.unref();
  return isOpen;
}

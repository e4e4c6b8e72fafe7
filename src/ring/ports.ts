// Owns the question whether a message port can be used in this thread. Any thread.

import type { MessagePort } from 'node:worker_threads';

/**
 * False for a port that was sent to another thread, or whose other end is closed. It asks after a whole turn of the event loop,
 * because Node notices both at the end of a turn.
 */
export async function isUsable(port: MessagePort): Promise<boolean> {
  // Two of them: ports are closed at the end of a turn, behind what runs immediately.
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  // Only a port that is open can be referenced.
  port.ref();
  const isOpen = (port as MessagePort & { hasRef(): boolean | undefined }).hasRef() === true;
  if (isOpen) port.unref();
  return isOpen;
}

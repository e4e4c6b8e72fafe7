// Owns the one way in which helpers reset a connection. Runs on any thread.

import type { Socket } from 'node:net';

/**
 * Sends RST where that can be done. A TLS socket has no way to. After `end()` Node's `resetAndDestroy` fails with EINVAL
 * while the FIN is on its way, and then the socket is never closed (seen on 20.20.2): such a socket is just destroyed.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded || 'encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

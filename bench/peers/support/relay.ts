// Owns a relay between clients and a broker that holds everything back for some time, in both directions, as a long way does. It keeps the order and
// does not limit the rate. Main thread of its own process, or of the benchmark.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Relay {
  readonly port: number;
  /** Connections that were opened so far. */
  readonly opened: number;
  close(): Promise<void>;
}

/** @param delayMs one way @param port the one to listen on; 0 for a free one */
export async function startRelay(
  to: { readonly host: string; readonly port: number },
  delayMs: number,
  port = 0,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  let opened = 0;
  const server: Server = createServer({ noDelay: true }, (client) => {
    opened++;
    const broker = connect({ ...to, noDelay: true });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      // The end of one socket ends the other: see below.
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    forward(client, broker, delayMs);
    forward(broker, client, delayMs);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    get opened() {
      return opened;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** More is not read from a socket while so much of it is on its way. */
const maxOnTheWayBytes = 256 << 20;

function forward(from: Socket, to: Socket, delayMs: number): void {
  let onTheWay = 0;
  const later = (work: () => void): void => {
    if (delayMs === 0) work();
    else setTimeout(work, delayMs);
  };
  from.on('data', (chunk) => {
    onTheWay += chunk.length;
    if (onTheWay > maxOnTheWayBytes) from.pause();
    later(() => {
      to.write(chunk, () => {
        onTheWay -= chunk.length;
        if (onTheWay <= maxOnTheWayBytes) from.resume();
      });
    });
  });
  from.on('end', () => later(() => void to.end()));
  from.on('close', () => later(() => void to.destroy()));
}

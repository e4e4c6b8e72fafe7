// Owns the first step of an embedded cluster in a thread: its sockets listen before the code of a broker is there, which takes longer to load
// than everything else at start. Runs in the broker's thread. Must not load that code, and must not start what could be refused later.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EmbeddedBrokerOptions } from './options.ts';

const host = '127.0.0.1';
const maxNodes = 100;
const maxPartitions = 1000;
const topicName = /^[A-Za-z0-9._-]{1,249}$/;
/** Options that are never refused. */
const plainOptions: ReadonlySet<string> = new Set(['nodes', 'topics', 'clusterId', 'autoCreateTopics']);

/** Listens for one node, and keeps what connects until the node takes it. */
export class EarlyListener {
  readonly server: Server;
  readonly port: number;
  readonly #waiting: Socket[] = [];
  readonly #keep = (socket: Socket): void => {
    // Without a listener, an error ends the thread.
    socket.on('error', () => {});
    this.#waiting.push(socket);
  };

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', this.#keep);
  }

  static listen(): Promise<EarlyListener> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, host, () => {
        server.off('error', reject);
        resolve(new EarlyListener(server));
      });
    });
  }

  /** Passes on what has connected and connects from now on. */
  passTo(accept: (socket: Socket) => void): void {
    this.server.off('connection', this.#keep);
    this.server.on('connection', accept);
    for (const socket of this.#waiting.splice(0)) if (!socket.destroyed) accept(socket);
  }
}

/** One listener for each node, in the order of their ids from 0. Null when the options need a closer look before the cluster may start. */
export async function listenEarly(options: EmbeddedBrokerOptions): Promise<readonly EarlyListener[] | null> {
  const count = plainNodeCount(options);
  return count === null ? null : Promise.all(Array.from({ length: count }, () => EarlyListener.listen()));
}

function plainNodeCount(options: EmbeddedBrokerOptions): number | null {
  const { nodes = 1, topics = {} } = options;
  const isPlain =
    Object.entries(options).every(([name, value]) => value === undefined || plainOptions.has(name)) &&
    Object.entries(topics).every(([name, partitions]) => isPlainTopic(name, partitions));
  return isPlain && isCount(nodes, maxNodes) ? nodes : null;
}

function isPlainTopic(name: string, partitions: unknown): boolean {
  return topicName.test(name) && name !== '.' && name !== '..' && isCount(partitions, maxPartitions);
}

function isCount(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

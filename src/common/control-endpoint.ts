// Owns how comlink uses a MessagePort: by `on` and `off`. With `addEventListener`, Node 24 makes an event of each message, and loads its HTTP
// client for that: 30 MB and 50 ms in each thread. Every thread.

import type { MessagePort } from 'node:worker_threads';

interface MessageEventLike {
  readonly data: unknown;
}

type Listener = (event: MessageEventLike) => void;

/** What comlink needs of a port. Its own type needs the types of the DOM. */
export interface ControlEndpoint {
  postMessage(message: unknown, transfer?: readonly never[]): void;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
}

export function controlEndpoint(port: MessagePort): ControlEndpoint {
  const added = new Map<Listener, (data: unknown) => void>();
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    addEventListener: (_type, listener) => {
      const take = (data: unknown): void => listener({ data });
      added.set(listener, take);
      port.on('message', take);
    },
    // comlink removes its listener when the other side has given up the port, and closes only what it knows as a MessagePort.
    removeEventListener: (_type, listener) => {
      const take = added.get(listener);
      if (take !== undefined) port.off('message', take);
      added.delete(listener);
      port.close();
    },
  };
}

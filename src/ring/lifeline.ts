// Owns one end of a lifeline: a port beside a link, by which each thread learns that the other one, or its end of the link, is no
// more. Runs on every thread. Must not carry anything of the link itself.
//
// The port of bodies cannot tell: Node reports its close only after everything that was posted there before has been read.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { PlainError } from '../common/errors/plain-error.ts';

export interface LifelineListener {
  /** The other thread has ended, or has closed its end; told once, and not after `close`. */
  onEnd?(): void;
  /** The other thread does not deal with this link any more, for this reason. */
  onTold?(reason: PlainError): void;
}

export class Lifeline {
  readonly #port: MessagePort;
  #isClosed = false;

  constructor(port: MessagePort, listener: LifelineListener) {
    this.#port = port;
    // Read even where nobody listens: what a thread may post here must not keep its end from being noticed.
    port.on('message', (reason: PlainError) => {
      if (!this.#isClosed) listener.onTold?.(reason);
    });
    port.once('close', () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      listener.onEnd?.();
    });
    // It keeps no process alive.
    port.unref();
  }

  /** Tells the other thread why this one has done with the link. */
  tell(reason: PlainError): void {
    if (!this.#isClosed) this.#port.postMessage(reason);
  }

  close(): void {
    this.#isClosed = true;
    this.#port.close();
  }
}

/** The two ports of one, to be carried to where each is opened. */
export function createLifeline(): { readonly application: MessagePort; readonly network: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  return { application: port1, network: port2 };
}

// Owns one end of a lifeline: a port beside a link. Its close tells each thread that the other thread, or the other end of the link, has
// ended. Every thread. Must not carry frames or bodies of the link.
//
// The port for bodies cannot be used: Node reports its close only after everything that was posted there has been read.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { PlainError } from '../common/errors/plain-error.ts';

export interface LifelineListener {
  /** The other thread has ended or has closed its end. Called once, and not after `close`. */
  onEnd?(): void;
  /** The other thread does not use this link any more. `reason` says why. */
  onTold?(reason: PlainError): void;
  /** The other thread closes its end, and wants that to be over in so many ms. The link may be full of frames before that one. */
  onCloseWithin?(timeoutMs: number): void;
}

export class Lifeline {
  readonly #port: MessagePort;
  #isClosed = false;

  constructor(port: MessagePort, listener: LifelineListener) {
    this.#port = port;
    // Messages are read even if there is no `onTold`: unread messages would delay the close event.
    port.on('message', (message: PlainError | number) => {
      if (this.#isClosed) return;
      if (typeof message !== 'number') listener.onTold?.(message);
      else if (message >= 0) listener.onCloseWithin?.(message);
    });
    port.once('close', () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      listener.onEnd?.();
    });
    // The port must not keep the process alive.
    port.unref();
  }

  /** Tells the other thread why this one does not use the link any more. */
  tell(reason: PlainError): void {
    if (!this.#isClosed) this.#port.postMessage(reason);
  }

  /** Tells the other thread within how many ms it wants to be closed, beside the frames that stand in the link. */
  closeWithin(timeoutMs: number): void {
    if (!this.#isClosed) this.#port.postMessage(timeoutMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#port.close();
  }
}

/** Makes the two ports of a lifeline. Each is sent to the thread that opens it. */
export function createLifeline(): { readonly application: MessagePort; readonly network: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  return { application: port1, network: port2 };
}

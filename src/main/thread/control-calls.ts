// Owns the control calls of one client that are under way. comlink never settles them when the other side has ended.
// Application thread.

import type { MessagePort } from 'node:worker_threads';
import * as comlink from 'comlink';
import type { ControlResult, ServedControl } from '../../common/control.ts';
import { controlEndpoint } from '../../common/control-endpoint.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { checkOpenCount, maxCallsOfThread } from '../../common/open-limits.ts';
import type { NetworkHandle } from '../../ring/attachment.ts';
import type { RemoteControl } from './thread-access.ts';

export class ControlCalls {
  readonly #control: RemoteControl;
  readonly #releaseControl: () => void;
  readonly #rejectCalls = new Set<(error: Error) => void>();
  #endError: Error | null = null;

  constructor(port: MessagePort) {
    const endpoint = controlEndpoint(port) as unknown as comlink.Endpoint;
    const control = comlink.wrap<ServedControl<NetworkHandle, MessagePort>>(endpoint);
    this.#control = control;
    this.#releaseControl = () => control[comlink.releaseProxy]();
  }

  /** For calls of the application. Fails with TooManyOpenError when too many are under way. */
  async callOfApplication<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    const what = 'calls of this client wait in the network thread';
    checkOpenCount(this.#rejectCalls.size, maxCallsOfThread, what, 'await some of them first');
    return this.call(run);
  }

  /** For calls that end or observe, which are few. */
  async call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    if (this.#endError !== null) throw this.#endError;
    let reject: (error: Error) => void = () => {};
    const lost = new Promise<never>((_, onLost) => {
      reject = onLost;
    });
    this.#rejectCalls.add(reject);
    try {
      const result = await Promise.race([run(this.#control), lost]);
      if ('error' in result) throw fromPlainError(result.error);
      return result.value;
    } finally {
      this.#rejectCalls.delete(reject);
    }
  }

  /** The other side has ended: rejects all calls with `error`. */
  end(error: Error): void {
    if (this.#endError !== null) return;
    this.#endError = error;
    for (const reject of this.#rejectCalls) reject(error);
    // Otherwise calls without an answer and comlink's registry of proxies would keep this object alive, with everything it refers to.
    this.#releaseControl();
  }
}

/** Marks the ports in an argument of a call, so that they are moved. */
export function withPorts<T>(argument: T, ports: readonly MessagePort[]): T {
  return comlink.transfer(argument, [...ports] as unknown as Parameters<typeof comlink.transfer>[1]);
}

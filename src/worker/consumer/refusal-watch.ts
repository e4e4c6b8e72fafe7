// Owns the check whether every broker refuses this client's login or certificate, and who is told. Network thread. Must not stop the
// consumer: it goes on as soon as a broker accepts it.

import type { RoleHost } from '../client/role.ts';
import type { Application } from './handed-batch.ts';

export class RefusalWatch {
  readonly #host: RoleHost;
  readonly #onRefused: (error: Error) => void;
  /** The time at which each application was last told. */
  readonly #toldAt = new WeakMap<Application, number>();
  #isTold = false;

  /** @param onRefused called once until a broker can be asked again */
  constructor(host: RoleHost, onRefused: (error: Error) => void) {
    this.#host = host;
    this.#onRefused = onRefused;
  }

  /** Raises the refusal in each application that asks for records: once for each time that everybody was tried. */
  poll(applications: readonly Application[], now: number): void {
    const refusal = this.#host.requests.refusedEverywhere();
    if (refusal === null) {
      this.#isTold = false;
      return;
    }
    const error = refusal.error();
    if (!this.#isTold) {
      this.#isTold = true;
      this.#onRefused(error);
    }
    for (const application of applications) {
      const toldAt = this.#toldAt.get(application) ?? Number.NEGATIVE_INFINITY;
      const askedAt = application.isWaiting ? now : (application.lastAskedAt(now) ?? Number.NEGATIVE_INFINITY);
      if (refusal.at <= toldAt || askedAt <= toldAt) continue;
      if (application.raise(error)) this.#toldAt.set(application, now);
    }
  }
}

// Owns the loading of the administration calls at the first call: most clients never make one. Network thread. Must not know any call.

import type { KafkaClientConfig } from '../common/config/config.ts';
import type { Control } from '../common/control.ts';
import { Cancelled, KafkaTimeoutError } from '../common/errors/errors.ts';
import { maxTimerMs } from '../common/numbers.ts';
import type { AdminDesk } from './admin/admin-desk.ts';
import type { RoleHost } from './client/role.ts';
import type { Roles } from './roles.ts';

export interface LazyAdminParts {
  readonly config: KafkaClientConfig;
  readonly host: RoleHost;
  readonly roles: Roles;
  readonly clock: () => number;
}

export class LazyAdmin {
  readonly #parts: LazyAdminParts;
  #desk: AdminDesk | null = null;
  #isClosed = false;

  constructor(parts: LazyAdminParts) {
    this.#parts = parts;
  }

  /** @throws Cancelled when the network thread was closed meanwhile; KafkaTimeoutError when the code could not be loaded in time */
  async run(...[name, args, timeoutMs]: Parameters<Control['admin']>): Promise<unknown> {
    const code = Promise.all([import('./admin/admin-desk.ts'), import('./sasl/salted-password.ts')]);
    const [{ AdminDesk }, { saltPassword }] = await withinTime(timeoutMs, code);
    if (this.#isClosed) throw new Cancelled('the client was closed');
    const { config, host, roles, clock } = this.#parts;
    if (this.#desk === null) {
      this.#desk = new AdminDesk(host, config, saltPassword, clock());
      roles.add(this.#desk.role);
    }
    return this.#desk.run(name, args, timeoutMs, clock());
  }

  close(): void {
    this.#isClosed = true;
    this.#desk?.close();
  }
}

/** Node 20 reads modules in the thread pool of the process, where that waits behind the application's own work. */
async function withinTime<T>(limitMs: number, loaded: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_, reject) => {
    const text = `the code of administration calls was not loaded within ${limitMs} ms (timeoutMs): the application's work keeps the thread pool of the process busy`;
    timer = setTimeout(() => reject(new KafkaTimeoutError(text)), Math.min(limitMs, maxTimerMs));
  });
  try {
    return await Promise.race([loaded, isLate]);
  } finally {
    clearTimeout(timer);
  }
}

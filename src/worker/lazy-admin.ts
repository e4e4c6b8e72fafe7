// Owns the loading of the administration calls at the first call: most clients never make one. Network thread. Must not know any call.

import type { KafkaClientConfig } from '../common/config/config.ts';
import type { Control } from '../common/control.ts';
import { Cancelled } from '../common/errors/errors.ts';
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

  /** @throws Cancelled when the network thread was closed meanwhile */
  async run(...[name, args, timeoutMs]: Parameters<Control['admin']>): Promise<unknown> {
    const { AdminDesk } = await import('./admin/admin-desk.ts');
    if (this.#isClosed) throw new Cancelled('the client was closed');
    const { config, host, roles, clock } = this.#parts;
    if (this.#desk === null) {
      this.#desk = new AdminDesk(host, config, clock());
      roles.add(this.#desk.role);
    }
    return this.#desk.run(name, args, timeoutMs, clock());
  }

  close(): void {
    this.#isClosed = true;
    this.#desk?.close();
  }
}

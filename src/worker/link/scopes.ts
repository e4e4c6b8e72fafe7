// Owns which attachments have connections of their own, and how long these live: until the attachment has ended, and also the
// producers and consumers that it has opened. Network thread. Must not open or close a connection itself.

import { Cancelled } from '../../common/errors/errors.ts';
import { sharedScope } from '../../common/node-ids.ts';
import type { NodeRequests } from '../client/node-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { Attachment } from './attachments.ts';

export interface ScopesParts {
  /** What roles use whose attachment shares its connections. */
  readonly host: RoleHost;
  readonly requests: Pick<NodeRequests, 'inScope'>;
  /** Returns a new scope. Throws IllegalStateError when there are too many. */
  readonly open: () => number;
  /** Nobody uses the scope any more: its connections are closed when their requests have ended. */
  readonly close: (scope: number) => void;
}

/** What one role uses. */
export interface ScopedHost {
  readonly host: RoleHost;
  /** The role has ended. */
  release(): void;
}

export class Scopes {
  readonly #parts: ScopesParts;
  readonly #users = new Map<number, number>();

  constructor(parts: ScopesParts) {
    this.#parts = parts;
  }

  /** The attachment uses connections of its own from now on. */
  giveOwn(attachment: Attachment): void {
    if (attachment.isClosed) throw new Cancelled('the client was closed');
    if (attachment.scope !== sharedScope) return;
    attachment.scope = this.#parts.open();
    this.#retain(attachment.scope);
  }

  /** What a role uses that the attachment opens: the connections of the attachment. */
  hostOf({ scope }: Attachment): ScopedHost {
    const { host, requests } = this.#parts;
    if (scope === sharedScope) return { host, release: () => {} };
    this.#retain(scope);
    let isReleased = false;
    return {
      host: { ...host, requests: requests.inScope(scope) },
      release: () => {
        if (!isReleased) this.#release(scope);
        isReleased = true;
      },
    };
  }

  /** The attachment has ended. Called once. */
  attachmentGone({ scope }: Attachment): void {
    if (scope !== sharedScope) this.#release(scope);
  }

  #retain(scope: number): void {
    this.#users.set(scope, (this.#users.get(scope) ?? 0) + 1);
  }

  #release(scope: number): void {
    const left = this.#users.get(scope)! - 1;
    this.#users.set(scope, left);
    if (left > 0) return;
    this.#users.delete(scope);
    this.#parts.close(scope);
  }
}

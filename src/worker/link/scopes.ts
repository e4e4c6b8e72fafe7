// Owns who has connections of its own, and how long these live: attachments that want them, until they have ended with the producers and
// consumers that they opened; and consumers beside another consumer of the same connections. Network thread. Must not open or close a
// connection itself.
//
// A consumer holds up whoever is behind it: brokers keep a Fetch until there are records, and a JoinGroup until all members have joined.
// Two members on one connection would even wait for each other.

import { Cancelled } from '../../common/errors/errors.ts';
import { sharedScope } from '../../common/node-ids.ts';
import type { NodeRequests } from '../client/node-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { Attachment } from './attachments.ts';

export interface ScopesParts {
  /** What roles use whose attachment shares its connections. */
  readonly host: RoleHost;
  readonly requests: Pick<NodeRequests, 'inScope'>;
  /** Returns a new scope. Throws TooManyOpenError when there are too many. */
  readonly open: () => number;
  /** Nobody uses the scope any more: its connections are closed when their requests have ended. */
  readonly close: (scope: number) => void;
}

/** What one role uses. */
export interface ScopedHost {
  readonly host: RoleHost;
  /** @param tell is told of what the role throws when it is told how a request ended */
  whenFaulty(tell: (error: unknown) => void): void;
  /** The role has ended. Answers to its requests that come later are told to nobody. */
  release(): void;
}

export class Scopes {
  readonly #parts: ScopesParts;
  readonly #users = new Map<number, number>();
  /** Scopes whose lanes a consumer uses. */
  readonly #consumed = new Set<number>();

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
    const { host } = this.#parts;
    const requests = this.#parts.requests.inScope(scope);
    const isOwn = scope !== sharedScope;
    if (isOwn) this.#retain(scope);
    let isReleased = false;
    return {
      host: { ...host, requests },
      whenFaulty: (tell) => {
        requests.onFault = tell;
      },
      release: () => {
        requests.end();
        if (isOwn && !isReleased) this.#release(scope);
        isReleased = true;
      },
    };
  }

  /** What a consumer uses that the attachment opens: the same, but lanes of its own if another consumer uses those of the attachment. */
  hostOfConsumer(attachment: Attachment): ScopedHost {
    const { scope } = attachment;
    if (!this.#consumed.has(scope)) {
      const shared = this.hostOf(attachment);
      this.#consumed.add(scope);
      return {
        host: shared.host,
        whenFaulty: shared.whenFaulty,
        release: () => {
          this.#consumed.delete(scope);
          shared.release();
        },
      };
    }
    const own = this.#parts.open();
    const shared = this.hostOf(attachment);
    const requests = this.#parts.requests.inScope(own, scope);
    this.#retain(own);
    return {
      host: { ...shared.host, requests },
      whenFaulty: (tell) => {
        requests.onFault = tell;
      },
      release: () => {
        requests.end();
        this.#release(own);
        shared.release();
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

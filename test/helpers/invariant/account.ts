// Owns one account: what was accepted is succeeded, failed or open, and nothing else. Test thread.

import { type Future, onSettled } from '../../../src/main/link/future.ts';

export class Account {
  accepted = 0;
  succeeded = 0;
  failed = 0;

  take<T>(future: Future<T>): void {
    this.accepted++;
    // To read `failed` would count as a look at the failure. Nothing here succeeds with undefined.
    onSettled(future as Future<unknown>, () => {
      if (future.value === undefined) this.failed++;
      else this.succeeded++;
    });
  }

  get open(): number {
    return this.accepted - this.succeeded - this.failed;
  }

  toString(): string {
    const { accepted, succeeded, failed, open } = this;
    return `accepted ${accepted}, succeeded ${succeeded}, failed ${failed}, open ${open}`;
  }
}

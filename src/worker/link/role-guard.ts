// Owns the calls into producers and consumers from outside of their turns: what one of them throws ends that one, and whoever has called
// goes on. Network thread. Must not know what is called.

import type { Role } from '../client/role.ts';

/** Where roles are called in turns, and ended when they throw. */
export interface RoleList {
  add(role: Role): void;
  delete(role: Role): void;
  /** The role has thrown. It is not called any more, and ends in the next round. */
  failed(role: Role, error: unknown): void;
}

/** Whether any of them keeps memory for reuse. It is asked in nearly every round. */
export function isAnyKeeping(
  roles: Pick<RoleList, 'failed'>,
  all: Iterable<Role & { readonly isKeeping: boolean }>,
): boolean {
  for (const role of all) {
    try {
      if (role.isKeeping) return true;
    } catch (error) {
      roles.failed(role, error);
    }
  }
  return false;
}

/** Returns what `use` returns, or `broken` if it throws: then the role ends. */
export function guarded<T>(roles: Pick<RoleList, 'failed'>, role: Role, use: () => T, broken: T): T {
  try {
    return use();
  } catch (error) {
    roles.failed(role, error);
    return broken;
  }
}

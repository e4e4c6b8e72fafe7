// Owns the calls into producers and consumers from outside of their turns: what one of them throws ends that one, and whoever has called
// goes on. Network thread. Must not know what is called.

import { type MemoryPart, sumOfParts } from '../../common/client-memory.ts';
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

/** What `use` returns for each of them, or `broken` for one that throws: that role ends. */
export function useEach<R extends Role, T>(
  roles: Pick<RoleList, 'failed'>,
  all: Iterable<R>,
  use: (role: R) => T,
  broken: T,
): T[] {
  // A copy, because roles that end leave the list.
  return [...all].map((role) => {
    try {
      return use(role);
    } catch (error) {
      roles.failed(role, error);
      return broken;
    }
  });
}

/** The sum of what each of them holds or keeps. */
export function memoryOf<R extends Role>(
  roles: Pick<RoleList, 'failed'>,
  all: Iterable<R>,
  part: (role: R) => MemoryPart,
): MemoryPart {
  return sumOfParts(useEach(roles, all, part, { usedBytes: 0, maxBytes: 0 }));
}

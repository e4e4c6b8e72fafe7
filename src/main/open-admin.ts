// Owns the making of an Admin that calls by a session. Application thread.

import type { AdminCallName } from '../common/admin/calls.ts';
import { Admin } from './admin/admin.ts';
import type { AdminOptions, RunAdminCall } from './admin/admin-calls.ts';
import type { Session } from './client/session.ts';
import { checkSignal, untilAborted } from './link/abort-signals.ts';

export function openAdmin(session: Pick<Session, 'call'>, options: AdminOptions): Admin {
  const run = (name: AdminCallName, args: unknown, timeoutMs: number, signal: AbortSignal | undefined) =>
    untilAborted(`the call of ${name}`, checkSignal(signal), () =>
      session.call((control) => control.admin(name, args, timeoutMs)),
    );
  return new Admin(run as RunAdminCall, options);
}

// Owns what a client needs of its network thread, whoever started that. Application thread. Types only.

import type { MessagePort } from 'node:worker_threads';
import type { ControlResult, ServedControl } from '../../common/control.ts';
import type { ApplicationEnd, NetworkHandle } from '../../ring/attachment.ts';
import type { MetricsReader } from '../../state/shared-metrics.ts';

/** Without comlink's own type: that needs the DOM's types, which a consumer of the package need not have. */
export type RemoteControl = ServedControl<NetworkHandle, MessagePort>;

export interface ThreadAccess {
  readonly end: ApplicationEnd;
  /** Null unless `metrics` is configured. */
  readonly metrics: MetricsReader | null;
  /** Called once when the thread, or this client's part in it, has ended without this client asking for it. */
  onLost: (error: Error) => void;
  /** Ends the thread, or this client's part in it, unless it answers within so long. Returns what gives the limit up. */
  limitBegin(limitMs: number): () => void;
  /** Keeps the process (or this worker) alive, or not: a pending `waitAsync` alone would let it end. */
  reference(isNeeded: boolean): void;
  /** Sees whether the thread is gone or stuck; a thread that blocks has to ask now and then, since no event reaches it. */
  look(): void;
  /** One control call. Rejects with the error the other side reported, or why there is no other side. */
  call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T>;
  /** Ends the thread, or this client's part in it, as lost because of `error`. */
  condemn(error: Error): void;
  /** Ends what this client started: the whole thread, or its own part in it. */
  close(): Promise<void>;
}

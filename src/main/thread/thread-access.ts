// Owns the interface through which a client uses its network thread, whether this client started it or not. Application thread.
// Types only.

import type { MessagePort } from 'node:worker_threads';
import type { ControlResult, ServedControl } from '../../common/control.ts';
import type { ApplicationEnd, NetworkHandle } from '../../ring/attachment.ts';
import type { ClientMetricsReader } from '../../state/api-metrics.ts';

/** comlink's own type is not used: it needs the types of the DOM, which users of the package may not have. */
export type RemoteControl = ServedControl<NetworkHandle, MessagePort>;

export interface ThreadAccess {
  readonly end: ApplicationEnd;
  /** Node's number of this thread; 0 for the main thread. */
  readonly threadId: number;
  /** Null unless `metrics` is configured. */
  readonly metrics: ClientMetricsReader | null;
  /** Called once when the thread, or this client's attachment, has ended although this client did not close. */
  onLost: (error: Error) => void;
  /** Ends the thread, or this client's attachment, unless it answers within `limitMs`. Returns a function that removes the limit. */
  limitBegin(limitMs: number): () => void;
  /** Looks whether anybody listens on the diagnostics channels, and tells the network thread if that has changed. */
  noticeObservers(): void;
  /** Whether to keep the process (or this worker) alive. A pending `waitAsync` alone does not. */
  reference(isNeeded: boolean): void;
  /** Checks whether the thread has ended or is stuck. A blocked thread must call this now and then, because it gets no events. */
  look(): void;
  /** Runs one control call. Rejects with the error of the other side, or with the reason why there is no other side. */
  call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T>;
  /** Ends the thread, or this client's attachment. `error` is the reason. */
  condemn(error: Error): void;
  /** Ends the whole thread if this client started it. Otherwise ends this client's attachment. */
  close(): Promise<void>;
}

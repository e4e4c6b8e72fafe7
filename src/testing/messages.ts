// Owns the messages between a test's thread and the thread of its embedded broker. Types only.

import type { PlainError } from '../common/errors/plain-error.ts';
import type { NodeDescription } from './actions.ts';
import type { ControlledRequest, RuleOptions } from './control.ts';
import type { EmbeddedBrokerOptions } from './options.ts';
import type { Reply } from './reply.ts';

export interface ThreadData {
  readonly options: EmbeddedBrokerOptions;
}

/** To the broker's thread. `id` counts on the sender's side and comes back with the result. */
export type Command =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | {
      readonly type: 'addFunctionRule';
      readonly id: number;
      readonly apiKey: number;
      /** How the test's thread knows the function. */
      readonly functionId: number;
      readonly options: RuleOptions | undefined;
    }
  | { readonly type: 'decided'; readonly id: number; readonly reply: Reply | undefined }
  | { readonly type: 'undecided'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'close'; readonly id: number };

/** To the test's thread. */
export type Report =
  | { readonly type: 'ready'; readonly nodes: readonly NodeDescription[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'decide'; readonly id: number; readonly functionId: number; readonly request: TravellingRequest };

/** A request for a function in the test's thread, which makes a view of `bytes`. */
export interface TravellingRequest extends Omit<ControlledRequest, 'body' | 'flat'> {
  readonly bytes: Uint8Array;
}

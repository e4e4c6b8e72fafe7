// Owns calls about many items: finds the broker of each item, sends the requests, and repeats them until each item has a final
// outcome or the call's time is over. An error of one item does not affect the others. Network thread.

import type { PlainOutcome, PlainResults } from '../../common/admin/outcome.ts';
import { errorFor } from '../../common/errors/error-for.ts';
import { Cancelled } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { missingInAnswer } from '../../common/errors/missing-in-answer.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import { append } from '../../common/lists.ts';
import type { Destination } from '../client/broker-requests.ts';
import { actionFor, type Target } from './actions.ts';
import { type Call, isRetriableFailure, mayHaveArrived } from './call.ts';

/** A broker's answer for one item. */
export type Answer<V> =
  | { readonly value: V }
  | { readonly errorCode: number; readonly errorMessage?: string | null; readonly throttleTimeMs?: number }
  /** Found by the call itself: final. */
  | { readonly error: Error };

/** The answer in a part of a response: its value or its error. */
export function answerOf<V>(
  { errorCode, errorMessage = null }: { readonly errorCode: number; readonly errorMessage?: string | null },
  readValue: () => V,
  throttleTimeMs = 0,
): Answer<V> {
  return errorCode === 0 ? { value: readValue() } : { errorCode, errorMessage, throttleTimeMs };
}

/** The groups of items that go to one broker together, and the items whose broker was not found. */
export interface Located<K, V> {
  readonly groups: readonly { readonly to: Destination; readonly keys: readonly K[] }[];
  readonly answers?: readonly (readonly [key: K, answer: Answer<V>])[];
}

export interface ItemPlan<K, V> {
  readonly target: Target;
  /** True if the call changes something. An attempt without an answer may then have made the change. */
  readonly isChange: boolean;
  /** Whether to wait while a quota is exceeded (KIP-599). Default true. */
  readonly retryOnQuotaViolation?: boolean;
  /** The exceptions of this call from the table of actions, by error code. */
  readonly actions?: Readonly<Record<number, 'retry' | 'locate' | 'final'>>;
  locate(keys: readonly K[]): Promise<Located<K, V>>;
  /** Sends one request for the items. An item without an answer becomes an error of its own. */
  ask(to: Destination, keys: readonly K[]): Promise<ReadonlyMap<K, Answer<V>>>;
}

/** Asks for all items until each has an outcome. Results are in the order of `keys`. Does not reject for errors of Kafka, but when the client is closed. */
export async function askForItems<K, V>(
  call: Call,
  keys: readonly K[],
  plan: ItemPlan<K, V>,
): Promise<PlainResults<K, V>> {
  const run = new ItemRun(call, plan);
  let pending: readonly K[] = keys;
  while (pending.length > 0) {
    pending = await run.round(pending);
    if (pending.length === 0) break;
    try {
      await run.pause();
    } catch (error) {
      run.giveUp(pending, error as Error);
      break;
    }
  }
  // A call that the client's close has ended fails as a whole, at whatever step it was.
  if (run.isCancelled) call.role.checkOpen();
  return keys.map((key) => [key, run.outcomes.get(key)!] as const);
}

class ItemRun<K, V> {
  readonly outcomes = new Map<K, PlainOutcome<V>>();
  readonly #call: Call;
  readonly #plan: ItemPlan<K, V>;
  /** The items of attempts that got no answer but may have reached the broker, or that were answered before their end. */
  readonly #maybeApplied = new Set<K>();
  readonly #lastErrors = new Map<K, Error>();
  #throttleTimeMs = 0;
  #lastError: Error | null = null;

  constructor(call: Call, plan: ItemPlan<K, V>) {
    this.#call = call;
    this.#plan = plan;
  }

  /** Whether an item has ended because something was closed. */
  get isCancelled(): boolean {
    for (const outcome of this.outcomes.values()) if (!outcome.ok && outcome.error.code === Cancelled.code) return true;
    return false;
  }

  /** Makes one attempt for each item. Returns the items that need another one. */
  async round(keys: readonly K[]): Promise<K[]> {
    this.#throttleTimeMs = 0;
    let located: Located<K, V>;
    try {
      located = await this.#plan.locate(keys);
    } catch (error) {
      return this.#failed(keys, error as Error, false);
    }
    const again: K[] = [];
    // A broker may name places of other items, name one twice, or leave one out.
    const wanted = new Set(keys);
    for (const [key, answer] of located.answers ?? [])
      if (wanted.delete(key) && this.#answered(key, answer)) again.push(key);
    const groups = located.groups.map(({ to, keys: all }) => ({ to, group: all.filter((key) => wanted.delete(key)) }));
    for (const key of wanted) this.#settle(key, missingInAnswer(this.#call.settings, 'the broker of this item'));
    await Promise.all(
      groups.map(async ({ to, group }) => {
        if (group.length === 0) return;
        try {
          const answers = await this.#plan.ask(to, group);
          for (const key of group) {
            const answer = answers.get(key);
            if (answer === undefined) this.#settle(key, missingInAnswer(this.#call.settings, 'this item'));
            else if (this.#answered(key, answer)) again.push(key);
          }
        } catch (error) {
          append(again, this.#failed(group, error as Error, true));
        }
      }),
    );
    return again;
  }

  /** Rejects with KafkaTimeoutError when the call's time is over. */
  async pause(): Promise<void> {
    if (this.#throttleTimeMs > 0) await this.#call.sleep(this.#throttleTimeMs);
    else await this.#call.backOff(this.#lastError);
  }

  giveUp(keys: readonly K[], error: Error): void {
    for (const key of keys) {
      const cause = this.#lastErrors.get(key);
      this.#settle(key, cause === undefined ? error : this.#call.timedOut(cause));
    }
  }

  /** @returns whether the item must be asked for again */
  #answered(key: K, answer: Answer<V>): boolean {
    if ('value' in answer) {
      this.outcomes.set(key, { ok: true, value: answer.value });
      return false;
    }
    if ('error' in answer) {
      this.#settle(key, answer.error);
      return false;
    }
    const { errorCode, errorMessage, throttleTimeMs = 0 } = answer;
    const error = errorFor(errorCode)!;
    if (errorMessage !== undefined && errorMessage !== null) error.message += `: ${errorMessage}`;
    const action = this.#plan.actions?.[errorCode] ?? actionFor(errorCode, this.#plan.target);
    const isQuota = action === 'throttled';
    if (action === 'final' || (isQuota && this.#plan.retryOnQuotaViolation === false)) {
      this.#settle(key, error);
      return false;
    }
    // The broker has waited for others, which may still do it.
    if (this.#plan.isChange && errorCode === errorCodes.REQUEST_TIMED_OUT) this.#maybeApplied.add(key);
    if (isQuota) this.#throttleTimeMs = Math.max(this.#throttleTimeMs, throttleTimeMs);
    if (action === 'locate') this.#call.role.host.cluster.requestUpdate();
    this.#remember(key, error);
    return true;
  }

  #failed(keys: readonly K[], error: Error, wasSent: boolean): K[] {
    if (!isRetriableFailure(error) || this.#call.isOver) {
      for (const key of keys) this.#settle(key, error);
      return [];
    }
    for (const key of keys) {
      if (wasSent && this.#plan.isChange && mayHaveArrived(error)) this.#maybeApplied.add(key);
      this.#remember(key, error);
    }
    return [...keys];
  }

  #remember(key: K, error: Error): void {
    this.#lastErrors.set(key, error);
    this.#lastError = error;
  }

  #settle(key: K, error: Error): void {
    this.outcomes.set(key, { ok: false, error: toPlainError(error), maybeApplied: this.#maybeApplied.has(key) });
  }
}

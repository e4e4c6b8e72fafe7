// Owns the script of an embedded broker: rules that decide what happens to requests, and gates that hold them. Runs in
// the broker's thread. Nothing here waits for a time: a held request goes on when a test releases it.

import type { MessageBytes } from '../common/memory.ts';
import type { Reply } from './reply.ts';

/** A request as rules see it. */
export interface ControlledRequest<Body = unknown> {
  readonly nodeId: number;
  /** Counts over all nodes in order of arrival. */
  readonly connectionId: number;
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** The view of the API's request; valid for as long as it is kept. */
  readonly body: Body;
  /** The memory that `body` reads. */
  readonly flat: MessageBytes;
}

/** Decides about one request. Undefined leaves it to the next rule, and at last to the broker. */
export type Decide = (request: ControlledRequest) => Reply | undefined | Promise<Reply | undefined>;

/** Which requests a rule is asked about. */
export interface RuleOptions {
  /** Default: all nodes. */
  readonly nodeId?: number;
  readonly clientId?: string;
  readonly connectionId?: number;
  /** So many requests pass before the rule begins. Default 0. */
  readonly skip?: number;
  /** After so many replies the rule is removed. Default: no limit. */
  readonly times?: number;
}

interface Rule {
  readonly id: number;
  readonly apiKey: number;
  readonly options: RuleOptions;
  readonly decide: Decide;
  skipped: number;
  uses: number;
}

export class Control {
  /** Newest last. */
  #rules: Rule[] = [];
  readonly #gates = new Map<string, Set<() => void>>();
  readonly #uses = new Map<number, () => number>();
  #nextId = 1;

  /** The newest rule is asked first. */
  add(apiKey: number, decide: Decide, options: RuleOptions = {}): number {
    const rule: Rule = { id: this.#nextId++, apiKey, options, decide, skipped: 0, uses: 0 };
    this.#rules.push(rule);
    this.#uses.set(rule.id, () => rule.uses);
    return rule.id;
  }

  /** True if it was still there. */
  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
    return this.#rules.length < before;
  }

  clear(): void {
    this.#rules = [];
  }

  /** How many replies a rule has given, also after it is gone. */
  uses(id: number): number {
    const uses = this.#uses.get(id);
    if (uses === undefined) throw new Error(`there was never a rule ${id}`);
    return uses();
  }

  /** Whether any rule may want to see requests of that API; without, nothing is built for rules. */
  concerns(apiKey: number): boolean {
    return this.#rules.some((rule) => rule.apiKey === apiKey);
  }

  async decide(request: ControlledRequest): Promise<Reply | undefined> {
    for (const rule of [...this.#rules].reverse()) {
      if (!matches(rule, request)) continue;
      if (rule.skipped < (rule.options.skip ?? 0)) {
        rule.skipped++;
        continue;
      }
      // Counted before the decision, because more requests can come during it. Counted back if the rule does not reply.
      if (rule.uses >= (rule.options.times ?? Number.POSITIVE_INFINITY)) continue;
      rule.uses++;
      const reply = await rule.decide(request);
      if (reply === undefined) {
        rule.uses--;
        continue;
      }
      if (rule.uses >= (rule.options.times ?? Number.POSITIVE_INFINITY)) this.remove(rule.id);
      return reply;
    }
    return undefined;
  }

  /** Resolves at the next `release` of that name, or when `onAbandoned` says that nobody waits any more. */
  hold(gate: string, onAbandoned: (abandon: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#gates.get(gate) ?? new Set();
      this.#gates.set(gate, waiting);
      const go = (): void => {
        waiting.delete(go);
        forget();
        resolve();
      };
      const forget = onAbandoned(go);
      waiting.add(go);
    });
  }

  /** How many requests wait at a gate. */
  held(gate: string): number {
    return this.#gates.get(gate)?.size ?? 0;
  }

  /** Releases the requests that wait now, and returns their number. Later requests wait for the next release. */
  release(gate: string): number {
    const waiting = [...(this.#gates.get(gate) ?? [])];
    for (const go of waiting) go();
    return waiting.length;
  }
}

function matches(rule: Rule, request: ControlledRequest): boolean {
  const { nodeId, clientId, connectionId } = rule.options;
  return (
    rule.apiKey === request.apiKey &&
    (nodeId === undefined || nodeId === request.nodeId) &&
    (clientId === undefined || clientId === request.clientId) &&
    (connectionId === undefined || connectionId === request.connectionId)
  );
}

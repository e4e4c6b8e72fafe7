// Owns what a fuzz target is, and the running of its cases: what counts as a finding, and how one is told. Test thread.

import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { KafkaClientError } from '../../../src/common/errors/errors.ts';
import { Random } from '../../unit/protocol/support/random.ts';

/** One thing that is given hostile input. */
export interface FuzzTarget {
  readonly name: string;
  /** Of a thousand cases of a run that counts them, so many are of this target: those that are fast are many. */
  readonly share: number;
  /** Loads what the cases need. */
  prepare(): Promise<void>;
  /**
   * Runs one case. It may throw errors of this package. It throws `BrokenRule` when the code returned, but must not
   * have, such as for memory beyond a bound.
   */
  run(random: Random, input: Recorder): void | Promise<void>;
}

/** Where a case says what its input is, before it uses it. */
export interface Recorder {
  /** Bytes, or what JSON has words for. */
  note(what: string, input: object): void;
}

export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';
}

export interface Finding {
  readonly target: string;
  /** Makes this case again: `--target NAME --case SEED`. */
  readonly caseSeed: number;
  readonly what: string;
  readonly error: string;
  /** Its first bytes in hexadecimal, or the beginning of its text. */
  readonly input: string;
}

export interface TargetSummary {
  readonly target: string;
  readonly cases: number;
  /** Cases that ended in an error of this package. */
  readonly typed: number;
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

/** A case takes well below a millisecond. A machine that is busy, or a garbage collection, is far below this. */
const maxCaseMs = 5000;
const maxFindings = 20;
/** The seed makes the whole input again. */
const maxHexBytes = 256;
const maxTextLength = 2000;

export function caseSeedOf(seed: number, index: number): number {
  return (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) | 0;
}

/** Runs cases until `isOver` says so, or too much was found. */
export async function runTarget(
  target: FuzzTarget,
  seed: number,
  isOver: (cases: number) => boolean,
): Promise<TargetSummary> {
  await target.prepare();
  const findings: Finding[] = [];
  let [cases, typed, slowestMs] = [0, 0, 0];
  while (!isOver(cases) && findings.length < maxFindings) {
    const result = await runCase(target, caseSeedOf(seed, cases));
    cases++;
    if (result.isTyped) typed++;
    slowestMs = Math.max(slowestMs, result.ms);
    if (result.finding !== null) findings.push(result.finding);
    // Ports that a case has closed give their memory back in the event loop only.
    if (cases % 32 === 0) await setImmediate();
  }
  return { target: target.name, cases, typed, slowestMs: Math.round(slowestMs), findings };
}

interface CaseResult {
  readonly isTyped: boolean;
  readonly ms: number;
  readonly finding: Finding | null;
}

export async function runCase(target: FuzzTarget, caseSeed: number): Promise<CaseResult> {
  const random = new Random(caseSeed);
  let [what, input]: [string, object] = ['', []];
  const recorder = {
    note(noted: string, given: object): void {
      what = noted;
      input = given;
    },
  };
  const started = performance.now();
  let isTyped = false;
  let error: unknown = null;
  try {
    const running = target.run(random, recorder);
    if (running !== undefined) await running;
  } catch (thrown) {
    isTyped = thrown instanceof KafkaClientError && typeof thrown.code === 'string';
    if (!isTyped) error = thrown;
  }
  const ms = performance.now() - started;
  if (error === null && ms > maxCaseMs) error = new BrokenRule(`the case took ${Math.round(ms)} ms`);
  if (error === null) return { isTyped, ms, finding: null };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { isTyped, ms, finding: { target: target.name, caseSeed, what, error: text, input: textOf(input) } };
}

function textOf(input: object): string {
  if (input instanceof Uint8Array) return Buffer.from(input).subarray(0, maxHexBytes).toString('hex');
  const withBigInts = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  return JSON.stringify(input, withBigInts).slice(0, maxTextLength);
}

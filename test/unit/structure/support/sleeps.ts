// Owns finding fixed sleeps in test code: a wait of a set length for something that should be waited for itself. A timer that
// bounds a wait (it rejects, ends something, or is cleared) is none; a callback that only goes on is.

import { readSource, type Token } from './tokens.ts';

/** A sleep with this comment on its line or the one above, and a reason after it, is let through. */
const mark = /^\/\/ fixed sleep: \S/;
/** Shorter ones only let other work run, and are how helpers poll. */
const maxPauseMs = 10;

/** Lines with a fixed sleep that no comment explains. */
export function findSleeps(text: string): number[] {
  const { tokens, comments } = readSource(text);
  const delays = delayNames(tokens);
  const constants = numericConstants(tokens);
  const excused = new Set(
    comments.filter((comment) => mark.test(comment.text)).flatMap(({ line }) => [line, line + 1]),
  );
  const isLong = ({ text: ms }: Token): boolean => (constants.get(ms) ?? literalValue(ms)) >= maxPauseMs;
  const found = tokens.flatMap(({ line }, at) => {
    const ms = sleepMs(tokens, at, delays);
    return ms !== null && isLong(ms) ? [line] : [];
  });
  return found.filter((line) => !excused.has(line));
}

/** The token that says how long, when the word at `at` begins a sleep. */
function sleepMs(tokens: readonly Token[], at: number, delays: ReadonlySet<string>): Token | null {
  const { kind, text } = tokens[at]!;
  if (kind !== 'word' || tokens[at + 1]?.text !== '(') return null;
  const args = callArguments(tokens, at + 1);
  const single = (arg: readonly Token[] | undefined): Token | null => (arg?.length === 1 ? arg[0]! : null);
  if (tokens[at - 1]?.text === '.') {
    // On a fresh array nobody can notify it.
    const isSleep = text === 'wait' && tokens[at - 2]?.text === 'Atomics' && args[0]?.[0]?.text === 'new';
    return isSleep ? single(args[3]) : null;
  }
  if (delays.has(text))
    return args.some((arg) => arg.some((token) => token.text === 'signal')) ? null : single(args[0]);
  return text === 'setTimeout' && onlyGoesOn(args[0] ?? []) ? single(args[1]) : null;
}

/** A function passed by name, or an arrow that does nothing but call one by name without an error. */
function onlyGoesOn(callback: readonly Token[]): boolean {
  const isResolver = (token: Token | undefined): boolean => /^(resolve|done|next|go|wake|r)/i.test(token?.text ?? '');
  if (callback.length === 1) return isResolver(callback[0]);
  const body = callback.findIndex(({ text }) => text === '>') + 1;
  return body > 0 && isResolver(callback[body]) && ['()', '(undefined)'].includes(words(callback.slice(body + 1)));
}

function words(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join('');
}

/** What `setTimeout` of node:timers/promises is called here, and functions named for sleeping. */
function delayNames(tokens: readonly Token[]): Set<string> {
  const names = new Set(['sleep', 'delay']);
  const module = tokens.findIndex(({ kind, text }) => kind === 'string' && text === 'node:timers/promises');
  const opening = tokens.findLastIndex(({ text }, i) => i < module && text === 'import');
  for (let i = opening; i < module; i++) {
    if (tokens[i]?.text !== 'setTimeout') continue;
    names.add(tokens[i + 1]?.text === 'as' ? tokens[i + 2]!.text : 'setTimeout');
  }
  return names;
}

/** `const pauseMs = 50` at any depth. */
function numericConstants(tokens: readonly Token[]): Map<string, number> {
  const constants = new Map<string, number>();
  tokens.forEach(({ kind, text }, at) => {
    const [name, equals, value, end] = tokens.slice(at + 1, at + 5);
    if (kind !== 'word' || text !== 'const' || equals?.text !== '=' || value?.kind !== 'number') return;
    if (end?.text === ';') constants.set(name!.text, literalValue(value.text));
  });
  return constants;
}

/** Not a number for anything but a literal. */
function literalValue(text: string): number {
  return Number(text.replaceAll('_', ''));
}

/** The tokens of each argument of the call whose parenthesis is at `open`. */
function callArguments(tokens: readonly Token[], open: number): Token[][] {
  const args: Token[][] = [[]];
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at]!;
    const isPunctuation = token.kind === 'punctuation';
    if (isPunctuation && ')]}'.includes(token.text) && --depth === 0) break;
    if (isPunctuation && token.text === ',' && depth === 1) args.push([]);
    else if (depth > 0) args.at(-1)!.push(token);
    if (isPunctuation && '([{'.includes(token.text)) depth += 1;
  }
  return args;
}

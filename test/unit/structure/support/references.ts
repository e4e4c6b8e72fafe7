// Owns finding the modules a source file refers to, in every form that can load one: import and export declarations, type
// imports, dynamic import, require, and URLs of worker entries. Says what is there; what is allowed is import-rules.ts'.

import { readSource, type Token } from './tokens.ts';

export type ReferenceForm = 'import' | 'type' | 'require' | 'url';

export interface Reference {
  readonly form: ReferenceForm;
  /** Null when it is computed in a way that a reader of the source cannot tell. */
  readonly specifier: string | null;
  readonly line: number;
}

/** Calls that load a module by its name, apart from `import()`; the words in a row, without the dots. */
const loaders: readonly (readonly string[])[] = [
  ['require'],
  ['require', 'resolve'],
  ['import', 'meta', 'resolve'],
  ['getBuiltinModule'],
];

export function findReferences(text: string): Reference[] {
  const { tokens } = readSource(text);
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || tokens[at - 1]?.text === '.') {
      return token.text === 'getBuiltinModule' ? loaderCall(tokens, at) : [];
    }
    if (token.text === 'import') return importAt(tokens, at);
    if (token.text === 'export') return exportAt(tokens, at);
    if (token.text === 'createRequire' || token.text === 'requireFrom') return createRequireAt(tokens, at);
    if (token.text === 'new' && tokens[at + 1]?.text === 'URL') return urlAt(tokens, at);
    return loaderCall(tokens, at);
  });
}

function importAt(tokens: readonly Token[], at: number): Reference[] {
  const next = tokens[at + 1];
  if (next?.text === '(' && next.kind === 'punctuation') return [called('import', tokens, at + 1)];
  if (next?.text === '.') return loaderCall(tokens, at);
  const form = next?.text === 'type' && !['from', ','].includes(tokens[at + 2]?.text ?? '') ? 'type' : 'import';
  const name = tokens.slice(at + 1).find((token) => token.kind === 'string');
  return [{ form, specifier: name?.text ?? null, line: tokens[at]!.line }];
}

function exportAt(tokens: readonly Token[], at: number): Reference[] {
  const isType = tokens[at + 1]?.text === 'type';
  const first = at + (isType ? 2 : 1);
  const opening = tokens[first];
  if (opening?.kind !== 'punctuation' || !'{*'.includes(opening.text)) return [];
  // The first `from` after the names belongs to this declaration, when a string follows; names may be called `from` too.
  const close = opening.text === '*' ? first : tokens.findIndex((token, i) => i > first && token.text === '}');
  const isFrom = (i: number): boolean => tokens[i]?.text === 'from' && tokens[i + 1]?.kind === 'string';
  // `* as name from`: two words more than `* from`.
  const from = [close + 1, close + 3].find(isFrom);
  if (from === undefined) return [];
  return [{ form: isType ? 'type' : 'import', specifier: tokens[from + 1]!.text, line: tokens[at]!.line }];
}

/**
 * `createRequire(...)`, and ours, may be called at once, or be kept as `require`; under another name its calls would not be seen.
 */
function createRequireAt(tokens: readonly Token[], at: number): Reference[] {
  if (tokens[at + 1]?.text !== '(' || tokens[at - 1]?.text === 'function') return [];
  const close = closing(tokens, at + 1);
  if (tokens[close + 1]?.text === '(') return [called('require', tokens, close + 1)];
  if (tokens[at - 1]?.text === '=' && tokens[at - 2]?.text === 'require') return [];
  return [{ form: 'require', specifier: null, line: tokens[at]!.line }];
}

/** Every relative path among the arguments, since `new URL(a ? './x' : './y', base)` refers to both. */
function urlAt(tokens: readonly Token[], at: number): Reference[] {
  const end = closing(tokens, at + 2);
  return tokens
    .slice(at + 3, end)
    .filter(({ kind, text }) => (kind === 'string' || kind === 'template') && /^\.{1,2}\//.test(text))
    .map(({ text, line }) => ({ form: 'url', specifier: text, line }));
}

function loaderCall(tokens: readonly Token[], at: number): Reference[] {
  for (const loader of loaders) {
    const isLoader = loader.every((word, i) => tokens[at + 2 * i]?.text === word);
    const open = at + 2 * loader.length - 1;
    if (isLoader && tokens[open]?.text === '(') return [called('require', tokens, open)];
  }
  return [];
}

/** The argument of a call: a string; or a template that begins with `./`, which can lead only into the same folder. */
function called(form: ReferenceForm, tokens: readonly Token[], open: number): Reference {
  const close = closing(tokens, open);
  const [first, ...others] = tokens.slice(open + 1, close);
  const line = tokens[open]!.line;
  if (first?.kind === 'string' && (others.length === 0 || others[0]?.text === ',')) {
    return { form, specifier: first.text, line };
  }
  const literals = [first, ...others].filter((token) => token?.kind === 'template');
  const staysInFolder = literals.every((token, i) => !(i === 0 ? token!.text.slice(2) : token!.text).includes('/'));
  if (first?.kind === 'template' && first.text.startsWith('./') && staysInFolder) {
    return { form, specifier: './', line };
  }
  return { form, specifier: null, line };
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.kind !== 'punctuation') continue;
    if ('([{'.includes(tokens[i]!.text)) depth += 1;
    if (')]}'.includes(tokens[i]!.text)) depth -= 1;
    if (depth === 0) return i;
  }
  throw new Error(`line ${tokens[open]!.line}: a bracket without an end`);
}

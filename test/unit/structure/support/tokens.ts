// Owns cutting TypeScript into tokens, as far as the structure tests need it: what is a comment, a string or a regular
// expression is decided here, so that they look at code only. The compiler has no programming interface to ask instead.

export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  /** As in the source; of a string and of each literal part of a template what is between the delimiters. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface Comment {
  readonly text: string;
  /** Line of its end, from 1. */
  readonly line: number;
}

export interface Source {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

const spacePattern = /\s*/y;
const wordPattern = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const numberPattern = /(?:\d|\.\d)[\w.]*/y;
const regexPattern = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y;
const stringPattern = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y;
const commentPattern = /\/\/.*|\/\*[\s\S]*?\*\//y;
const templatePattern = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{)/y;

/** After these words a slash begins a regular expression; after other words it divides. */
const beforeRegex = new Set(['return', 'typeof', 'case', 'in', 'of', 'do', 'else', 'void', 'delete', 'await', 'yield']);

/** Throws on text that is no TypeScript, with the line. */
export function readSource(text: string): Source {
  return new Lexer(text).read();
}

class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  readonly #tokens: Token[] = [];
  readonly #comments: Comment[] = [];
  /** Of each open brace, whether it closes an expression inside a template. */
  readonly #braces: boolean[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): Source {
    for (;;) {
      this.#take(spacePattern);
      if (this.#at >= this.#text.length) return { tokens: this.#tokens, comments: this.#comments };
      this.#next();
    }
  }

  #next(): void {
    const comment = this.#take(commentPattern);
    if (comment !== null) {
      this.#comments.push({ text: comment, line: this.#line });
      return;
    }
    const { kind, text } = this.#literal() ?? this.#punctuation();
    if (text === '`' && kind === 'punctuation') this.#template();
    else if (text === '}' && kind === 'punctuation' && this.#braces.pop() === true) this.#template();
    else {
      if (text === '{' && kind === 'punctuation') this.#braces.push(false);
      this.#push(kind, text);
    }
  }

  #literal(): { kind: TokenKind; text: string } | null {
    const string = this.#take(stringPattern);
    if (string !== null) return { kind: 'string', text: string.slice(1, -1) };
    const word = this.#take(wordPattern);
    if (word !== null) return { kind: 'word', text: word };
    const number = this.#take(numberPattern);
    if (number !== null) return { kind: 'number', text: number };
    const regex = this.#mayBeginRegex() ? this.#take(regexPattern) : null;
    return regex === null ? null : { kind: 'regex', text: regex };
  }

  #punctuation(): { kind: TokenKind; text: string } {
    const text = this.#text[this.#at]!;
    if (text === "'" || text === '"') throw new Error(`line ${this.#line}: a string without an end`);
    this.#at += 1;
    return { kind: 'punctuation', text };
  }

  /** The literal part up to the end of the template or to the next expression in it. */
  #template(): void {
    const part = this.#take(templatePattern);
    if (part === null) throw new Error(`line ${this.#line}: a template without an end`);
    if (part.endsWith('`')) this.#push('template', part.slice(0, -1));
    else {
      this.#push('template', part.slice(0, -2));
      this.#braces.push(true);
    }
  }

  #mayBeginRegex(): boolean {
    const last = this.#tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === 'word') return beforeRegex.has(last.text);
    return last.kind === 'punctuation' && !')]}'.includes(last.text);
  }

  #push(kind: TokenKind, text: string): void {
    this.#tokens.push({ kind, text, line: this.#line });
  }

  /** What the sticky pattern matches here, stepping over it; null when it does not. */
  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.#at += found.length;
    for (let i = found.indexOf('\n'); i !== -1; i = found.indexOf('\n', i + 1)) this.#line += 1;
    return found;
  }
}

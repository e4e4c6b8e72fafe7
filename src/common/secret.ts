// Owns secret values: passwords, keys, and objects that hold them. Every thread. A Secret that is printed, inspected or put into
// JSON shows nothing. Structured clone drops its value, so a secret only crosses to the network thread by `withoutSecrets` and
// `withSecrets`.

const shown = '[secret]';

/** Holds a value. Only `reveal` returns it. */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  /** The text that `util.inspect` and `console.log` show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown;
  }
}

/** Splits the record: `open` is for structured clone, `secrets` has the values of its secrets. */
export function withoutSecrets<T extends object>(record: T): { readonly open: T; readonly secrets: object } {
  const open: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    if (value instanceof Secret) secrets[key] = value.reveal();
    else open[key] = value;
  }
  return { open: open as T, secrets };
}

/** Joins both parts again, in the thread that got them. */
export function withSecrets<T extends object>(open: T, secrets: object): T {
  const concealed = Object.entries(secrets).map(([key, value]) => [key, new Secret(value)]);
  return Object.freeze({ ...open, ...Object.fromEntries(concealed) });
}

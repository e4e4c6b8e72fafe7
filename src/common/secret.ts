// Owns values that must never be seen: passwords, keys, whatever holds them. Every thread. One that is printed, inspected
// or put into JSON shows nothing; structured clone drops it, so it crosses to the network thread only where
// `withoutSecrets` and `withSecrets` let it.

const shown = '[secret]';

/** Holds a value that only `reveal` gives out. */
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

  /** What `util.inspect` and `console.log` show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown;
  }
}

/** The record as structured clone may carry it, and what its secrets hold. */
export function withoutSecrets<T extends object>(record: T): { readonly open: T; readonly secrets: object } {
  const open: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    if (value instanceof Secret) secrets[key] = value.reveal();
    else open[key] = value;
  }
  return { open: open as T, secrets };
}

/** The record again, in the thread that got both parts. */
export function withSecrets<T extends object>(open: T, secrets: object): T {
  const concealed = Object.entries(secrets).map(([key, value]) => [key, new Secret(value)]);
  return Object.freeze({ ...open, ...Object.fromEntries(concealed) });
}

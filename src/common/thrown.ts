// Owns how a value that the application's code threw becomes an Error or a text. Every thread. Must not throw, and must not trust
// the value: its getters may throw.

/** The thrown value itself if it is a readable Error. Otherwise an Error that says what it was. */
export function thrownError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string' && typeof thrown.name === 'string') return thrown;
    if (thrown instanceof Error) return new Error('an error whose name or message is not a string');
  } catch {
    // A getter threw, or the value is a proxy that was revoked.
    return new Error('a thrown value that cannot be read');
  }
  return new Error(thrownText(thrown));
}

/** A text of the value for messages. */
export function thrownText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be shown';
  }
}

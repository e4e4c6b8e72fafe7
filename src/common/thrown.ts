// Owns what becomes of a value that code of the application threw: an Error that can be read, and text, whatever it was. Every
// thread. Must not throw, nor believe anything the value says of itself.

/** The thrown value itself where it is an Error that can be read, else an Error that says what it was. */
export function thrownError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string' && typeof thrown.name === 'string') return thrown;
    if (thrown instanceof Error) return new Error('an error whose name or message is no text');
  } catch {
    // A getter threw, or the value is a proxy that was revoked.
    return new Error('a thrown value that cannot be read');
  }
  return new Error(thrownText(thrown));
}

/** The value as text for messages. */
export function thrownText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be shown';
  }
}

// Owns what helpers tell the check after each test: what a test has to close although nothing in Node or in the client shows it, and
// what memory a helper keeps on purpose. Test thread. Must not know what they are.

const openThings = new Map<object, string>();

/** The test that runs now has to close it. @returns a function to call when it is closed */
export function mustBeClosed(thing: object, what: string): () => void {
  openThings.set(thing, what);
  return () => void openThings.delete(thing);
}

/** What is open now, and what each is called. */
export function listOpenThings(): ReadonlyMap<object, string> {
  return openThings;
}

const ofFile = new WeakSet<object>();

/** Hooks of the file close it, not the test in which it was made: a broker that a test has started again is its suite's. */
export function belongsToFile(thing: object): void {
  ofFile.add(thing);
}

export function isOfFile(thing: object): boolean {
  return ofFile.has(thing);
}

const keptMemory = new WeakSet<SharedArrayBuffer>();

/** A helper keeps this memory longer than its client lives. */
export function keepsMemory(buffer: SharedArrayBuffer): void {
  keptMemory.add(buffer);
}

export function isKept(buffer: SharedArrayBuffer): boolean {
  return keptMemory.has(buffer);
}

// Owns the finding of programs in a page of the docs. Test thread.

/** The text of every program of the page, in order. */
export function programsOf(page: string): string[] {
  return [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text]) => text!);
}

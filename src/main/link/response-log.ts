// Owns the responses that completed while polls are under way: each poll gets those of its own time. Application thread. Must
// not keep a response that no poll under way will list.

/** A poll's beginning. */
export interface ResponseSpan {
  readonly start: number;
  isOver: boolean;
}

/*
 * An array rather than a list for each poll, which a thousand polls side by side would all have to be given every response. Nor
 * are responses chained: an old link that is dead keeps all that follow alive until a full collection.
 */
export class ResponseLog {
  /** Those from position `#base` on. */
  #responses: unknown[] = [];
  #base = 0;
  /** How many at the beginning of `#responses` are let go of already. */
  #cleared = 0;
  /** In the order of their starts, from `#firstSpan` on. */
  #spans: ResponseSpan[] = [];
  #firstSpan = 0;
  /** The last list made, for other polls of the same time. */
  #lastStart = -1;
  #lastEnd = -1;
  #lastList: readonly unknown[] = [];

  /** The position behind the newest response. */
  get end(): number {
    return this.#base + this.#responses.length;
  }

  begin(): ResponseSpan {
    const span = { start: this.end, isOver: false };
    this.#spans.push(span);
    return span;
  }

  add(response: unknown): void {
    if (this.#firstSpan < this.#spans.length) this.#responses.push(response);
  }

  hasAny(span: ResponseSpan): boolean {
    return this.end > span.start;
  }

  /** Ends the span. @returns its responses; spans of the same time get the same list */
  finish(span: ResponseSpan): readonly unknown[] {
    const { end } = this;
    if (span.start !== this.#lastStart || end !== this.#lastEnd) {
      this.#lastList = this.#responses.slice(span.start - this.#base);
      this.#lastStart = span.start;
      this.#lastEnd = end;
    }
    const list = this.#lastList;
    this.drop(span);
    return list;
  }

  /** Ends a span whose responses nobody wants. */
  drop(span: ResponseSpan): void {
    span.isOver = true;
    while (this.#firstSpan < this.#spans.length && this.#spans[this.#firstSpan]!.isOver) this.#firstSpan++;
    if (this.#firstSpan === this.#spans.length) this.#reset();
    else this.#trim();
  }

  #reset(): void {
    this.#base = this.end;
    this.#responses = [];
    this.#cleared = 0;
    this.#spans = [];
    this.#firstSpan = 0;
    this.#lastStart = -1;
    this.#lastEnd = -1;
    this.#lastList = [];
  }

  #trim(): void {
    if (this.#firstSpan * 2 >= this.#spans.length) {
      this.#spans = this.#spans.slice(this.#firstSpan);
      this.#firstSpan = 0;
    }
    const { start } = this.#spans[this.#firstSpan]!;
    if (this.#lastStart < start) {
      this.#lastStart = -1;
      this.#lastList = [];
    }
    const unneeded = start - this.#base;
    if (unneeded === 0) return;
    if (unneeded * 2 < this.#responses.length) {
      this.#responses.fill(undefined, this.#cleared, unneeded);
      this.#cleared = unneeded;
      return;
    }
    this.#responses = this.#responses.slice(unneeded);
    this.#base = start;
    this.#cleared = 0;
  }
}

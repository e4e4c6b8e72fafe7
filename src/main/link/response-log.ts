// Owns the responses that complete while polls are under way. Each poll gets the responses of its own time. Application thread. Must
// not keep a response that no poll will list.

/** The beginning of a poll. */
export interface ResponseSpan {
  readonly start: number;
  isOver: boolean;
}

/*
 * There is one array for all polls. With a list for each poll, a response would be added to a thousand lists if there are a thousand
 * polls. Responses are not a linked list: an old dead node would keep all later ones alive until a full collection.
 */
export class ResponseLog {
  /** The responses from position `#base` on. */
  #responses: unknown[] = [];
  #base = 0;
  /** How many places at the beginning of `#responses` are cleared already. */
  #cleared = 0;
  /** The spans in the order of their starts, from `#firstSpan` on. */
  #spans: ResponseSpan[] = [];
  #firstSpan = 0;
  /** The last list that was made, for other polls of the same time. */
  #lastStart = -1;
  #lastEnd = -1;
  #lastList: readonly unknown[] = [];

  /** The position after the newest response. */
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

  /** Ends the span. @returns its responses; spans of the same time get the same array */
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

  /** Ends a span without a list of its responses. */
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

// Owns the log of a soak's clients: it counts records, because the faults cause hundreds of them. Main thread.

export class CountingLog {
  warnings = 0;
  readonly debug = (): void => {};
  readonly info = (): void => {};
  readonly warn = (): void => {
    this.warnings++;
  };
  readonly error = this.warn;
}

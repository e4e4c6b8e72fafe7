// Owns what is recorded of each API: requests, bytes, failures and the histogram of latencies. Network thread. Must not compute
// rates or quantiles: readers do that.

import { apiMaxSlots, apiRow, apiSlotOf, latencyBoundsMs, measuredApis } from '../../state/api-metrics.ts';
import { MetricsWriter } from '../../state/shared-metrics.ts';

const { bucket0, failures, latencyMs, latencyMsMax, requestBytes, requests, responseBytes, responses } = apiSlotOf;
const bucketCount = latencyBoundsMs.length;

export class ApiRecorder {
  readonly #writer: MetricsWriter;
  readonly #isUsed = new Uint8Array(measuredApis);

  constructor(buffer: SharedArrayBuffer, now: number) {
    this.#writer = new MetricsWriter(buffer, now, apiMaxSlots);
  }

  moveOn(now: number): void {
    this.#writer.moveOn(now);
  }

  sent(apiKey: number, byteCount: number): void {
    const row = this.#row(apiKey);
    if (row < 0) return;
    this.#writer.add(row + requests, 1);
    this.#writer.add(row + requestBytes, byteCount);
  }

  answered(apiKey: number, byteCount: number, afterMs: number): void {
    const row = this.#row(apiKey);
    if (row < 0) return;
    const writer = this.#writer;
    writer.add(row + responses, 1);
    writer.add(row + responseBytes, byteCount);
    writer.add(row + latencyMs, afterMs);
    writer.max(row + latencyMsMax, afterMs);
    let bucket = 0;
    while (bucket < bucketCount && afterMs > latencyBoundsMs[bucket]!) bucket++;
    writer.add(row + bucket0 + bucket, 1);
  }

  failed(apiKey: number): void {
    const row = this.#row(apiKey);
    if (row >= 0) this.#writer.add(row + failures, 1);
  }

  /** Where the API's slots begin; -1 for an API without a row. */
  #row(apiKey: number): number {
    if (!(apiKey >= 0 && apiKey < measuredApis)) return -1;
    const row = apiRow(apiKey);
    if (this.#isUsed[apiKey] === 0) {
      this.#isUsed[apiKey] = 1;
      this.#writer.clearRow(row);
    }
    return this.#writer.indexOf(row, 0);
  }
}

// Owns records that are failed as they come out of a link, because their thread's time to close is over: those of one partition are told
// together. Network thread. Must not decide which records these are.

import type { KafkaClientError } from '../../common/errors/errors.ts';
import { outcomeOf } from '../producer/outcomes.ts';
import type { ProducerRole } from '../producer/producer-role.ts';
import { RecordRuns } from '../producer/record-owner.ts';
import type { UnplacedRecord } from '../producer/staging.ts';

export class RefusedRecords {
  readonly #role: Pick<ProducerRole, 'recordRefused'>;
  #runs = new RecordRuns();
  #error: KafkaClientError | null = null;
  #topic = '';
  #partition = -1;

  constructor(role: Pick<ProducerRole, 'recordRefused'>) {
    this.#role = role;
  }

  add(record: UnplacedRecord, error: KafkaClientError, now: number): void {
    const { name } = record.topic;
    if (name !== this.#topic || record.partition !== this.#partition) this.settle();
    this.#topic = name;
    this.#partition = record.partition;
    this.#error = error;
    this.#role.recordRefused(name, now);
    this.#runs.add(record.owner, record.kind, record.trackId);
  }

  /** Tells the owners of the records that were added. */
  settle(): void {
    if (this.#error === null) return;
    const [runs, error] = [this.#runs, this.#error];
    this.#runs = new RecordRuns();
    this.#error = null;
    runs.settle(outcomeOf(this.#topic, this.#partition, error));
  }
}

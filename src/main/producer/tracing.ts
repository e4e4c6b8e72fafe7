// Owns the tracing channel of `send`: who listens hears of each record, and may add headers to it. Application thread. Costs one look
// while nobody listens.

import { tracingChannel } from 'node:diagnostics_channel';
import { produceChannelName } from '../../common/channel-names.ts';
import type { Future } from '../link/future.ts';
import type { ProducerRecord, RecordMetadata } from './producer-types.ts';
import { type HeaderPair, headerPairs } from './record-input.ts';

/** One message for all events of a record. */
export interface ProduceTrace {
  readonly topic: string;
  readonly record: ProducerRecord<unknown, unknown>;
  /** A listener of `start` adds pairs here; they are sent behind the record's own headers. */
  readonly headers: HeaderPair[];
  /** Where the record is; set before `asyncStart`. */
  result?: RecordMetadata;
  /** Why it failed; set before `error`. */
  error?: unknown;
}

const channel = tracingChannel<unknown, ProduceTrace>(produceChannelName);

/**
 * Runs `send` with the record, inside the stores that are bound to the channel; with headers that listeners have added.
 * Throws: what `send` throws
 */
export function traced<K, V>(
  topic: string,
  record: ProducerRecord<K, V>,
  future: Future<RecordMetadata>,
  send: (record: ProducerRecord<K, V>) => void,
): void {
  if (!channel.hasSubscribers) {
    send(record);
    return;
  }
  const trace: ProduceTrace = { topic, record, headers: [] };
  channel.start.runStores(trace, () => {
    try {
      const { headers: added } = trace;
      send(added.length === 0 ? record : { ...record, headers: [...(headerPairs(record.headers) ?? []), ...added] });
      future.addBoth((result) => settled(trace, result));
    } catch (error) {
      trace.error = error;
      channel.error.publish(trace);
      throw error;
    } finally {
      channel.end.publish(trace);
    }
  });
}

function settled(trace: ProduceTrace, result: RecordMetadata | Error): void {
  if (result instanceof Error) {
    trace.error = result;
    channel.error.publish(trace);
  } else {
    trace.result = result;
  }
  channel.asyncStart.publish(trace);
  channel.asyncEnd.publish(trace);
}

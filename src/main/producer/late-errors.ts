// Owns the errors of a producer's waits that took too long. Application thread. Must not decide when that is.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { BufferExhaustedError, KafkaTimeoutError } from '../../common/errors/errors.ts';

export function noRoom(bytes: number, { maxBlockMs, bufferMemoryBytes }: ProducerConfig): BufferExhaustedError {
  const text = `there was no room for ${bytes} bytes within ${maxBlockMs} ms (maxBlockMs)`;
  return new BufferExhaustedError(`${text}; bufferMemoryBytes is ${bufferMemoryBytes}`);
}

export function flushTimeout(timeoutMs: number): KafkaTimeoutError {
  return new KafkaTimeoutError(
    `the flush did not end within ${timeoutMs} ms; records may still be delivered or fail after that`,
  );
}

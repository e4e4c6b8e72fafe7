// Owns what a control call of a network thread came to, without waiting for it. Test thread.

import type { ControlResult } from '../../../../src/common/control.ts';
import type { KafkaClientError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';

export interface Call<T> {
  result: T | undefined;
  error: KafkaClientError | undefined;
  isOpen: boolean;
}

export function watch<T>(promise: Promise<ControlResult<T>>): Call<T> {
  const call: Call<T> = { result: undefined, error: undefined, isOpen: true };
  promise.then((settled) => {
    call.isOpen = false;
    if ('error' in settled) call.error = fromPlainError(settled.error) as KafkaClientError;
    else call.result = settled.value;
  });
  return call;
}

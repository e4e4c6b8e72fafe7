// An iteration over responses that nobody goes on with: it must not keep what comes later.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ResponseIterator, type StreamSource } from '../../../../src/main/client/response-stream.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

class Source implements StreamSource {
  readonly listeners = new Set<(response: unknown) => void>();
  readonly isAtEnd = false;

  listenForResponses(listener: (response: unknown) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  keepAlive(): () => void {
    return () => {};
  }

  onEnd(): () => void {
    return () => {};
  }
}

test('an iterator that is dropped in the middle takes nothing more in when it is collected', async () => {
  const source = new Source();
  const takeOne = async (): Promise<void> => {
    const iterator = new ResponseIterator({}, source, null);
    const step = iterator.next();
    for (const listener of source.listeners) listener('first');
    assert.deepEqual(await step, { done: false, value: 'first' });
  };
  await takeOne();
  assert.equal(source.listeners.size, 1);
  await waitFor('it to be collected', () => {
    collect();
    return source.listeners.size === 0;
  });
});

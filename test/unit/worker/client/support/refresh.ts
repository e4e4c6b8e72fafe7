// Owns a refresh of metadata as a test asks for one and sees it end. Test thread.

import { fromPlainError } from '../../../../../src/common/errors/plain-error.ts';
import type { FakeNetwork } from '../../support/fake-network.ts';

export interface Refresh {
  outcome: 'open' | 'succeeded' | 'failed';
  updateId: number;
  error: Error | null;
}

/** A refresh as the control port asks for one. */
export function refresh(
  { control }: Pick<FakeNetwork, 'control'>,
  topics: readonly string[] | null = null,
  needsAllTopics = false,
): Refresh {
  const state: Refresh = { outcome: 'open', updateId: 0, error: null };
  control.refreshMetadata(topics, needsAllTopics).then((result) => {
    if ('error' in result) {
      state.outcome = 'failed';
      state.error = fromPlainError(result.error);
    } else {
      state.outcome = 'succeeded';
      state.updateId = result.value;
    }
  });
  return state;
}

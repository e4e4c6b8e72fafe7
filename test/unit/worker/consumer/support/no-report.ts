// Owns the report of a consumer that nobody measures. Test thread.

import type { ConsumerReport } from '../../../../../src/worker/consumer/consumer-report.ts';

const nothing = (): void => {};

export const noReport: ConsumerReport = {
  fetched: nothing,
  handedOut: nothing,
  roundEnded: nothing,
  commitEnded: nothing,
  committedAnswered: nothing,
  heartbeatAnswered: nothing,
  joined: nothing,
  synced: nothing,
  rebalanced: nothing,
  rebalanceFailed: nothing,
};

// Owns the goals of the Producer beside itself and beside this client's requests, of macro/produce. Any thread.

import { beside, besideBest, type Goal, own, rate } from './goal-finders.ts';
import { busyTried } from './group-goals.ts';

const benchmark = 'macro/produce';

export const ownProducer: readonly Goal[] = [
  ...(
    [
      [100, 0.13],
      [1024, 0.35],
    ] as const
  ).flatMap(([bytes, microseconds]): Goal[] => {
    const busy = `produce ${bytes} B, main thread 90 % busy in 20 ms blocks`;
    return [
      {
        what: `append of ${bytes} B, main-thread CPU`,
        goal: `at most ${microseconds} us`,
        limit: microseconds,
        is: 'at most',
        find: own(benchmark, `append of ${bytes} B: main thread`),
      },
      {
        what: `Producer, 90 % busy in blocks of 20 ms, ${bytes} B: rate`,
        goal: 'at least 0.95 of the idle rate',
        limit: 0.95,
        is: 'at least',
        find: beside(benchmark, busy, 'idle main thread'),
        tried: busyTried,
      },
      {
        what: `Producer, 90 % busy in blocks of 20 ms, ${bytes} B: rate beside another thread that is as busy`,
        goal: 'reported',
        limit: 0,
        is: 'at least',
        find: beside(benchmark, busy, 'idle main thread, another thread as busy'),
      },
    ];
  }),
  {
    what: 'produce rate, 1 KiB, Producer',
    goal: 'at least 2 x the best Node client',
    limit: 2,
    is: 'at least',
    find: besideBest('peers/produce', `produce 1 KiB: ${rate}`, 'higher'),
    tried:
      'as in the row of 3 x: twice the rate of the best is more than a bare socket that repeats one request reaches here',
  },
  {
    what: 'a lone awaited send, p50',
    goal: 'at most 1.25 x a raw Produce by client.send',
    limit: 1.25,
    is: 'at most',
    find: beside(benchmark, 'a lone awaited send, p50', 'a raw Produce by client.send'),
  },
  {
    what: 'append: objects on the heap of the main thread per record',
    goal: 'none: less than a byte',
    limit: 1,
    is: 'at most',
    find: own(benchmark, 'append: heap of the main thread per record'),
  },
];

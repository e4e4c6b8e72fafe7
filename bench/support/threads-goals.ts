// Owns the goals of several threads on one network thread, of peers/threads. Any thread. Those rows have what is asked for beside them.

import { beside, type Goal } from './goal-finders.ts';

const third = '1/3 of the cheapest peer';
const memoryTried =
  "a thread that has a producer of its own has that producer's 16 MiB of rings, which do not count here, and its batches; threads of a pool that share one producer (docs/threads.md) have neither. A worker of Node and the code that it loads are in both, and are more than 3 MiB: `npm run bench -- macro/attach` measures one more client in a thread that runs already, 0.3 MiB, and 1.4 MiB with a producer that has sent a record";
const workTried =
  'the work of the application, 2 us, is more than a third of what a record costs with the cheapest peer, so no client can meet it; the rows with light work and those beyond the work tell what clients cost';

function asked(what: string, goal: string, name: string, comparison: string, more: Partial<Goal> = {}): Goal {
  return {
    what: `attached threads: ${what}`,
    goal,
    limit: 1,
    is: 'at most',
    find: beside('peers/threads', `goal: ${name}`, comparison),
    ...more,
  };
}

const singleTried =
  'met and missed by a hair from run to run (0.998 to 1.035): the work, 2 us, is most of what is measured; the row with light work tells the client apart from it';

export const threads: readonly Goal[] = [
  ...(['attached, one producer', 'attached'] as const).flatMap((client): Goal[] => {
    const words = client === 'attached' ? 'a producer for each' : 'one producer for all';
    const name = 'memory of one more thread';
    const more = { tried: memoryTried };
    return [
      asked(
        `${name} beyond its rings, ${words}`,
        'at most 3 MiB',
        `${name} beyond its rings, ${client}, at most`,
        'the goal',
        more,
      ),
      asked(
        `${name}, ${words}`,
        'at most 1/5 of a client of its own',
        `${name}, ${client}, at most`,
        '1/5 of a client of its own',
        more,
      ),
    ];
  }),
  asked('time to attach', 'at most 20 ms', 'time to attach with 1 thread, at most', 'the goal'),
  asked('rate of 4 threads', 'at least 0.95 of one thread', 'rate of 4 threads, at least', '0.95 of 1 thread', {
    is: 'at least',
  }),
  ...[1, 4].flatMap((count): Goal[] => {
    const name = `CPU of a record with ${count} threads, light work`;
    return [
      asked(`${name} (0.25 us)`, `at most ${third}`, `${name}, at most`, third),
      asked(`${name}, beyond the work`, `at most ${third}`, `${name} beyond its work, at most`, third),
    ];
  }),
  ...[1, 2, 4, 8].flatMap((count): Goal[] => {
    const name = `CPU of a record with ${count} threads`;
    return [
      asked(`${name} (2 us of work)`, `at most ${third}`, `${name}, at most`, third, { tried: workTried }),
      asked(`${name}, beyond the work`, `at most ${third}`, `${name} beyond its work, at most`, third, {
        ...(count === 1 && { tried: singleTried }),
      }),
    ];
  }),
];

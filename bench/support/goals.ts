// Owns the goals of the project's figures, and what saved rows say of each. Any thread. A goal that nothing measures is told as such.

import { figure, type SavedRow } from './figures.ts';
import {
  beside,
  besideBest,
  cpu,
  type Goal,
  main,
  older,
  otherThreads,
  own,
  platformatic,
  rate,
  sizes,
  sum,
  variantBeside,
  variantBesideCheapest,
} from './goal-finders.ts';
import { buffersTried, busyTried, consumeRateTried, group, shareTried } from './group-goals.ts';
import { ownProducer } from './own-producer-goals.ts';
import { threads } from './threads-goals.ts';

export interface GoalResult {
  readonly what: string;
  readonly goal: string;
  /** The figure that counts, with the client that it is compared with. */
  readonly measured: string;
  readonly verdict: 'yes' | 'no' | 'not measured';
  /** By how much it is missed, and what was tried. */
  readonly note: string;
  /** Where the figure comes from. */
  readonly row: SavedRow | null;
}

const producerTried =
  'that build has no Producer and is measured by Produce requests of lists that are ready, so ours also has partitions, sequence numbers and the ring between the threads to pay; records are copied into batches without garbage, by words and at any alignment (a fourth of the time of a copy), and the memory of requests is kept and used again';
const requestsTried =
  'the memory of requests is kept and used again after the socket has written it, instead of new memory for each request above 16 KiB';

const produce: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const name = `produce ${size}`;
  const times = size === '100 B' ? 4 : 3;
  const share = size === '100 B' ? 12 : 5;
  const row = (metric: string): [string, string] => ['peers/produce', `${name}: ${metric}`];
  return [
    {
      what: `CPU of all threads per produced record, ${size}`,
      goal: `at most 0.5 of ${older}`,
      limit: 0.5,
      is: 'at most',
      find: beside(...row(cpu), older),
      tried: producerTried,
    },
    {
      what: `the same by Produce requests of KafkaClient, as that build is measured, ${size}`,
      goal: `at most 0.5 of ${older}`,
      limit: 0.5,
      is: 'at most',
      find: variantBeside(...row(cpu), "this client's Fetch and Produce", older),
      tried: requestsTried,
    },
    {
      what: `produce rate, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest(...row(rate), 'higher'),
      tried:
        size === '100 B'
          ? 'copies into batches without garbage, by words and at any alignment, a fourth of their time; rings of 16 MiB: 2.9 to 3.9 x in the runs since; the network thread does 0.7 of a core at that rate, and the broker shares the two cores with it'
          : 'the broker alone takes some 3.5 us of CPU per record, and two cores are for it and the client together; a request has 470 KB, and larger batches cost the broker more; the bare socket beside it, which costs next to nothing, is the limit of one connection',
    },
    {
      what: `produce rate, ${size}`,
      goal: "at least 2 x Java's",
      limit: 2,
      is: 'at least',
      find: beside(...row(rate), "Kafka's Java client"),
    },
    {
      what: `produce rate, ${size}`,
      goal: 'share of a socket that sends the same requests again and again: reported',
      limit: 0,
      is: 'at least',
      find: beside(...row(rate), 'bare socket'),
    },
    {
      what: `main-thread CPU per produced record, ${size}`,
      goal: `at most 1/${share} of the cheapest Node client`,
      limit: 1 / share,
      is: 'at most',
      find: besideBest(...row(main), 'lower'),
    },
  ];
});

const fetchTried =
  'the memory of a response goes back by itself when cursors have passed its records, so a fetch costs what it costs with recycle (the client beside it in the table below): before, whole collections for each 40 MB took a third of the main thread and of all threads. What is left is the reading of the records, which another core has just written, and for each response a request, a wake-up and two moved buffers';

const fetch: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const isSmall = size === '100 B';
  const [cursor, buffers, times] = isSmall ? [0.05, 0.1, 6] : [0.083, 0.13, 2.5];
  return [
    {
      what: `main-thread CPU per record fetched by cursor, without recycle, ${size}`,
      goal: `at most ${cursor} of the cheapest Node client`,
      limit: cursor,
      is: 'at most',
      find: besideBest('peers/consume', `fetch ${size}: ${main}`, 'lower'),
      tried: fetchTried,
    },
    {
      what: `main-thread CPU per consumed record with a Buffer for each key and value, ${size}`,
      goal: `at most ${buffers} of the cheapest Node client`,
      limit: buffers,
      is: 'at most',
      find: variantBesideCheapest('peers/consume', `consume ${size}: ${main}`, 'this client, a Buffer for each value'),
      tried: buffersTried,
    },
    ...(isSmall
      ? [
          {
            what: 'CPU of other threads per fetched record, 100 B',
            goal: `at most 0.65 of ${older}`,
            limit: 0.65,
            is: 'at most' as const,
            find: otherThreads('peers/consume', 'fetch 100 B', older),
            tried: fetchTried,
          },
        ]
      : []),
    {
      what: `fetch rate, main thread idle, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest('peers/consume', `fetch ${size}: ${rate}`, 'higher'),
      tried: fetchTried,
    },
    {
      what: `consume rate in a group, main thread idle, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest('peers/consume', `consume ${size}: ${rate}`, 'higher'),
      tried: consumeRateTried,
    },
    {
      what: `fetch rate, ${size}`,
      goal: 'share of a socket that throws the bytes away: reported',
      limit: 0,
      is: 'at least',
      find: beside('peers/consume', `fetch ${size}: ${rate}`, 'bare socket'),
    },
  ];
});

const load: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const [short, long] = ['20 ms', '1 s'].map((block) => `consume ${size}, main thread 90 % busy in blocks of ${block}`);
  const work = `${rate} x applicationShare`;
  return [
    {
      what: `90 % busy in blocks of 20 ms, ${size}: the application's share of the wall`,
      goal: 'at least 0.85',
      limit: 0.85,
      is: 'at least',
      find: own('peers/load', `${short}: applicationShare`),
      tried: shareTried,
    },
    {
      what: `90 % busy in blocks of 20 ms, ${size}: rate`,
      goal: 'at least 0.7 of the idle rate',
      limit: 0.7,
      is: 'at least',
      find: beside('peers/load', `${short}: ${rate}`, 'its own rate with an idle main thread'),
      tried: busyTried,
    },
    {
      what: `90 % busy in blocks of 20 ms, ${size}: records x application work`,
      goal: 'at least 10 x the best Node client',
      limit: 10,
      is: 'at least',
      find: besideBest('peers/load', `${short}: ${work}`, 'higher'),
      tried: busyTried,
    },
    {
      what: `90 % busy in blocks of 1 s, ${size}: records x application work`,
      goal: 'at least 10 x the best Node client',
      limit: 10,
      is: 'at least',
      find: besideBest('peers/load', `${long}: ${work}`, 'higher'),
      tried:
        'what is read ahead during a block is bounded by prefetchBytes, 64 MiB by default: some 600,000 records of 100 B, 60,000 of 1 KiB; the peer keeps what its sockets hold',
    },
  ];
});

const startTried =
  'files for each thread with only what it uses: producers, consumers, logins, codecs and messages of APIs are loaded at first use, or while the thread starts; nothing large is compiled before it is needed (no modules of Node, no expression for IPv6, on Node 20 no WebAssembly of zstd without records of it and not the code of the other role), and comlink is loaded as an ES module: 0.87 of the time and of the CPU before these three. Minified files take 0.9 to 1.0 of the time to load, which is not worth their stack traces; no option of Worker makes its start shorter. What remains is the start of a worker of Node (30 ms), the compiling of some 900 KB (35 ms, which NODE_COMPILE_CACHE halves: docs/guide.md) and the first run of everything';
const consumeDelayTried =
  'poll of a consumer lets the event loop run after each millisecond: the CPU of this thread between two turns fell from 2.7 to 0.8 ms (p99) at 1 KiB, and at 100 B to what the application does with one batch (1.5 ms for 1 MiB); the rest is the time for which other threads have the core';
const produceDelayTried =
  'the loop of the benchmark lets the event loop run after each millisecond of append, as docs/producer.md advises and as the loops of the other clients do after each call; when it filled the ring of 16 MiB in one turn, p99 was 24 ms and the worst 38 ms';

const others: readonly Goal[] = [
  {
    what: 'small request, awaited, p50',
    goal: 'at most 1.3 x @platformatic/kafka',
    limit: 1.3,
    is: 'at most',
    find: beside('peers/requests', 'small request, one after the other: medianUs', platformatic),
    tried:
      'two doorbells and a socket without a client take 1.2 to 1.25 x a bare socket: one wake-up keeps the waking thread 30 to 43 us; lingering, fewer promises and a look before sleeping gained nothing',
  },
  {
    what: 'small request, pollSync, p50',
    goal: 'at most 1.0 x @platformatic/kafka',
    limit: 1,
    is: 'at most',
    find: beside('peers/requests', 'small request, one after the other: syncMedianUs', platformatic),
    tried: 'the same: what is left are the wake-ups of two threads',
  },
  {
    what: '1,000 requests at once, time',
    goal: 'at most 1.0 x the best Node client',
    limit: 1,
    is: 'at most',
    find: besideBest('peers/requests', '1,000 small requests at once: medianUs', 'lower'),
    tried:
      '0.87 in the run of 2026-11-29: a process sends some thousand requests (0.4 s) before the measured part, so how much of both threads V8 has compiled by then decides. The builds of both days take the same CPU for a request once they are warm (13 us, embedded broker)',
  },
  {
    what: 'cold start to the first record, time',
    goal: 'at most that of kafkajs',
    limit: 1,
    is: 'at most',
    find: beside('peers/start', 'cold start: time to the first record', 'kafkajs'),
    tried: startTried,
  },
  {
    what: 'cold start: time to import',
    goal: 'at most that of kafkajs',
    limit: 1,
    is: 'at most',
    find: beside('peers/start', 'cold start: time to import', 'kafkajs'),
  },
  {
    what: 'cold start: CPU',
    goal: `at most 0.5 of ${older}`,
    limit: 0.5,
    is: 'at most',
    find: beside('peers/start', 'cold start: CPU of the process, all threads', older),
    tried: startTried,
  },
  ...(['consume 100 B', 'produce 100 B'] as const).flatMap((name): Goal[] => {
    const benchmark = name.startsWith('consume') ? 'peers/consume' : 'peers/produce';
    return [
      {
        what: `event-loop delay caused by us at full speed, ${name}: p99`,
        goal: 'below 1 ms',
        limit: 1,
        is: 'at most',
        find: own(benchmark, `${name}: delayP99Ms`),
        tried: name.startsWith('consume') ? consumeDelayTried : produceDelayTried,
      },
      {
        what: `event-loop delay caused by us at full speed, ${name}: worst`,
        goal: 'below 5 ms',
        limit: 5,
        is: 'at most',
        find: own(benchmark, `${name}: delayMaxMs`),
        tried: name.startsWith('consume') ? consumeDelayTried : produceDelayTried,
      },
    ];
  }),
  ...(['15 s', '60 s', '600 s'] as const).flatMap((block): Goal[] => {
    const row = (metric: string): string => `main thread blocked for ${block}: ${metric}`;
    return [
      {
        what: `main thread blocked for ${block}: errors, disconnects, evictions, records twice or never read`,
        goal: 'none',
        limit: 0,
        is: 'at most',
        find: sum('peers/blocked', ['errors', 'disconnects', 'evictions', 'duplicates', 'neverRead'].map(row)),
      },
      {
        what: `main thread blocked for ${block}: memory after it beside before`,
        goal: 'at most 1.1 x',
        limit: 1.1,
        is: 'at most',
        find: own('peers/blocked', row('memoryGrowth')),
        tried:
          'the consumer reads ahead while the thread is blocked, so the growth is what it keeps then, at most prefetchBytes (64 MiB by default); memory that only cursors have read goes back by itself and is used again',
      },
    ];
  }),
];

const commandLineTried: Readonly<Record<string, string>> = {
  '`--version`, CPU':
    'a program of its own answers it and loads nothing else: 9 ms more than Node alone, which takes 71 ms here (`cpuMsOfNodeAlone` of the saved row)',
  '`metadata`, time':
    "one request tells all, by the connection that the client has; the network thread starts before the program is loaded, and loads its code meanwhile; no code of messages, roles and codecs that the command does not use: 0.66 of the time and 0.76 of the CPU before. What is left is the start of Node (`msOfNodeAlone` of the saved row), of a worker of Node, and of the client's code: the cold start above",
  '`produce` of a file of 1 GB, rate': 'lines are handed over in blocks, not one by one',
};

const commandLine: readonly Goal[] = (
  [
    ['`--version`, CPU', 'below 60 ms', '--version, CPU at most', 'the goal', 'at most'],
    ['`metadata`, time', 'at most 2 x kcat', 'metadata, time at most', '2 times kcat', 'at most'],
    [
      '`consume` of 100 B to /dev/null, rate',
      'at least 1.5 x kcat',
      'consume of 100 B to /dev/null, at least',
      '1.5 times kcat',
      'at least',
    ],
    [
      '`produce` of a file of 1 GB, rate',
      'at least 1.0 x kcat',
      'produce of a file of 1 GB, at least',
      'kcat',
      'at least',
    ],
    [
      '`offsets` of 10,000 topics, memory of a topic',
      'as with 5,000',
      'offsets of 10,000 topics, memory of a topic, at most',
      '1.1 of that with 5,000',
      'at most',
    ],
  ] as const
).map(([what, goal, name, comparison, is]) => {
  const find = beside('peers/cli', `goal: ${name}`, comparison);
  const tried = commandLineTried[what];
  return { what: `command line: ${what}`, goal, limit: 1, is, find, ...(tried !== undefined && { tried }) };
});

const goals: readonly Goal[] = [
  ...produce,
  ...ownProducer,
  ...fetch,
  ...group,
  ...load,
  ...others,
  ...threads,
  ...commandLine,
];

/** @param rows the newest of each name and comparison */
export function goalResults(rows: readonly SavedRow[]): GoalResult[] {
  return goals.map(({ what, goal, limit, is, find, tried }) => {
    const found = find(rows);
    if (found === null) {
      return { what, goal, measured: 'not measured yet', verdict: 'not measured', note: '', row: null };
    }
    const { value, text, row } = found;
    const isMet = is === 'at most' ? value <= limit : value >= limit;
    const note = isMet ? '' : [missedBy(value, limit, is), tried ?? 'nothing was tried for it yet'].join('; ');
    return { what, goal, measured: text, verdict: isMet ? 'yes' : 'no', note, row };
  });
}

function missedBy(value: number, limit: number, is: Goal['is']): string {
  if (limit === 0) return `${figure(value)} too many`;
  const factor = is === 'at most' ? value / limit : limit / value;
  return `missed by a factor of ${figure(factor)}`;
}

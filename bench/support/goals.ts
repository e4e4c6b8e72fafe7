// Owns the goals of the project's figures. Any thread. A goal that no benchmark measures has no row, and the page says so.

export interface Goal {
  readonly what: string;
  readonly goal: string;
  /** Benchmark, name and comparison of the row whose ratio counts. Null: nothing measures it yet. */
  readonly row: string | null;
  readonly isMet: (ratio: number) => boolean;
}

const atMost =
  (limit: number) =>
  (ratio: number): boolean =>
    ratio <= limit;
const atLeast =
  (limit: number) =>
  (ratio: number): boolean =>
    ratio >= limit;

function unmeasured(what: string, goal: string): Goal {
  return { what, goal, row: null, isMet: () => false };
}

export const goals: readonly Goal[] = [
  {
    what: 'cold start to the first record, time',
    goal: 'at most that of kafkajs',
    row: 'peers/start cold start: time to the first record kafkajs',
    isMet: atMost(1),
  },
  {
    what: 'cold start: time to import',
    goal: 'at most that of kafkajs',
    row: 'peers/start cold start: time to import kafkajs',
    isMet: atMost(1),
  },
  {
    what: 'produce rate, 100 B',
    goal: 'at least 4 times @platformatic/kafka',
    row: 'peers/produce produce 100 B: recordsPerSecond @platformatic/kafka',
    isMet: atLeast(4),
  },
  {
    what: 'produce rate, 100 B',
    goal: 'at least 4 times kafkajs',
    row: 'peers/produce produce 100 B: recordsPerSecond kafkajs',
    isMet: atLeast(4),
  },
  {
    what: 'produce rate, 100 B',
    goal: 'at least 2 times the one of Java',
    row: "peers/produce produce 100 B: recordsPerSecond Kafka's own producer",
    isMet: atLeast(2),
  },
  {
    what: 'main-thread CPU per produced record, 100 B',
    goal: 'at most 1/12 of @platformatic/kafka',
    row: 'peers/produce produce 100 B: mainThreadMicrosecondsPerRecord @platformatic/kafka',
    isMet: atMost(1 / 12),
  },
  {
    what: 'produce rate, 1 KiB',
    goal: 'at least 3 times @platformatic/kafka',
    row: 'peers/produce produce 1 KiB: recordsPerSecond @platformatic/kafka',
    isMet: atLeast(3),
  },
  {
    what: 'produce rate, 1 KiB',
    goal: 'at least 3 times kafkajs',
    row: 'peers/produce produce 1 KiB: recordsPerSecond kafkajs',
    isMet: atLeast(3),
  },
  {
    what: 'produce rate, 1 KiB',
    goal: 'at least 2 times the one of Java',
    row: "peers/produce produce 1 KiB: recordsPerSecond Kafka's own producer",
    isMet: atLeast(2),
  },
  {
    what: 'main-thread CPU per produced record, 1 KiB',
    goal: 'at most 1/5 of @platformatic/kafka',
    row: 'peers/produce produce 1 KiB: mainThreadMicrosecondsPerRecord @platformatic/kafka',
    isMet: atMost(1 / 5),
  },
  unmeasured('CPU of all threads per produced record, 100 B and 1 KiB', 'at most 0.5 of the build of 2026-11-22'),
  unmeasured(
    'main-thread CPU per fetched record by cursor, without recycle',
    '0.05 at 100 B, 0.083 at 1 KiB of the cheapest peer',
  ),
  unmeasured('fetch rate, main thread idle', '6 times the best peer at 100 B, 2.5 times at 1 KiB'),
  unmeasured('main thread 90 % busy in blocks of 20 ms', '70 % of the idle rate, 10 times the best peer'),
  unmeasured('main thread 90 % busy in blocks of 1 s', '10 times the best peer'),
  unmeasured('small request, awaited', 'at most 1.3 times @platformatic/kafka'),
  unmeasured('1,000 requests at once', 'at most the time of the best peer'),
  unmeasured('event-loop delay at full speed', 'p99 below 1 ms, worst below 5 ms'),
  unmeasured('main thread blocked for 60 s', 'no timeout, no duplicate, the same memory'),
];

// Gives a consumer in the network thread answers that decode and make no sense, requests that fail and time that passes: of every
// request that it makes, in both group protocols and without a group. It never throws, never spins, and closes in time.

import { prepareCodecs } from '../../../src/codec/index.ts';
import { KafkaConnectionError } from '../../../src/common/errors/errors.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { responseView } from '../../unit/protocol/support/response-view.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { ConsumerBench } from '../../unit/worker/consumer/support/consumer-bench.ts';
import { Alterations } from '../support/altered.ts';
import { plausibleAnswer } from '../support/plausible.ts';
import { BrokenRule, type FuzzTarget, type Recorder } from '../support/target.ts';

const steps = 25;
const closeTimeoutMs = 5000;
/** Two connections to each of three brokers, with one request each of a kind, are far below this. */
const maxWaiting = 100;

const responses = new Map<number, TableMessage>();

export const consumer: FuzzTarget = {
  name: 'consumer',
  share: 2,

  async prepare() {
    await prepareCodecs();
    for (const table of tableMessages.values()) if (table.kind === 'response') responses.set(table.apiKey, table);
  },

  run(random, input) {
    const bench = started(random);
    for (let step = 0; step < steps; step++) {
      if (bench.waiting.length > maxWaiting) throw new BrokenRule(`${bench.waiting.length} requests wait`);
      act(bench, random, input);
    }
    let isClosed = false;
    bench.role.close(closeTimeoutMs, 'default', bench.now, () => {
      isClosed = true;
    });
    bench.turn();
    bench.advance(closeTimeoutMs + 1);
    if (!isClosed) throw new BrokenRule(`close has not ended after ${closeTimeoutMs} ms`);
  },
};

function started(random: Random): ConsumerBench {
  const groupProtocol = random.pick(['classic', 'consumer', 'none']);
  const options = {
    autoOffsetReset: random.pick(['earliest', 'latest', 'none']),
    isolationLevel: random.pick(['read_committed', 'read_uncommitted']),
    whenRevoked: random.pick(['wait', 'drop']),
  };
  if (groupProtocol === 'none') {
    const bench = new ConsumerBench(options).topic('t', 2);
    const partitions = [0, 1].map((partition) => ({
      topic: 't',
      partition,
      start: random.chance(50) ? null : { offset: '10' },
    }));
    bench.role.assign(partitions, bench.now);
    return bench.turn();
  }
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol, ...options }).topic('t', 2);
  bench.role.subscribe({ names: ['t'] }, bench.now);
  return bench.turn();
}

function act(bench: ConsumerBench, random: Random, input: Recorder): void {
  const kind = random.below(100);
  if (kind < 70) settle(bench, random, input);
  else if (kind < 80) bench.advance(random.pick([1, 20, 100, 1000, 10_000]));
  else if (kind < 85)
    bench.leader('t', random.below(2), { leaderId: random.pick([-1, 1, 2]), leaderEpoch: random.below(9) });
  else if (kind < 87) bench.topic('t', 1 + random.below(3), random.below(2));
  else if (kind < 90) bench.application.isWaiting = random.chance(70);
  else for (const handed of bench.application.handed) handed.doneUpTo = handed.batch.nextOffset;
  bench.turn();
}

/** Ends any of the requests that wait. */
function settle(bench: ConsumerBench, random: Random, input: Recorder): void {
  if (bench.waiting.length === 0) return;
  const [one] = bench.waiting.splice(random.below(bench.waiting.length), 1);
  const { api } = one!;
  if (random.chance(10)) {
    one!.onFailure(new KafkaConnectionError('reset'), bench.now);
    return;
  }
  const version = Math.min(api.maxVersion, one!.maxVersion ?? api.maxVersion);
  const answer = new Alterations(random, responses.get(api.key)!, version).of(
    plausibleAnswer(api.key, one!.request, random),
  );
  input.note(`${api.name} version ${version}`, answer);
  one!.onResponse(responseView(api as never, answer as never), version, bench.now, () => {});
}

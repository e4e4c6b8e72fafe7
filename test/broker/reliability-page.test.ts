// docs/reliability.md: its program goes on after each loss of its network thread, whatever was under way, and no order stays without a result.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../scripts/project.ts';
import { KafkaClient, OffsetCommit, Produce } from '../../src/index.ts';
import type { Reply } from '../../src/testing/index.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient, patientNode } from '../helpers/patience.ts';
import { readLog } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { programsOf } from './support/page-programs.ts';

const page = readFileSync(join(projectFolder, 'docs', 'reliability.md'), 'utf8');
const programs = programsOf(page);
const library = new URL('../../src/index.js', import.meta.url).href;
/** What the program prints, not the warning of the library. */
const loss = /^the network thread ended with exit code 1 /gm;

/** Ends the network thread that was started last, when the test says so. */
const preload = `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  let worker;
  process.on('worker', (started) => { worker = started; });
  process.on('message', () => worker.terminate());
  process.channel.unref();
}
`;

test('a program goes on after the loss of its network thread, and every order has its result', {
  timeout: 300_000,
}, async (t) => {
  assert.equal(programs.length, 1);
  const folder = mkdtempSync(join(tmpdir(), 'reliability-page-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const broker = await startEmbeddedBroker({ topics: { orders: 1, results: 1 } });
  t.after(() => broker.close());
  const orders = ['a', 'ab', 'abc', ''];
  const order = (i: number): Promise<number> => broker.append('orders', 0, [{ key: `${i}`, value: orders[i]! }]);

  writeFileSync(join(folder, 'preload.mjs'), preload);
  writeFileSync(join(folder, 'program.mjs'), programs[0]!.replaceAll("'offthread-kafka'", JSON.stringify(library)));
  const child = fork(join(folder, 'program.mjs'), {
    execArgv: [...patientNode, '--import', join(folder, 'preload.mjs')],
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') },
    silent: true,
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const output = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text) => (output.stdout += text));
  child.stderr!.on('data', (text) => (output.stderr += text));

  const lossesSeen = (): number => [...output.stderr.matchAll(loss)].length;
  const losses: readonly [typeof Produce | typeof OffsetCommit, (gate: string) => Reply][] = [
    [Produce, (gate) => ({ holdUntil: gate })],
    [Produce, (gate) => ({ holdAnswerUntil: gate })],
    [OffsetCommit, (gate) => ({ holdUntil: gate })],
  ];
  for (const [i, [api, reply]] of losses.entries()) {
    const gate = `loss-${i}`;
    await broker.control(api, reply(gate), { times: 1 });
    await order(i);
    await broker.waitForHeld(gate);
    child.send('end');
    await waitFor('the program to notice the loss', () => lossesSeen() === i + 1);
    await broker.release(gate);
  }
  await order(orders.length - 1);
  const [exitCode] = await ended;
  assert.equal(exitCode, 0, output.stderr);
  assert.equal(output.stdout, `done, after the loss of ${losses.length} network threads\n`);

  const client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
  t.after(() => client.close());
  const results = new Map((await readLog(client, 'results')).map(({ key, value }) => [key, value]));
  assert.deepEqual(
    [...results],
    orders.map(({ length }, i) => [`${i}`, `${length}`]),
  );
});

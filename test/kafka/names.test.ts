// A real broker whose name leads to another address after a restart. Its client runs in a mount namespace of its own with the test's own
// /etc/hosts, so the system's resolver is used and the machine is not changed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Child, startChild } from '../broker/support/child.ts';
import type { ReconnectingArguments, ReconnectingReport } from '../broker/support/scripts/reconnecting.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka, type KafkaOptions } from './fixture/index.ts';

const name = 'broker.test';
/** As this user, or as the superuser of a user namespace, where the system has those for everybody. */
const ways = [
  ['unshare', '--mount'],
  ['unshare', '--mount', '--map-root-user'],
];
const way = ways.find(([command, ...args]) => spawnSync(command!, [...args, 'true']).status === 0);
const skip = way === undefined ? 'unshare cannot make a mount namespace here' : false;

const options: KafkaOptions = { advertised: ({ port }) => ({ host: name, port }) };

describeKafka(
  'names of a real broker',
  (suite) => {
    test('a host name that has another address after a restart is looked up again', {
      skip,
      timeout: 300_000,
    }, async (t) => {
      const [broker] = suite.kafka.brokers;
      const folder = await mkdtemp(join(tmpdir(), 'offthread-kafka-names-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const hosts = join(folder, 'hosts');
      // Written in place: another file of that name would not be seen where this one lies.
      const lead = (address: string): Promise<void> => writeFile(hosts, `127.0.0.1 localhost\n${address} ${name}\n`);
      await lead(broker!.host);
      const under = [...way!, 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];
      const args: ReconnectingArguments = { bootstrapServers: `${name}:${broker!.port}` };
      const child = startChild(t, 'reconnecting', args, { under });
      const before = await nextReport(child, 0);
      assert.deepEqual(before.brokers, [`${name}:${broker!.port}`]);

      await broker!.kill('SIGKILL');
      await broker!.move(broker!.port, '127.0.0.2');
      await broker!.start();
      await lead(broker!.host);
      const after = await nextReport(child, 1);
      assert.deepEqual(after.brokers, before.brokers);
      assert.ok(after.endedConnections > before.endedConnections + 2, 'it was tried at its old place meanwhile');
    });
  },
  options,
);

async function nextReport(child: Child, index: number): Promise<ReconnectingReport> {
  child.tell('');
  const line = await waitFor(
    'a report',
    async () => {
      if (child.hasEnded) assert.fail((await child.ended).stderr);
      const lines = child.stdout.split('\n');
      return index < lines.length - 1 ? lines[index] : null;
    },
    180_000,
  );
  return JSON.parse(line) as ReconnectingReport;
}

// Every administration call: which broker gets its request, what is sent again, what is final. One row for each call, so that none is left
// out.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { AdminCallName } from '../../../../src/common/admin/calls.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import type { Call } from '../../../../src/worker/admin/call.ts';
import { callTable } from '../../../../src/worker/admin/call-table.ts';
import { again, ids, ofGroup, type Row, refused, rows } from './call-rows.ts';
import { type Asked, FakeHost, type Reply } from './fake-host.ts';

const namesRefused = /ClusterAuthorizationFailed|CLUSTER_AUTHORIZATION_FAILED/;

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

/** Finds brokers as the script says; the row's own request is answered by `reply`, with the number of the attempt. */
function script({ api }: Row<AdminCallName>, reply: (attempt: number) => Reply): void {
  let attempts = 0;
  host.reply = (asked: Asked) => {
    if (asked.api === api) return reply(attempts++);
    if (asked.api === 'FindCoordinator') {
      return { response: { coordinators: [{ key: 'g', nodeId: ids.coordinator }] } };
    }
    if (asked.api === 'Metadata') {
      const partitions = [{ partitionIndex: 0, leaderId: ids.leader }];
      const brokers = [{ nodeId: ids.all, host: 'a', port: 1 }];
      return { response: { controllerId: ids.controller, brokers, topics: [{ name: 't', partitions }] } };
    }
    // The older description of groups, of one that is not classic.
    return { response: ofGroup(69) };
  };
}

/** The errors of an answer, wherever the call puts them. */
async function errorsOf(answer: Promise<unknown>): Promise<{ readonly name: string; readonly message: string }[]> {
  let settled: unknown;
  try {
    settled = await answer;
  } catch (error) {
    return [error as Error];
  }
  const { errors } = (settled ?? {}) as { errors?: { error: Error }[] };
  if (errors !== undefined) return errors.map(({ error }) => error);
  if (!Array.isArray(settled)) return [];
  return settled.flatMap((one: unknown) => {
    const outcome = Array.isArray(one) ? (one[1] as { ok?: boolean; error?: Error }) : {};
    return outcome.ok === false ? [outcome.error!] : [];
  });
}

const run = (name: AdminCallName, row: Row<AdminCallName>): Promise<unknown> =>
  host.run((callTable[name] as (call: Call, args: unknown) => Promise<unknown>)(host.call(), row.args));
const asksOf = ({ api }: Row<AdminCallName>): Asked[] => host.asked.filter((asked) => asked.api === api);

for (const [name, row] of Object.entries(rows) as [AdminCallName, Row<AdminCallName>][]) {
  describe(
    `${name} asks ${row.to === 'given' ? 'the given broker' : row.to === 'all' ? 'all brokers' : `the ${row.to}`}`.replace(
      'the any',
      'any broker',
    ),
    () => {
      test('again for a retriable error', async () => {
        script(row, (attempt) => ({ response: row.response(attempt === 0 ? again[row.to] : 0) }));
        assert.deepEqual(await errorsOf(run(name, row)), []);
        const asks = asksOf(row);
        assert.deepEqual(
          asks.map(({ brokerId }) => brokerId),
          [ids[row.to], ids[row.to]],
        );
        assert.ok(asks[1]!.atMs - asks[0]!.atMs >= 80, 'not before the backoff');
      });

      test('again when the connection is lost', async () => {
        script(row, (attempt) =>
          attempt === 0 ? { error: new KafkaConnectionError('reset') } : { response: row.response(0) },
        );
        assert.deepEqual(await errorsOf(run(name, row)), []);
        assert.equal(asksOf(row).length, 2);
      });

      test('once for a final error, and tells it', async () => {
        script(row, () => ({ response: row.response(refused) }));
        const errors = await errorsOf(run(name, row));
        assert.equal(errors.length, 1, JSON.stringify(errors));
        assert.match(errors[0]!.name, namesRefused);
        assert.equal(asksOf(row).length, 1);
      });

      test('until its time is over, and then tells the last reason', async () => {
        script(row, () => ({ response: row.response(again[row.to]) }));
        const errors = await errorsOf(run(name, row));
        assert.equal(errors.length, 1, JSON.stringify(errors));
        assert.equal(errors[0]!.name, 'KafkaTimeoutError');
        assert.match(errors[0]!.message, /attempts; the last one ended with/);
      });
    },
  );
}

// Gives every administration call answers that decode and make no sense: other values, entries left out, doubled, added or of things
// that nobody asked about, error codes of every kind, connections that are lost. Each call ends with one outcome for each item, or with an
// error of this package, after few requests, and its answer can cross to the application's thread.

import type { AdminCallName } from '../../../src/common/admin/calls.ts';
import type { PlainOutcome } from '../../../src/common/admin/outcome.ts';
import { KafkaClientError, KafkaConnectionError } from '../../../src/common/errors/errors.ts';
import { fromPlainError, type PlainError } from '../../../src/common/errors/plain-error.ts';
import { withLongs } from '../../../src/main/admin/results.ts';
import type { Call } from '../../../src/worker/admin/call.ts';
import { callTable } from '../../../src/worker/admin/call-table.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { ids, ofGroup, type Row, rows } from '../../unit/worker/admin/call-rows.ts';
import { type Asked, FakeHost } from '../../unit/worker/admin/fake-host.ts';
import { Alterations } from '../support/altered.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const names = Object.keys(rows) as AdminCallName[];
/** Of a thousand fields, so many are changed. */
const rates = [0, 20, 100, 300, 700];
const timeoutMs = 5000;
/** A request in each 100 ms of the call's time, to each of a few brokers and for each step of a call, is far below this. */
const maxAsked = 2000;
const responses = new Map<number, TableMessage>();

export const admin: FuzzTarget = {
  name: 'admin',
  share: 2,

  async prepare() {
    for (const table of tableMessages.values()) if (table.kind === 'response') responses.set(table.apiKey, table);
  },

  async run(random, input) {
    const name = random.pick(names);
    const row = rows[name] as Row<AdminCallName>;
    const host = new FakeHost();
    const endsAt = host.now + timeoutMs;
    host.reply = (asked, { api }) => {
      if (host.asked.length > maxAsked) throw new BrokenRule(`${name} has sent ${maxAsked} requests`);
      if (random.chance(5)) return { error: new KafkaConnectionError('reset') };
      // The altered answer of the call, or of what it asks first, and sometimes one that is right.
      const table = responses.get(api.key)!;
      const response = new Alterations(random, table, api.maxVersion, rates).of(plausible(row, asked, random));
      input.note(`${name}: ${api.name}`, response);
      return { response };
    };
    const answer = await host.run((callTable[name] as RunCall)(host.call(timeoutMs), row.args));
    if (host.now > endsAt) throw new BrokenRule(`${name} ended ${host.now - endsAt} ms after its time`);
    check(name, withLongs(structuredClone(answer)));
  },
};

type RunCall = (call: Call, args: unknown) => Promise<unknown>;

function plausible(row: Row<AdminCallName>, { api }: Asked, random: Random): object {
  if (api === row.api) return row.response(0);
  if (api === 'FindCoordinator') return { coordinators: [{ key: 'g', nodeId: ids.coordinator }] };
  if (api === 'Metadata') {
    const partitions = [{ partitionIndex: 0, leaderId: ids.leader }];
    const brokers = [{ nodeId: ids.all, host: 'a', port: 1 }];
    return { controllerId: ids.controller, brokers, topics: [{ name: 't', partitions }] };
  }
  return ofGroup(random.pick([0, 69]));
}

/** Errors are hidden in the outcomes of items. */
function check(name: AdminCallName, answer: unknown): void {
  if (!Array.isArray(answer)) {
    const { errors } = (answer ?? {}) as { errors?: readonly { readonly error: PlainError }[] };
    for (const { error } of errors ?? []) checkError(name, error);
    return;
  }
  for (const one of answer as readonly unknown[]) {
    if (Array.isArray(one) && one.length === 2) checkOutcome(name, one[1] as PlainOutcome<unknown> | undefined);
  }
}

function checkOutcome(name: AdminCallName, outcome: PlainOutcome<unknown> | undefined): void {
  if (outcome === undefined) throw new BrokenRule(`${name} has no outcome of an item`);
  if (outcome.ok === false) checkError(name, outcome.error);
}

function checkError(name: AdminCallName, plain: PlainError): void {
  const error = fromPlainError(plain);
  if (!(error instanceof KafkaClientError) || typeof error.code !== 'string')
    throw new BrokenRule(`${name} has an untyped error: ${plain.stack ?? plain.message}`);
}

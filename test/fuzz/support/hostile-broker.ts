// Owns a broker in memory whose answers are changed, or left out. Most are valid, so that a connection comes far. Test thread.

import { ApiVersions, allApis, SaslAuthenticate, SaslHandshake } from '../../../src/protocol/flat/generated/apis.ts';
import { MessageValues, type Random } from '../../unit/protocol/support/random.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { type FakeBroker, type FakeRequest, responseFrame } from '../../unit/worker/support/fake-peer.ts';
import { mutated } from './mutate.ts';
import type { Recorder } from './target.ts';

const responses = new Map<number, TableMessage>();
for (const table of tableMessages.values()) if (table.kind === 'response') responses.set(table.apiKey, table);

/** What a broker has a handler for is answered by it first; every other request by random values, but for logins. */
export function makeHostile(broker: FakeBroker, random: Random, input: Recorder): void {
  const change = (request: FakeRequest, answer: object | null): object | Buffer | null => {
    if (answer === null || random.chance(5)) return null;
    if (random.chance(75)) return answer;
    const frame = mutated(Buffer.isBuffer(answer) ? answer : responseFrame(request, answer), random);
    // With the right length again, or the frame itself is what is looked at.
    if (frame.length >= 4 && random.chance(80)) frame.writeInt32BE(frame.length - 4, 0);
    input.note(`${request.codec.name} version ${request.version}`, frame);
    return frame;
  };
  for (const [key, handler] of [...broker.handlers]) {
    const isVersions = key === ApiVersions.key;
    broker.handlers.set(key, (request) => change(request, isVersions && random.chance(10) ? {} : handler(request)));
  }
  for (const { key } of allApis) {
    if (broker.handlers.has(key) || key === SaslHandshake.key || key === SaslAuthenticate.key) continue;
    broker.handlers.set(key, (request) => {
      const value = new MessageValues(random, responses.get(key)!, request.version).message();
      return change(request, value);
    });
  }
}

// Owns one broker behind a small response link, for tests of what waits there. Test thread.

import type { KafkaClientOptions } from '../../../../../src/common/config/config.ts';
import { ListGroups } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { SentRequest } from '../../support/fake-application.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import type { FakeBroker } from '../../support/fake-peer.ts';

export let net: FakeNetwork;

export let broker: FakeBroker;

export const tiny: KafkaClientOptions = { responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * 1024 };

export function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ ...tiny, ...options });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.log.length = 0;
}

/** In pieces, since a string has an int16 length. */
export function named(name: string) {
  const groups: { groupId: string }[] = [];
  for (let i = 0; i < name.length; i += 10_000) groups.push({ groupId: name.slice(i, i + 10_000) });
  return { groups };
}

export function nameOf(request: SentRequest<unknown>): string {
  const { groups } = request.view as { groups: Iterable<{ groupId: string }> };
  return [...groups].map(({ groupId }) => groupId).join('');
}

/** More requests than the response link can answer at once, all answered while nobody reads. */
export function overfill(count = 40, size = 100): SentRequest<unknown>[] {
  const sent = Array.from({ length: count }, () => net.app.send(1, ListGroups, {}));
  net.run();
  net.app.isReading = false;
  for (let i = 0; i < count; i++) broker.reply(named(`${i} ${'x'.repeat(size)}`));
  net.run();
  return sent;
}

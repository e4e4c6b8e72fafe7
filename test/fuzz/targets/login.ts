// Runs the whole network thread, without sockets and without a clock, against brokers whose answers to a login are changed, delayed, left
// out or cut off, tokens without header included. Every request settles once, and a refused login shows no secret.

import { ListGroups, SaslAuthenticate, SaslHandshake } from '../../../src/protocol/flat/generated/apis.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { FakeNetwork } from '../../unit/worker/support/fake-network.ts';
import { allRanges, type FakeBroker, int32, range } from '../../unit/worker/support/fake-peer.ts';
import { makeHostile } from '../support/hostile-broker.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget, type Recorder } from '../support/target.ts';

const secret = 'the-secret-of-this-login';
const steps = 8;
/** Longer than any limit of a request, and than the longest backoff. */
const settleMs = 60_000;
const limits = { requestTimeoutMs: 5000, connectionSetupTimeoutMs: 2000, connectionSetupTimeoutMaxMs: 4000 };

export const login: FuzzTarget = {
  name: 'login',
  share: 0.2,

  async prepare() {},

  async run(random, input) {
    const net = new FakeNetwork({ ...limits, securityProtocol: 'SASL_PLAINTEXT', ...mechanismOf(random) });
    net.random = () => random.uint32() / 2 ** 32;
    net.askForToken = async () => ({ token: secret, extensions: {} });
    try {
      const broker = net.broker('one:9092', 1);
      letIn(broker, random, input);
      for (let step = 0; step < steps; step++) {
        net.app.connect(random.pick([-1, 1]));
        await net.settled();
        for (const id of [-1, 1]) net.app.send(id, ListGroups, {}, { timeoutMs: random.pick([-1, 1, 1000]) });
        if (random.chance(20)) random.pick(net.transports)?.fail(new Error('ECONNRESET'));
        await net.advanceSettled(random.pick([0, 1, 100, 1000]));
      }
      await net.advanceSettled(settleMs);
      if (net.app.open > 0) throw new BrokenRule(`${net.app.open} requests are open after ${settleMs} ms`);
      const failed = net.app.sent.filter(({ state }) => state === 'failed');
      const said = failed.map(({ error }) => `${error.message} ${(error.cause as Error | undefined)?.message}`);
      if (said.some((text) => text.includes(secret)) || JSON.stringify(net.logs).includes(secret))
        throw new BrokenRule('the secret was shown');
    } finally {
      await net.close();
    }
  },
};

function mechanismOf(random: Random): object {
  return random.chance(50)
    ? { saslMechanism: 'PLAIN', saslPlainUsername: 'alice', saslPlainPassword: secret }
    : { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: { token: () => 'unused' } };
}

function letIn(broker: FakeBroker, random: Random, input: Recorder): void {
  const lifetimes = [0n, 1n, 1000n, -1n, 60_000n, 2n ** 63n - 1n];
  broker.handlers.set(SaslHandshake.key, ({ body }) => ({
    errorCode: random.chance(90) ? 0 : random.integer(-1, 100),
    mechanisms: ['GSSAPI', body.mechanism],
  }));
  broker.handlers.set(SaslAuthenticate.key, () => ({
    errorCode: random.chance(80) ? 0 : 58,
    errorMessage: random.pick([null, 'no', 'x'.repeat(3000)]),
    authBytes: random.chance(70) ? Buffer.alloc(0) : mutated(Buffer.from('{"status":"invalid_token"}'), random),
    sessionLifetimeMs: random.pick(lifetimes),
  }));
  if (random.chance(30)) {
    broker.ranges = allRanges();
    broker.ranges.set(SaslHandshake.key, range(0, 0));
    broker.ranges.delete(SaslAuthenticate.key);
    broker.takesBareTokens = () => {
      if (random.chance(20)) return 'close';
      const answer = random.chance(60) ? Buffer.alloc(0) : mutated(int32(random.below(1000)), random);
      return { answer, isOver: random.chance(90) };
    };
  }
  makeHostile(broker, random, input);
}

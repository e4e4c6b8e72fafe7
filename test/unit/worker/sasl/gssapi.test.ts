import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SaslAuthenticationFailedError } from '../../../../src/common/errors/errors.ts';
import { Gssapi, type Kerberos, type KerberosClient } from '../../../../src/worker/sasl/gssapi.ts';

const none = Buffer.alloc(0);
const base64 = (bytes: string | readonly number[]): string => Buffer.from(bytes as string).toString('base64');

/** A library that follows a script; what Kerberos really says is for the tests with a KDC. */
function library({
  rounds = 1,
  offer = [1, 1, 0, 0],
  fails = null as Error | null,
} = {}): Kerberos & { services: string[] } {
  const services: string[] = [];
  const client: KerberosClient & { contextComplete: boolean } = {
    username: 'alice@KAFKA.TEST',
    contextComplete: false,
    async step(challenge) {
      if (fails !== null) throw fails;
      rounds--;
      client.contextComplete = rounds < 0;
      return rounds < 0 ? null : base64(`token after '${Buffer.from(challenge, 'base64')}'`);
    },
    unwrap: async () => base64(offer),
    wrap: async (plain, options) => {
      assert.deepEqual(options, { protect: false });
      return base64(`wrapped ${Buffer.from(plain, 'base64').toString('latin1')}`);
    },
  };
  return {
    services,
    async initializeClient(service) {
      services.push(service);
      return client;
    },
  };
}

describe('GSSAPI', () => {
  test('makes the context, then chooses no security layer and sends its name', async () => {
    const kerberos = library();
    const mechanism = new Gssapi(kerberos, 'kafka@broker.test');
    assert.equal((await mechanism.respond(none))!.toString(), "token after ''");
    // The context is complete and has nothing to send; the broker waits for a token all the same.
    assert.deepEqual(await mechanism.respond(Buffer.from('ticket accepted')), none);
    assert.equal(mechanism.isLastToken, false);
    const last = (await mechanism.respond(Buffer.from('offer')))!;
    assert.equal(last.toString('latin1'), 'wrapped \x01\x01\x00\x00alice@KAFKA.TEST');
    assert.equal(mechanism.isLastToken, true);
    assert.equal(await mechanism.respond(none), null);
    assert.deepEqual(kerberos.services, ['kafka@broker.test']);
  });

  test('refuses offers that do not allow authentication only, or have another size', async () => {
    for (const offer of [[4, 1, 0, 0], [], [1], [1, 0, 0, 0, 0]]) {
      const mechanism = new Gssapi(library({ rounds: 0, offer }), 'kafka@broker.test');
      await mechanism.respond(none);
      await assert.rejects(mechanism.respond(Buffer.from('offer')), /the broker offers/);
    }
  });

  test('an error of the library is the cause, and the service is named', async () => {
    const fails = new Error('No Kerberos credentials available');
    const mechanism = new Gssapi(library({ fails }), 'kafka@broker.test');
    await assert.rejects(mechanism.respond(none), (error: Error) => {
      assert.ok(error instanceof SaslAuthenticationFailedError);
      assert.match(error.message, /login for service kafka@broker\.test failed: No Kerberos credentials/);
      assert.equal(error.cause, fails);
      return true;
    });
  });

  test('refuses an answer after its last token', async () => {
    const mechanism = new Gssapi(library({ rounds: 0 }), 'kafka@broker.test');
    for (const token of ['', 'offer']) await mechanism.respond(Buffer.from(token));
    await assert.rejects(mechanism.respond(Buffer.from('more')), /ends with an empty answer/);
  });
});

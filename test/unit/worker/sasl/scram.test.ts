import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { SaslAuthenticationFailedError } from '../../../../src/common/errors/errors.ts';
import { Scram, type ScramOptions } from '../../../../src/worker/sasl/scram.ts';
import { ScramServer } from '../../../helpers/sasl-server.ts';

const none = Buffer.alloc(0);

/** The exchange that RFC 7677 prints. */
const rfc7677 = {
  options: {
    hash: 'sha256',
    username: 'user',
    password: 'pencil',
    isDelegationToken: false,
    nonce: 'rOprNGfwEbeRWgbNEkqO',
  },
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const;

const defaults: ScramOptions = { hash: 'sha256', username: 'alice', password: 'the-secret', isDelegationToken: false };

async function text(answer: Promise<Buffer | null>): Promise<string | undefined> {
  return (await answer)?.toString();
}

/** The mechanism once the server has sent its first message. */
async function afterFirst(
  options: Partial<ScramOptions> = {},
): Promise<{ mechanism: Scram; server: ScramServer; clientFinal: string }> {
  const all = { ...defaults, ...options };
  const mechanism = new Scram(all);
  const server = new ScramServer(all.hash, (await text(mechanism.respond(none)))!);
  const clientFinal = (await text(mechanism.respond(Buffer.from(server.first))))!;
  return { mechanism, server, clientFinal };
}

describe('SCRAM', () => {
  test('follows the exchange of RFC 7677', async () => {
    const mechanism = new Scram(rfc7677.options);
    assert.equal(await text(mechanism.respond(none)), rfc7677.clientFirst);
    assert.equal(await text(mechanism.respond(Buffer.from(rfc7677.serverFirst))), rfc7677.clientFinal);
    assert.equal(await mechanism.respond(Buffer.from(rfc7677.serverFinal)), null);
  });

  for (const hash of ['sha256', 'sha512'] as const) {
    test(`proves and checks with ${hash}`, async () => {
      const { mechanism, server, clientFinal } = await afterFirst({ hash });
      const finals = server.finals('the-secret');
      assert.equal(clientFinal, finals.client);
      assert.equal(await mechanism.respond(Buffer.from(finals.server)), null);
    });
  }

  test('uses a new nonce for every login', async () => {
    const firsts = await Promise.all([1, 2].map(() => text(new Scram(defaults).respond(none))));
    assert.match(firsts[0]!, /^n,,n=alice,r=[0-9a-f]{32}$/);
    assert.notEqual(firsts[0], firsts[1]);
  });

  test('escapes names, and prepares them and passwords', async () => {
    const first = await text(new Scram({ ...defaults, username: 'a=b,c', nonce: 'N' }).respond(none));
    assert.equal(first, 'n,,n=a=3Db=2Cc,r=N');
    // RFC 4013, section 3: a soft hyphen vanishes, a feminine ordinal becomes the letter, a Roman numeral its letters.
    const prepared = await text(new Scram({ ...defaults, username: 'I\u00adX\u00aa\u2168', nonce: 'N' }).respond(none));
    assert.equal(prepared, 'n,,n=IXaIX,r=N');
    const { server, clientFinal } = await afterFirst({ password: 'I\u00adX' });
    assert.equal(clientFinal, server.finals('IX').client);
  });

  test('tells the broker that a delegation token is used', async () => {
    const first = await text(new Scram({ ...defaults, isDelegationToken: true, nonce: 'N' }).respond(none));
    assert.equal(first, 'n,,n=alice,r=N,tokenauth=true');
  });

  test('refuses what SASLprep forbids, without showing it', async () => {
    const mechanism = new Scram({ ...defaults, username: 'ali\u0007ce' });
    await assert.rejects(mechanism.respond(none), (error: Error) => {
      assert.ok(error instanceof SaslAuthenticationFailedError);
      assert.match(error.message, /saslPlainUsername holds characters that SASLprep/);
      assert.ok(!inspect(error).includes('\u0007'));
      return true;
    });
  });

  const first = 'r=Nx,s=c2FsdA==,i=4096';
  const badFirst: readonly (readonly [what: string, message: string | Buffer, says: RegExp])[] = [
    ['a nonce of another login', first.replace('r=N', 'r=M'), /nonce .* is not that of this login/],
    ['a nonce that is not extended', first.replace('r=Nx', 'r=N'), /did not extend/],
    ['no nonce', 's=c2FsdA==,i=4096', /nonce/],
    ['a salt that is no base64', first.replace('c2FsdA==', '?'), /salt/],
    ['an empty salt', first.replace('c2FsdA==', ''), /salt/],
    ['no salt', 'r=Nx,i=4096', /salt/],
    ['no iteration count', 'r=Nx,s=c2FsdA==', /no iteration count/],
    ['too few iterations', first.replace('4096', '4095'), /iteration count 4095; from 4096 to 1000000/],
    ['too many iterations', first.replace('4096', '1000001'), /iteration count 1000001/],
    ['absurdly many iterations', first.replace('4096', '9'.repeat(400)), /iteration count 9{20};/],
    ['a negative iteration count', first.replace('4096', '-4096'), /iteration count/],
    ['an iteration count that is no number', first.replace('4096', '0x1000'), /iteration count/],
    ['a demand for an extension', `m=ext,${first}`, /extension/],
    ['an error', 'e=unknown-user', /the broker refused: unknown-user/],
    ['nothing', '', /malformed/],
    ['no attributes', 'garbage', /malformed/],
    ['bytes that are not UTF-8', Buffer.from([0x72, 0x3d, 0xff]), /not UTF-8/],
  ];
  for (const [what, message, says] of badFirst) {
    test(`refuses a first answer with ${what}`, async () => {
      const mechanism = new Scram({ ...defaults, nonce: 'N' });
      await mechanism.respond(none);
      await assert.rejects(mechanism.respond(Buffer.from(message)), (error: Error) => {
        assert.ok(error instanceof SaslAuthenticationFailedError);
        assert.match(error.message, says);
        assert.ok(error.message.length < 200);
        return true;
      });
    });
  }

  test('refuses a broker that does not know the password', async () => {
    for (const serverFinal of ['v=AAAA', 'v=', 'x=1', `v=${Buffer.alloc(32).toString('base64')}`]) {
      const { mechanism } = await afterFirst();
      await assert.rejects(mechanism.respond(Buffer.from(serverFinal)), /signature is wrong/);
    }
    const { mechanism, server } = await afterFirst();
    await assert.rejects(mechanism.respond(Buffer.from(server.finals('another').server)), /signature is wrong/);
  });

  test("gives the broker's text without the password that it repeats", async () => {
    const { mechanism } = await afterFirst();
    await assert.rejects(mechanism.respond(Buffer.from('e=the-secret is wrong')), (error: Error) => {
      assert.equal(error.message, 'the broker refused: [secret] is wrong [KAFKA_SASL_AUTHENTICATION_FAILED]');
      return true;
    });
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SaslAuthenticationFailedError } from '../../../../src/common/errors/errors.ts';
import { OAuthBearer } from '../../../../src/worker/sasl/oauthbearer.ts';

const none = Buffer.alloc(0);
const withToken = (token: unknown, extensions: unknown = {}): OAuthBearer =>
  new OAuthBearer(async () => ({ token, extensions }));

describe('OAUTHBEARER', () => {
  test('sends the token in the form of RFC 7628, and ends with an empty answer', async () => {
    const mechanism = withToken('a.b.c');
    assert.equal((await mechanism.respond(none))!.toString(), 'n,,\x01auth=Bearer a.b.c\x01\x01');
    assert.equal(await mechanism.respond(none), null);
  });

  test('sends extensions after the token', async () => {
    const mechanism = withToken('t', { logicalCluster: 'lkc-1', identityPoolId: 'pool-2' });
    const sent = (await mechanism.respond(none))!.toString();
    assert.equal(sent, 'n,,\x01auth=Bearer t\x01logicalCluster=lkc-1\x01identityPoolId=pool-2\x01\x01');
  });

  test("answers a refusal with one byte, and the error has the broker's text without the token", async () => {
    const mechanism = withToken('the.token');
    await mechanism.respond(none);
    const refusal = Buffer.from('{"status":"invalid_token","seen":"the.token"}');
    assert.deepEqual(await mechanism.respond(refusal), Buffer.from([1]));
    assert.equal(mechanism.refusal, '{"status":"invalid_token","seen":"[secret]"}');
    // A broker that then says it is content is not believed.
    await assert.rejects(mechanism.respond(none), /the broker refused the token: \{"status"/);
  });

  const nonsense: readonly (readonly [what: string, token: unknown, extensions: unknown, says: RegExp])[] = [
    ['nothing', undefined, {}, /returned a value of type undefined, not a string/],
    ['an object', { token: 'the.token' }, {}, /of type object/],
    ['an empty token', '', {}, /an empty token/],
    ['a token that would add fields', 'the.token\x01auth=other', {}, /characters that are not allowed/],
    ['a token with a line break', 'the.token\n', {}, /characters that are not allowed/],
    ['a list of extensions', 't', ['x'], /must be an object whose values are strings/],
    ['extensions that are no text', 't', { traceId: 7 }, /must be an object whose values are strings/],
    ['an extension called auth', 't', { auth: 'x' }, /'auth' is not allowed/],
    ['an extension name with digits', 't', { a1: 'x' }, /'a1' is not allowed/],
    ['an extension that would add fields', 't', { a: 'x\x01b=y' }, /extension 'a' holds control/],
  ];
  for (const [what, token, extensions, says] of nonsense) {
    test(`refuses a provider that returns ${what}`, async () => {
      await assert.rejects(withToken(token, extensions).respond(none), (error: Error) => {
        assert.ok(error instanceof SaslAuthenticationFailedError);
        assert.match(error.message, says);
        assert.ok(!error.message.includes('the.token'));
        return true;
      });
    });
  }

  test('the error of a provider that throws is the cause', async () => {
    const cause = new Error('vault is sealed');
    const mechanism = new OAuthBearer(() => Promise.reject(cause));
    await assert.rejects(mechanism.respond(none), (error: Error) => {
      assert.ok(error instanceof SaslAuthenticationFailedError);
      assert.equal(error.message, 'the token provider failed: vault is sealed [KAFKA_SASL_AUTHENTICATION_FAILED]');
      assert.equal(error.cause, cause);
      return true;
    });
  });
});

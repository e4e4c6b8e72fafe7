import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Plain } from '../../../../src/worker/sasl/plain.ts';

const none = Buffer.alloc(0);

describe('PLAIN', () => {
  test('sends user, user and password in UTF-8, and ends with an empty answer', async () => {
    const mechanism = new Plain('älice', 'pässword');
    assert.equal((await mechanism.respond(none))!.toString(), 'älice\0älice\0pässword');
    assert.equal(await mechanism.respond(none), null);
  });

  test('accepts empty names and passwords', async () => {
    assert.equal((await new Plain('', '').respond(none))!.toString(), '\0\0');
  });

  test('refuses an answer that is not empty', async () => {
    const mechanism = new Plain('alice', 'secret');
    await mechanism.respond(none);
    await assert.rejects(
      mechanism.respond(Buffer.from('ok')),
      /the broker sent 2 bytes where PLAIN ends with an empty answer/,
    );
  });

  test('shows texts of the broker without the password and with a limited length', () => {
    const mechanism = new Plain('alice', 'secret');
    assert.equal(mechanism.conceal('no secret, no secret'), 'no [secret], no [secret]');
    for (const sent of ['secret', 'alice\0alice\0secret']) {
      assert.equal(mechanism.conceal(`what is ${Buffer.from(sent).toString('base64')}?`), 'what is [secret]?');
    }
    const odd = 'a.b*c|(d[e\\f]^$';
    assert.equal(new Plain('alice', odd).conceal(`a-b ${odd} aab`), 'a-b [secret] aab');
    assert.equal(mechanism.conceal('x'.repeat(5000)).length, 1003);
    assert.equal(mechanism.conceal('one\ntwo\u001b[31m'), 'one two [31m');
  });
});

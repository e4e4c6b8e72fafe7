// What is an IP address, and of which family.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { addressFamily, isIpv6Address } from '../../../src/common/ip-address.ts';

const texts = [
  '',
  'localhost',
  '127.0.0.1',
  '1.2.3',
  '256.1.1.1',
  '::1',
  '::',
  '[::1]',
  'fe80::1%eth0',
  '::ffff:1.2.3.4',
  'a:b',
  '1:2:3:4:5:6:7:8',
];

test('the family of each text is the one that Node says', () => {
  for (const text of texts) {
    assert.equal(addressFamily(text), isIP(text), text);
    assert.equal(isIpv6Address(text), isIP(text) === 6, text);
  }
});

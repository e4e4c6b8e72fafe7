// link.ts exports both ends of a link and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as link from '../../../src/ring/link.ts';

test('a link has a writer and a reader', () => {
  assert.deepEqual(Object.keys(link).sort(), ['LinkReader', 'LinkWriter']);
});

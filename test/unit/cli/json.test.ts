// JSON in the command line: the values of JSON.parse, integers of 64 bits, and the places of errors.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InputError } from '../../../src/cli/exit-codes.ts';
import { parseJson } from '../../../src/cli/records/json.ts';

const failureOf = (text: string, firstLine?: number): string => {
  try {
    parseJson(text, 'input', firstLine);
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  return assert.fail(`${text} was accepted`);
};

describe('parseJson', () => {
  test('returns the same as JSON.parse', () => {
    const texts = [
      '{}',
      '[]',
      ' [1, -2.5, 1e3, 0, -0.1E-2] ',
      '{"a":{"b":[true,false,null]},"c":"\\u00e9\\n\\"\\\\ \\/ \\b\\f\\r\\t"}',
      '"text"',
      '17',
      '"\\ud83d\\ude00"',
    ];
    for (const text of texts) assert.deepEqual(parseJson(text, 'input'), JSON.parse(text));
  });

  test('keeps integers that do not fit into a number', () => {
    assert.deepEqual(parseJson('[9223372036854775807, 9007199254740991]', 'input'), [
      9223372036854775807n,
      9007199254740991,
    ]);
  });

  test('a field named __proto__ is a field', () => {
    const parsed = parseJson('{"__proto__":{"polluted":1}}', 'input') as object;
    assert.deepEqual(Object.keys(parsed), ['__proto__']);
    assert.equal((parsed as { polluted?: number }).polluted, undefined);
  });

  const faults: readonly (readonly [text: string, place: string, problem: RegExp])[] = [
    ['{"a":}', 'line 1, column 6', /expected a value/],
    ['{"a":1,}', 'line 1, column 8', /field name/],
    ['[1,2', 'line 1, column 5', /','/],
    ['{"a"\n 1}', 'line 2, column 2', /':'/],
    ['{"a":"b', 'line 1, column 8', /does not end/],
    ['{"ä":x}', 'line 1, column 6', /expected a value/],
    ['"\\x"', 'line 1, column 2', /escape/],
    ['"a\u0001"', 'line 1, column 3', /control/],
    ['1 2', 'line 1, column 3', /follows/],
    ['', 'line 1, column 1', /too early/],
    ['[01]', 'line 1, column 3', /','/],
    ['"\\u12"', 'line 1, column 2', /hexadecimal/],
  ];
  for (const [text, place, problem] of faults) {
    test(`${JSON.stringify(text)} is refused with its position`, () => {
      const message = failureOf(text);
      assert.ok(message.startsWith(`input, ${place}: `), message);
      assert.match(message, problem);
    });
  }

  test('lines count from the given line', () => {
    assert.match(failureOf('{"a":}', 7), /^input, line 7, column 6/);
  });

  test('nesting has a limit', () => {
    assert.match(failureOf('['.repeat(100_000)), /nested deeper/);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootstrapServers, withoutBrackets } from '../../../../src/common/config/bootstrap-servers.ts';

function parse(value: unknown): readonly { host: string; port: number }[] {
  const problems: string[] = [];
  const servers = parseBootstrapServers(value, problems);
  assert.deepEqual(problems, []);
  return servers;
}

function problemOf(value: unknown): string {
  const problems: string[] = [];
  parseBootstrapServers(value, problems);
  assert.equal(problems.length, 1, `${String(value)}: ${problems.join('; ')}`);
  return problems[0]!;
}

for (const [text, host, port] of [
  ['localhost', 'localhost', 9092],
  ['broker1.example.com:9093', 'broker1.example.com', 9093],
  ['  spaced:1  ', 'spaced', 1],
  ['h:65535', 'h', 65535],
  ['127.0.0.1', '127.0.0.1', 9092],
  ['127.0.0.1:19092', '127.0.0.1', 19092],
  ['[::1]', '::1', 9092],
  ['[::1]:9094', '::1', 9094],
  ['[2001:db8::7]:1', '2001:db8::7', 1],
  ['[localhost]:1234', 'localhost', 1234],
  ['2001::1', '2001::1', 9092],
  ['::1', '::1', 9092],
  ['::1:9092', '::1:9092', 9092],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1', 9092],
  ['SASL_SSL://h:1', 'h', 1],
  ['PLAINTEXT://[::1]:5', '::1', 5],
  ['kafka://a://b:3', 'b', 3],
  ['under_score:9092', 'under_score', 9092],
  ['trailing.dot.:9092', 'trailing.dot.', 9092],
] as const) {
  test(`'${text}' is ${host} port ${port}`, () => {
    assert.deepEqual(parse(text), [{ host, port }]);
    assert.deepEqual(parse([text]), [{ host, port }]);
  });
}

test('a string is split at commas, a list is used unchanged, and order and duplicates stay', () => {
  const expected = [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
    { host: 'a', port: 1 },
  ];
  assert.deepEqual(parse('a:1, b:2,a:1'), expected);
  assert.deepEqual(parse(['a:1', ' b:2 ', 'a:1']), expected);
});

test('blank entries are skipped', () => {
  assert.deepEqual(parse('a:1,,b:2, ,'), [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]);
  assert.deepEqual(parse(['', 'a:1', '  ']), [{ host: 'a', port: 1 }]);
});

test('an IPv6 address that brokers advertise may be in brackets', () => {
  for (const [host, plain] of [
    ['[::1]', '::1'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['::1', '::1'],
    ['broker', 'broker'],
    ['[broker]', '[broker]'],
    ['[', '['],
    ['[]', '[]'],
  ] as const)
    assert.equal(withoutBrackets(host), plain);
});

for (const [text, problem] of [
  ['h:', /port ''/],
  ['h:abc', /port 'abc'/],
  ['h:0', /port '0'; a port is a number from 1 to 65535/],
  ['h:65536', /port '65536'/],
  ['h:70000', /65535/],
  ['h:-1', /port '-1'/],
  ['h:9092x', /port '9092x'/],
  ['h:1e3', /port '1e3'/],
  ['h: 1', /port ' 1'/],
  [':9092', /no usable host/],
  ['[::1', /no closing ']'/],
  ['[::1]9092', /text other than ':port' after ']'/],
  ['[::1]:', /port ''/],
  ['[]:1', /no usable host/],
  ['h:1:2', /more than one ':'/],
  ['fe80::1%eth0', /more than one ':'/],
  ['10.0.0.1:9092:9093', /more than one ':' and is not an IPv6 address/],
  ['1:2:3:4:5:6:7:8:9092', /not an IPv6 address; write an IPv6 address with a port as '\[::1\]:9092'/],
  ['::1::9092', /not an IPv6 address/],
  ['fe80::1::2', /not an IPv6 address/],
  ['1.2.3.4::', /not an IPv6 address/],
  ['[fe80::1::2]:9092', /has 'fe80::1::2', which is not an IPv6 address/],
  ['[10.0.0.1:9092]', /not an IPv6 address/],
  ['[::1]:9092:9093', /port '9092:9093'/],
  ['a b:1', /no usable host/],
  ['user@host:1', /no usable host/],
  ['http://host/path', /no usable host/],
  ['PLAINTEXT://', /no usable host/],
] as const) {
  test(`'${text}' is refused and named`, () => {
    const found = problemOf(text);
    assert.match(found, problem);
    assert.ok(found.startsWith(`bootstrapServers: '${text}' `), found);
  });
}

test('every bad entry is reported, even beside good ones', () => {
  const problems: string[] = [];
  const servers = parseBootstrapServers('a:1,b:x,c:3,:4', problems);
  assert.equal(problems.length, 2);
  assert.deepEqual(servers, [
    { host: 'a', port: 1 },
    { host: 'c', port: 3 },
  ]);
});

test('blanks are no server', () => {
  for (const value of ['', '  ', ',', [], ['']]) assert.match(problemOf(value), /names no server/);
});

test('an empty list is reported even when other options have problems', () => {
  const problems = ['something else'];
  parseBootstrapServers([], problems);
  assert.equal(problems.length, 2);
});

for (const value of [null, 9092, {}, [1], ['a', null], { host: 'a' }]) {
  test(`${JSON.stringify(value)} is neither a string nor a list of strings`, () => {
    assert.match(problemOf(value), /must be a string or a list of strings/);
  });
}

test('long entries are cut in messages', () => {
  assert.ok(problemOf(`${'h'.repeat(5000)}:x`).length < 250);
});

test('the result and its entries are frozen', () => {
  const servers = parse('a:1');
  assert.ok(Object.isFrozen(servers));
  assert.ok(Object.isFrozen(servers[0]));
});

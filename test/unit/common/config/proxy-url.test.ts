import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { parseProxyUrl } from '../../../../src/common/config/proxy-url.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

test('a proxy URL gives scheme, host, port and login', () => {
  assert.deepEqual(parseProxyUrl('socks5://al%20ice:p%40ss@proxy.test:9050'), {
    kind: 'socks5',
    resolvesNames: false,
    defaultPort: 1080,
    host: 'proxy.test',
    port: 9050,
    user: 'al ice',
    password: 'p@ss',
    text: 'socks5://proxy.test:9050',
  });
  const other = (url: string) => {
    const proxy = parseProxyUrl(url);
    assert.notEqual(typeof proxy, 'string', String(proxy));
    return proxy as Exclude<typeof proxy, string>;
  };
  assert.equal(other('socks5h://proxy.test').resolvesNames, true);
  assert.equal(other('socks5h://proxy.test').port, 1080);
  assert.equal(other('http://proxy.test/').port, 80);
  assert.equal(other('http://proxy.test').user, null);
  assert.equal(other('http://[::1]:3128').host, '::1');
  assert.equal(other('http://:hush@proxy.test').user, '');
});

test('an error about a proxy URL does not show the URL', () => {
  const cases: [string, RegExp][] = [
    ['hush', /^proxyUrl is not a URL/],
    ['https://hush@proxy.test', /^proxyUrl must begin with socks5:\/\/, socks5h:\/\/ or http:\/\/, not https:/],
    ['socks5://hush@proxy.test/hush', /^proxyUrl has text after host and port/],
    ['http://hush@proxy.test?hush', /^proxyUrl has text after host and port/],
    [`socks5://hush:${'hush'.repeat(70)}@proxy.test`, /^proxyUrl has a user or password of more than 255 bytes/],
    ['http://hush%ff@proxy.test', /^proxyUrl has a user or password with a %/],
  ];
  for (const [proxyUrl, pattern] of cases) {
    assert.throws(
      () => parseConfig({ proxyUrl }),
      (error) => {
        assert.ok(error instanceof KafkaConfigurationError);
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /hush/);
        return true;
      },
    );
  }
});

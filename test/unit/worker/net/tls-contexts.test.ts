// TLS settings in the network thread: an empty or wrong restriction is refused and never counts as none.

import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError, KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { TlsContexts } from '../../../../src/worker/net/tls-contexts.ts';
import { CertificateAuthority, type Issued } from '../../../helpers/certificates.ts';

let ca: CertificateAuthority;
let own: Issued;

before(() => {
  ca = new CertificateAuthority('settings');
  own = ca.issue({ purpose: 'client' });
});
after(() => ca.close());

const contextsOf = (options: KafkaClientOptions): TlsContexts =>
  new TlsContexts(parseConfig({ securityProtocol: 'SSL', ...options }));

function problemsOf(options: KafkaClientOptions): readonly string[] {
  try {
    contextsOf(options).prepare();
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError, String(error));
    return error.problems;
  }
  return [];
}

describe('TLS files', () => {
  test('that begin with a byte order mark are read as any others', () => {
    const marked = (name: string, text: string): string => ca.file(name, `\ufeff${text}`);
    const both = { sslCertFile: marked('marked.crt', own.cert), sslKeyFile: marked('marked.key', own.key) };
    assert.deepEqual(problemsOf({ sslCaFile: marked('marked.pem', ca.cert) }), []);
    assert.deepEqual(problemsOf({ sslCaFile: ca.file('plain.pem', ca.cert), ...both }), []);
  });

  test('that are empty or hold something else are refused, and the error names them', () => {
    const empty = ca.file('empty.pem', '');
    const nonsense = ca.file('nonsense.pem', 'nonsense');
    const half = ca.file('half.pem', ca.cert + ca.cert.slice(0, 200));
    const wide = ca.file('wide.pem', '');
    writeFileSync(wide, Buffer.from(String.fromCharCode(0xfeff) + ca.cert, 'utf16le'));
    const certificate = ca.file('own.crt', own.cert);
    const cases: [KafkaClientOptions, RegExp][] = [
      [{ sslCaFile: empty }, /^sslCaFile '.*empty\.pem': is empty, it holds no certificate/],
      [{ sslCaFile: nonsense }, /^sslCaFile '.*nonsense\.pem': holds no certificate/],
      [{ sslCaFile: half }, /^sslCaFile '.*half\.pem': ends in the middle of a certificate/],
      [{ sslCaFile: wide }, /^sslCaFile '.*wide\.pem': is written in UTF-16/],
      [{ sslCrlFile: empty }, /^sslCrlFile '.*empty\.pem': is empty, it holds no revocation list/],
      [{ sslCertFile: empty, sslKeyFile: ca.file('own.key', own.key) }, /^sslCertFile '.*empty\.pem': is empty/],
      [
        { sslCertFile: certificate, sslKeyFile: empty },
        /^sslKeyFile '.*empty\.pem': is empty, it holds no private key/,
      ],
      [{ sslCaFile: '/' }, /^sslCaFile '\/': is not a regular file/],
    ];
    for (const [options, pattern] of cases) {
      const problems = problemsOf(options);
      assert.ok(
        problems.some((problem) => pattern.test(problem)),
        problems.join('\n') || 'nothing was refused',
      );
    }
  });

  test('that are emptied later fail new connections until they are good again', () => {
    const restrictions = {
      sslCaFile: ['changing-ca.pem', ca.cert],
      sslCrlFile: ['changing-crl.pem', ca.crl()],
      sslCertFile: ['changing-own.pem', own.cert + own.key],
    } as const;
    for (const [key, [name, text]] of Object.entries(restrictions)) {
      const path = ca.file(name, text);
      const contexts = contextsOf({ [key]: path });
      const first = contexts.current();
      assert.equal(contexts.current(), first);
      truncateSync(path);
      assert.throws(
        () => contexts.current(),
        (error) =>
          error instanceof KafkaConnectionError &&
          new RegExp(`files have changed .*${key} '.*${name}': `, 's').test(error.message),
      );
      ca.file(name, `${text}\n`);
      assert.notEqual(contexts.current(), first);
    }
  });

  test('that begin with a byte order mark are accepted', () => {
    const mark = String.fromCharCode(0xfeff);
    const problems = problemsOf({
      sslCaFile: ca.file('mark-ca.pem', mark + ca.cert),
      sslCrlFile: ca.file('mark-crl.pem', mark + ca.crl()),
      sslCertFile: ca.file('mark-own.pem', mark + own.cert),
      sslKeyFile: ca.file('mark-own.key', mark + own.key),
    });
    assert.deepEqual(problems, []);
  });
});

describe('sslContext', () => {
  const refused: readonly (readonly [what: string, give: () => object, pattern: RegExp])[] = [
    ['authorities that are none', () => ({ ca: 'nonsense' }), /^sslContext\.ca: holds no certificate/],
    ['one authority that is none', () => ({ ca: [ca.cert, 'nonsense'] }), /^sslContext\.ca\[1\]: holds no certificate/],
    ['bytes that are no authority', () => ({ ca: new Uint8Array([1, 2]) }), /^sslContext\.ca: holds no certificate/],
    ['revocation lists that are none', () => ({ crl: 'nonsense' }), /^sslContext\.crl: holds no revocation list/],
    ['a certificate that is none', () => ({ cert: 'x', key: own.key }), /^sslContext\.cert: holds no certificate/],
    ['a certificate without a key', () => ({ cert: own.cert }), /^sslContext\.cert is set without sslContext\.key/],
    ['a key that is none', () => ({ cert: own.cert, key: 'nonsense' }), /^sslContext: /],
    ['ciphers that are none', () => ({ ciphers: 'nonsense' }), /^sslContext: /],
  ];
  for (const [what, give, pattern] of refused) {
    test(`with ${what} is refused`, () => {
      const problems = problemsOf({ sslContext: give() });
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0]!, pattern);
    });
  }

  test('accepts PEM and DER, one or several of each, and settings of a connection', () => {
    const der = Buffer.from(ca.cert.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    const crlDer = Buffer.from(ca.crl().replaceAll(/-----.*-----|\s/g, ''), 'base64');
    const sslContext = {
      ca: [ca.cert + ca.cert, Buffer.from(ca.cert), der],
      crl: [ca.crl() + ca.crl(), crlDer],
      cert: own.cert,
      key: own.key,
      servername: 'broker.test',
      minDHSize: 2048,
      secureOptions: 2 ** 31,
    };
    assert.deepEqual(problemsOf({ sslContext }), []);
    const { perConnection, sources } = contextsOf({ sslContext }).current();
    assert.deepEqual(perConnection, { servername: 'broker.test', minDHSize: 2048 });
    assert.deepEqual(sources, {
      authorities: 'sslContext.ca',
      certificate: 'sslContext.cert',
      revocation: 'sslContext.crl',
    });
  });
});

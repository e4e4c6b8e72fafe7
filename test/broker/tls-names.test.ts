// The name that a TLS server gets, sessions and renegotiation: the transport alone, with a server of Node's own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, type TestContext, test } from 'node:test';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { parseConfig } from '../../src/common/config/config-parser.ts';
import { KafkaConfigurationError, TlsAuthenticationError } from '../../src/index.ts';
import { socketOptionsOf } from '../../src/worker/net/dial.ts';
import { TlsContexts } from '../../src/worker/net/tls-contexts.ts';
import { tlsTransports } from '../../src/worker/net/tls-transport.ts';
import type { OpenTransport, Transport } from '../../src/worker/net/transport.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';

let ca: CertificateAuthority;
let caFile: string;

before(() => {
  ca = new CertificateAuthority('tests');
  caFile = ca.file('trusted.pem', ca.cert);
});

after(() => ca.close());

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

interface Seen {
  /** Of each connection: the name it asked for; false for none. */
  readonly names: (string | false | null)[];
  readonly resumed: boolean[];
  readonly protocols: (string | false | null)[];
  onSocket: (socket: TLSSocket) => void;
}

async function tlsServer(
  t: TestContext,
  options: TlsOptions = {},
  address = '127.0.0.1',
): Promise<{ port: number; seen: Seen }> {
  const seen: Seen = { names: [], resumed: [], protocols: [], onSocket: (socket) => socket.write('hello') };
  const issued = ca.issue({ names: ['DNS:localhost', 'DNS:broker.test', 'IP:127.0.0.1'] });
  const sockets: TLSSocket[] = [];
  const server: Server = createServer({ ...issued, ALPNProtocols: ['kafka'], ...options }, (socket) => {
    sockets.push(socket);
    seen.names.push((socket as TLSSocket & { servername: string | false | null }).servername);
    seen.resumed.push(socket.isSessionReused());
    seen.protocols.push(socket.alpnProtocol);
    socket.on('error', () => {});
    seen.onSocket(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    // Nobody reads them, so they would not see the end.
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function transports(options: object = {}): OpenTransport {
  const config = parseConfig({ securityProtocol: 'SSL', sslCaFile: caFile, ...options });
  const { byNode } = socketOptionsOf(config);
  return tlsTransports({ contexts: new TlsContexts(config), checkHostname: config.sslCheckHostname, byNode });
}

/** Connects, reads, then goes, unless it is to stay; or how the connection ended before that. */
function visit(
  open: OpenTransport,
  host: string,
  port: number,
  { stays = false, address = '127.0.0.1' } = {},
): Promise<Error | null | 'greeted'> {
  return new Promise((resolve) => {
    const memory = Buffer.alloc(100);
    const transport: Transport = open(
      { address, port, host },
      {
        onConnect: () => transport.write(Buffer.from('hello')),
        memoryForRead: () => memory,
        onRead: () => {
          if (stays) return true;
          transport.destroy();
          resolve('greeted');
          return false;
        },
        onDrain: () => {},
        onClose: resolve,
      },
    );
  });
}

test('the configured server name is sent without a dot at its end, no name is sent for an address, and no protocol is requested', async (t) => {
  const { port, seen } = await tlsServer(t);
  const open = transports();
  for (const host of ['broker.test', 'broker.test.', '127.0.0.1'])
    assert.equal(await visit(open, host, port), 'greeted');
  assert.deepEqual(seen.names, ['broker.test', 'broker.test', false]);
  assert.deepEqual(seen.protocols, [false, false, false]);
});

test('an IPv6 address is compared with the addresses of the certificate in every notation', {
  skip: !hasIpv6,
}, async (t) => {
  const address = '::1';
  for (const [names, outcome] of [
    [['IP:0:0:0:0:0:0:0:1'], 'greeted'],
    [['IP:127.0.0.1', 'DNS:localhost'], 'ALTNAME_INVALID'],
  ] as const) {
    const { port, seen } = await tlsServer(t, ca.issue({ names }), address);
    assert.match(String(await visit(transports(), address, port, { address })), new RegExp(outcome));
    assert.deepEqual([...new Set(seen.names)], outcome === 'greeted' ? [false] : []);
  }
});

test('TLS 1.3 is not used if sslCiphers has no cipher of TLS 1.3', async (t) => {
  const { port, seen } = await tlsServer(t);
  const spoken: string[] = [];
  seen.onSocket = (socket) => {
    spoken.push(`${socket.getProtocol()} ${socket.getCipher().standardName}`);
    socket.write('hello');
  };
  const of12 = 'ECDHE-ECDSA-AES256-GCM-SHA384';
  const of13 = 'TLS_AES_128_GCM_SHA256';
  for (const sslCiphers of [of13, of12, `${of12}:${of13}`]) {
    assert.equal(await visit(transports({ sslCiphers }), 'localhost', port), 'greeted');
  }
  assert.deepEqual(spoken, [
    'TLSv1.3 TLS_AES_128_GCM_SHA256',
    'TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLSv1.3 TLS_AES_128_GCM_SHA256',
  ]);
  for (const [sslCiphers, version] of [
    [of12, 'TLSv1.3'],
    [of13, 'TLSv1.2'],
  ] as const) {
    const other = await tlsServer(t, { minVersion: version, maxVersion: version });
    const end = await visit(transports({ sslCiphers }), 'localhost', other.port);
    assert.ok(end instanceof TlsAuthenticationError, String(end));
  }
});

test('a host name with two dots at its end is refused', async (t) => {
  const { port } = await tlsServer(t);
  assert.ok((await visit(transports(), 'other.test..', port)) instanceof TlsAuthenticationError);
});

test('the server name is sent even if it is not checked', async (t) => {
  const { port, seen } = await tlsServer(t);
  assert.equal(await visit(transports({ sslCheckHostname: false }), 'elsewhere.test', port), 'greeted');
  assert.deepEqual(seen.names, ['elsewhere.test']);
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${maxVersion}: a session is resumed only for the same name, and only until the settings change`, async (t) => {
    const { port, seen } = await tlsServer(t, { maxVersion });
    const changing = ca.file(`changing-${maxVersion}.pem`, ca.cert);
    const open = transports({ sslCaFile: changing });
    for (const host of ['broker.test', 'broker.test', 'localhost']) {
      assert.equal(await visit(open, host, port), 'greeted');
    }
    ca.file(`changing-${maxVersion}.pem`, `${ca.cert}\n`);
    assert.equal(await visit(open, 'broker.test', port), 'greeted');
    assert.deepEqual(seen.resumed, [false, true, false, false]);
  });
}

test('a connection ends when the server renegotiates', async (t) => {
  const { port, seen } = await tlsServer(t, { maxVersion: 'TLSv1.2' });
  const refusal = new Promise<Error>((resolve) => {
    seen.onSocket = (socket) => {
      socket.on('error', resolve);
      socket.once('data', () => socket.renegotiate({}, () => {}));
    };
  });
  assert.ok((await visit(transports(), 'localhost', port, { stays: true })) instanceof Error);
  assert.equal(((await refusal) as NodeJS.ErrnoException).code, 'ERR_SSL_NO_RENEGOTIATION');
});

test('versions before TLS 1.2 are not used', async (t) => {
  const { port } = await tlsServer(t, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  const end = await visit(transports(), 'localhost', port);
  assert.ok(end instanceof TlsAuthenticationError, String(end));
  assert.match(end.message, /TLSv1\.2 to TLSv1\.3/);
});

async function problemsOf(options: object): Promise<readonly string[]> {
  try {
    await new TlsContexts(parseConfig({ securityProtocol: 'SSL', ...options })).prepare();
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError, String(error));
    return error.problems;
  }
  return [];
}

test('one error names all problems with files, by key and path', async () => {
  const own = ca.issue({ purpose: 'client', passphrase: 'correct' });
  const other = ca.issue({ purpose: 'client' });
  const file = (name: string, text: string) => ca.file(name, text);
  const cert = file('own.crt', own.cert);
  const garbage = file('garbage.pem', 'garbage');
  const torn = file('torn.pem', ca.cert.replace(/\n.{20}/, '\nAAAA'));
  const cases: [object, RegExp[]][] = [
    [
      { sslCaFile: '/nowhere/ca.pem', sslCrlFile: garbage },
      [/sslCaFile '\/nowhere\/ca.pem': ENOENT/, /sslCrlFile '.*garbage.pem': holds no revocation list/],
    ],
    [{ sslCaFile: '/' }, [/sslCaFile '\/': (is not a regular file|EISDIR)/]],
    [{ sslCaFile: garbage }, [/sslCaFile .*holds no certificate/]],
    [{ sslCaFile: torn }, [/sslCaFile '.*torn.pem', certificate 1: /]],
    [{ sslCertFile: cert }, [/sslCertFile .*holds no private key.*sslKeyFile/]],
    [{ sslCertFile: cert, sslKeyFile: file('own.enc', own.key) }, [/sslKeyFile .*encrypted; set sslPassword/]],
    [
      { sslCertFile: cert, sslKeyFile: file('own.enc', own.key), sslPassword: 'wrong one' },
      [/sslKeyFile .*is sslPassword wrong\?/],
    ],
    [
      { sslCertFile: cert, sslKeyFile: file('other.key', other.key) },
      [/sslKeyFile .*not the key of the first certificate/],
    ],
    [
      { sslCertFile: garbage, sslKeyFile: garbage, sslCiphers: 'ROT13' },
      [/sslCertFile/, /sslKeyFile/, /sslCiphers 'ROT13': no cipher match/],
    ],
    [{ sslContext: { key: 'garbage' } }, [/sslContext: /]],
  ];
  for (const [options, patterns] of cases) {
    const problems = await problemsOf(options);
    assert.equal(problems.length, patterns.length, problems.join('\n'));
    for (const [i, pattern] of patterns.entries()) assert.match(problems[i]!, pattern);
    assert.equal(/wrong one|BEGIN/.test(problems.join()), false);
  }
  assert.deepEqual(
    await problemsOf({ sslCertFile: cert, sslKeyFile: file('own.enc', own.key), sslPassword: 'correct' }),
    [],
  );
  assert.deepEqual(
    await problemsOf({ sslContext: { ca: ca.cert }, sslCaFile: '/nowhere' }),
    [],
    'sslContext alone counts',
  );
});

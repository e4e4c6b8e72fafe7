// Socket options on the client's own connections, read back from the system.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KafkaClient, type KafkaClientOptions, KafkaConfigurationError, Metadata } from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { readSocketOption, socketsTo } from '../helpers/open-sockets.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openConnected } from './support/client.ts';

const skip = process.platform === 'linux' ? false : 'options are set on Linux only';
const socket = { level: 1, sndbuf: 7, rcvbuf: 8, keepAlive: 9, priority: 12 } as const;
const tcp = { level: 6, noDelay: 1, keepIdle: 4, userTimeout: 18 } as const;

describe('sockets of a client', { skip }, () => {
  let plain: EmbeddedBroker;
  let secure: EmbeddedBroker;
  let ca: CertificateAuthority;

  before(async () => {
    ca = new CertificateAuthority('tests');
    plain = await startEmbeddedBroker();
    secure = await startEmbeddedBroker({ tls: ca.issue() });
  });

  after(async () => {
    await plain.close();
    await secure.close();
    ca.close();
  });

  /** The bootstrap connection goes once the broker's stands; until then it may go at any moment. */
  const onlySocket = (broker: EmbeddedBroker): Promise<number[]> =>
    waitFor('one connection to be left', () => {
      const sockets = socketsTo(broker.nodes[0]!.port);
      return sockets.length === 1 && sockets;
    });

  for (const kind of ['plaintext', 'TLS'] as const) {
    const broker = () => (kind === 'TLS' ? secure : plain);
    const how = (): KafkaClientOptions =>
      kind === 'TLS' ? { securityProtocol: 'SSL', sslCaFile: ca.file('trusted.pem', ca.cert) } : {};

    test(`${kind} have the configured options in their order, and then the buffer sizes`, async (t) => {
      const given = [
        ['SOL_SOCKET', 'SO_RCVBUF', 20_000],
        ['SOL_SOCKET', 'SO_PRIORITY', 1],
        [1, 12, 3],
        ['IPPROTO_TCP', 'TCP_USER_TIMEOUT', 12_345],
        ['IPPROTO_TCP', 'TCP_NODELAY', 0],
      ] as const;
      const before = structuredClone(given);
      const client = await openConnected(t, broker(), {
        ...how(),
        socketOptions: given,
        receiveBufferBytes: 60_000,
        sendBufferBytes: 30_000,
      });
      for (const fd of await onlySocket(broker())) {
        // Linux doubles buffers, for its own bookkeeping.
        assert.equal(readSocketOption(fd, socket.level, socket.rcvbuf), 120_000);
        assert.equal(readSocketOption(fd, socket.level, socket.sndbuf), 60_000);
        assert.equal(readSocketOption(fd, socket.level, socket.priority), 3);
        assert.equal(readSocketOption(fd, socket.level, socket.keepAlive), 1);
        assert.equal(readSocketOption(fd, tcp.level, tcp.userTimeout), 12_345);
        assert.equal(readSocketOption(fd, tcp.level, tcp.noDelay), 0);
      }
      await client.send(0, Metadata, { topics: [] });
      assert.deepEqual(given, before);
      await client.close();
    });

    test(`${kind} have no-delay and keep-alive without configured options`, async (t) => {
      const client = await openConnected(t, broker(), how());
      for (const fd of await onlySocket(broker())) {
        assert.equal(readSocketOption(fd, tcp.level, tcp.noDelay), 1);
        assert.equal(readSocketOption(fd, socket.level, socket.keepAlive), 1);
        assert.equal(readSocketOption(fd, tcp.level, tcp.keepIdle), 60);
      }
      await client.close();
    });
  }

  test('an option that the system does not know is an error at start, together with all other problems', async () => {
    const options: KafkaClientOptions = {
      apiVersion: [4, 0],
      securityProtocol: 'SSL',
      sslCaFile: '/nowhere/ca.pem',
      socketOptions: [
        ['SOL_SOCKET', 9999, 1],
        ['IPPROTO_TCP', 'TCP_KEEPCNT', 100_000],
      ],
    };
    await assert.rejects(KafkaClient.start(options), (error) => {
      assert.ok(error instanceof KafkaConfigurationError, String(error));
      assert.equal(error.problems.length, 3, error.message);
      assert.match(error.problems[0]!, /SOL_SOCKET 9999 cannot be set to 1: ENOPROTOOPT/);
      assert.match(error.problems[1]!, /IPPROTO_TCP TCP_KEEPCNT cannot be set to 100000: EINVAL/);
      assert.match(error.problems[2]!, /sslCaFile '\/nowhere\/ca.pem'/);
      return true;
    });
  });
});

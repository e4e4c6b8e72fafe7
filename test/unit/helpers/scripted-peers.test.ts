import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { startConnectBlackhole } from '../../helpers/connect-blackhole.ts';
import { type Script, ScriptedServer, scripts, startHttpServer } from '../../helpers/scripted-server.ts';

const request = Buffer.from('0000000a0012000000000007ffff', 'hex');

interface Seen {
  readonly text: string;
  readonly error: string | null;
}

/** What a client sees until its connection is closed. */
async function talk(port: number, send: Uint8Array | null): Promise<Seen> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let error: string | null = null;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', (problem: NodeJS.ErrnoException) => {
    error = problem.code ?? problem.message;
  });
  if (send !== null) socket.write(send);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { text: Buffer.concat(chunks).toString('latin1'), error };
}

async function against(script: Script, send: Uint8Array | null): Promise<Seen> {
  const server = await ScriptedServer.start(script);
  try {
    return await talk(server.port, send);
  } finally {
    await server.close();
  }
}

describe('peers that are not brokers', () => {
  test('one that closes at once', async () => {
    assert.deepEqual(await against(scripts.closeAtOnce, null), { text: '', error: null });
  });

  test('one that closes instead of answering', async () => {
    assert.deepEqual(await against(scripts.closeAfterRequest, request), { text: '', error: null });
  });

  test('one that resets', async () => {
    assert.equal((await against(scripts.resetAtOnce, null)).error, 'ECONNRESET');
  });

  test('one that is silent until it is closed', async () => {
    const server = await ScriptedServer.start(scripts.silent);
    const socket = connect(server.port, server.host);
    socket.write(request);
    const connection = await server.connection(0);
    assert.deepEqual(await connection.read(request.length), request);
    assert.equal(socket.bytesRead, 0);
    socket.destroy();
    await server.close();
    await connection.closed;
  });

  test('one that sends what it likes', async () => {
    const server = await ScriptedServer.start(scripts.send(Buffer.from('7fffffff', 'hex')));
    const socket = connect(server.port, server.host);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.equal(chunk.toString('hex'), '7fffffff');
    socket.destroy();
    await server.close();
  });

  test('one that answers every request alike', async () => {
    const server = await ScriptedServer.start(scripts.answerWith(Buffer.from('no')));
    const socket = connect(server.port, server.host);
    for (let i = 0; i < 3; i++) {
      socket.write(request);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      assert.equal(chunk.toString(), 'no');
    }
    socket.destroy();
    await server.close();
  });

  test('a TLS listener', async () => {
    assert.equal((await against(scripts.tlsListener, request)).text, '\x15\x03\x03\0\x02\x02\x50');
  });

  test('a web server', async () => {
    const server = await startHttpServer();
    const seen = await talk(server.port, request);
    assert.match(seen.text, /^HTTP\/1\.1 400 Bad Request\r\n/);
    await server.close();
  });

  test('an address where connecting never ends', { skip: process.platform !== 'linux' }, async () => {
    const blackhole = await startConnectBlackhole();
    const socket = connect(blackhole.port, blackhole.host);
    // Neither a connection nor an error: the kernel has dropped the SYN by the time that a connection
    // to a server that does accept, opened later, is through.
    const server = await ScriptedServer.start(scripts.closeAtOnce);
    await talk(server.port, null);
    assert.equal(socket.connecting, true);
    assert.equal(socket.pending, true);
    socket.destroy();
    await server.close();
    await blackhole.close();
  });
});

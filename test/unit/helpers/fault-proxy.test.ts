import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FaultProxy, type ProxyConnection } from '../../helpers/fault-proxy.ts';
import { ScriptedServer } from '../../helpers/scripted-server.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A client with all it has received. */
class Client {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  ended = false;
  error: NodeJS.ErrnoException | null = null;
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get pieces(): number {
    return this.#chunks.length;
  }

  async receives(bytes: number): Promise<Buffer> {
    await waitFor(`${bytes} bytes`, () => this.#bytes >= bytes);
    return this.received;
  }
}

describe('FaultProxy', () => {
  let echo: ScriptedServer;
  let proxy: FaultProxy;
  let prepared: (connection: ProxyConnection) => void;
  let nextId = 0;
  const payload = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));

  before(async () => {
    echo = await ScriptedServer.start((connection) => {
      connection.socket.pipe(connection.socket);
    });
    proxy = await FaultProxy.start({ host: echo.host, port: echo.port });
    proxy.onConnection((connection) => prepared(connection));
  });

  beforeEach(() => {
    prepared = () => {};
  });

  after(async () => {
    await proxy.close();
    await echo.close();
  });

  async function open(): Promise<{ client: Client; connection: ProxyConnection }> {
    const client = new Client(proxy.port);
    const connection = await proxy.connection(nextId++);
    return { client, connection };
  }

  test('forwards both ways and passes on a half-close', async () => {
    const { client, connection } = await open();
    client.socket.end(payload);
    assert.deepEqual(await client.receives(payload.length), payload);
    await client.closed;
    await connection.closed;
    assert.equal(client.ended, true);
    assert.equal(connection.isOpen, false);
    assert.equal(connection.toBroker.forwardedBytes, payload.length);
    assert.equal(connection.toClient.forwardedBytes, payload.length);
  });

  test('splits into single bytes', async () => {
    prepared = (connection) => connection.toClient.split(1);
    const { client } = await open();
    client.socket.write(payload);
    assert.deepEqual(await client.receives(payload.length), payload);
    // The kernel may join some pieces, but not most of a thousand sent in turns of their own.
    assert.ok(client.pieces > 100, `${client.pieces} pieces`);
    client.socket.destroy();
  });

  test('stalls at a byte and goes on', async () => {
    prepared = (connection) => connection.toBroker.stall(300);
    const { client, connection } = await open();
    client.socket.write(payload);
    assert.deepEqual(await client.receives(300), payload.subarray(0, 300));
    await waitFor('the rest to be held', () => connection.toBroker.heldBytes === 700);
    assert.equal(connection.toBroker.forwardedBytes, 300);
    connection.toBroker.resume();
    assert.deepEqual(await client.receives(1000), payload);
    client.socket.destroy();
  });

  test('holds the sender back while it stalls', async () => {
    prepared = (connection) => connection.toBroker.stall();
    const { client, connection } = await open();
    const big = Buffer.alloc(32 << 20, 7);
    client.socket.write(big);
    await waitFor('the read-ahead to fill', () => connection.toBroker.heldBytes >= 64 * 1024);
    // One chunk more than the limit may be on its way; the rest stays with the sender.
    assert.ok(connection.toBroker.heldBytes < 1 << 20);
    connection.toBroker.resume();
    assert.equal((await client.receives(big.length)).equals(big), true);
    client.socket.destroy();
  });

  test('corrupts exactly one byte', async () => {
    prepared = (connection) => connection.toClient.corrupt(500, 0x10);
    const { client, connection } = await open();
    client.socket.write(payload);
    const expected = Buffer.from(payload);
    expected[500] = expected[500]! ^ 0x10;
    assert.deepEqual(await client.receives(1000), expected);
    assert.throws(() => connection.toClient.corrupt(999), /gone/);
    client.socket.destroy();
  });

  test('cuts after a byte with FIN', async () => {
    prepared = (connection) => connection.toClient.cutAfter(123);
    const { client, connection } = await open();
    client.socket.write(payload);
    await client.closed;
    assert.equal(client.ended, true);
    assert.deepEqual(client.received, payload.subarray(0, 123));
    await connection.closed;
  });

  test('cuts after a byte with RST', async () => {
    prepared = (connection) => connection.toBroker.cutAfter(10, 'reset');
    const { client, connection } = await open();
    client.socket.write(payload);
    await client.closed;
    assert.equal(client.error?.code, 'ECONNRESET');
    await connection.closed;
    assert.equal(connection.toBroker.forwardedBytes, 10);
  });

  test('cuts into silence: nothing arrives and nothing closes', async () => {
    prepared = (connection) => connection.toClient.cutAfter(50, 'silence');
    const { client, connection } = await open();
    client.socket.write(payload);
    assert.deepEqual(await client.receives(50), payload.subarray(0, 50));
    client.socket.write(payload);
    await waitFor('the broker to get it all', () => connection.toBroker.forwardedBytes === 2000);
    assert.equal(connection.toClient.forwardedBytes, 50);
    assert.equal(client.ended, false);
    assert.equal(connection.isOpen, true);
    client.socket.destroy();
    connection.end();
  });

  test('resets a connection and leaves others alone', async () => {
    const first = await open();
    const second = await open();
    first.client.socket.write('x');
    second.client.socket.write('y');
    await first.client.receives(1);
    first.connection.reset();
    await first.client.closed;
    assert.equal(first.client.error?.code, 'ECONNRESET');
    second.client.socket.write('z');
    assert.equal((await second.client.receives(2)).toString(), 'yz');
    second.client.socket.destroy();
    await second.connection.closed;
  });

  test('refuses connections and accepts them again on the same port', async () => {
    const { client } = await open();
    const port = proxy.port;
    await proxy.refuse();
    const refused = new Client(port);
    await refused.closed;
    assert.equal(refused.error?.code, 'ECONNREFUSED');
    client.socket.write('still');
    await client.receives(5);
    await proxy.listen();
    assert.equal(proxy.port, port);
    const again = await open();
    again.client.socket.write('again');
    assert.equal((await again.client.receives(5)).toString(), 'again');
    client.socket.destroy();
    again.client.socket.destroy();
  });

  test('resets connections while it has no target', async () => {
    const lonely = await FaultProxy.start(null);
    const client = new Client(lonely.port);
    await client.closed;
    assert.equal(client.error?.code ?? 'closed', 'ECONNRESET');
    await lonely.close();
  });
});

test('the scripted server reads, answers, closes and resets as told', async () => {
  const server = await ScriptedServer.start(async (connection) => {
    const frame = await connection.readFrame();
    connection.writeFrame(Buffer.from(frame.toString().toUpperCase()));
    assert.equal((await connection.read(3)).toString(), 'bye');
    connection.end();
  });
  const socket = connect(server.port, server.host);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(Buffer.from('\0\0\0\x05helloby', 'latin1'));
  socket.write('e');
  await once(socket, 'end');
  assert.equal(Buffer.concat(chunks).toString('latin1'), '\0\0\0\x05HELLO');
  assert.equal(server.connections.length, 1);
  await server.close();
});

test('a failing script shows when the scripted server is closed', async () => {
  const server = await ScriptedServer.start(() => {
    throw new Error('a wrong turn');
  });
  const socket = connect(server.port, server.host);
  await once(socket, 'close');
  await assert.rejects(server.close(), /a wrong turn/);
});

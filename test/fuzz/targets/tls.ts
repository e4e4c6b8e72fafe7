// Gives changed bytes of a TLS server to the transport, at any place of the handshake and of the data, without sockets. What the
// connection delivers is what the server wrote, or the beginning of it; it ends once, and nothing is thrown.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { parseConfig } from '../../../src/common/config/config-parser.ts';
import { socketOptionsOf } from '../../../src/worker/net/dial.ts';
import { TlsContexts } from '../../../src/worker/net/tls-contexts.ts';
import { tlsTransports } from '../../../src/worker/net/tls-transport.ts';
import type { OpenTransport, Transport } from '../../../src/worker/net/transport.ts';
import { CertificateAuthority } from '../../helpers/certificates.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget, type Recorder } from '../support/target.ts';

/** A handshake takes a few turns. After so many without an event nothing will come any more. */
const quietTurns = 20;
const maxTurns = 5000;
const target = { address: '127.0.0.1', port: 9092, host: 'localhost' };

let serverContexts: readonly SecureContext[] = [];
let open: OpenTransport;
let nextBelow: Side;

/** One end of a connection in memory. */
class Side extends Duplex {
  peer!: Side;
  events = 0;
  readonly #change: (chunk: Buffer) => Buffer;

  constructor(change: (chunk: Buffer) => Buffer = (chunk) => chunk) {
    super();
    this.#change = change;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.events++;
    if (!this.peer.destroyed) this.peer.push(this.#change(chunk));
    setImmediate(done);
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  override _destroy(_error: Error | null, done: (error: Error | null) => void): void {
    this.#end();
    done(null);
  }

  #end(): void {
    this.events++;
    if (!this.peer.destroyed && !this.peer.readableEnded) this.peer.push(null);
  }
}

export const tls: FuzzTarget = {
  name: 'tls',
  share: 1,

  async prepare() {
    if (serverContexts.length > 0) return;
    const ca = new CertificateAuthority('fuzz');
    process.once('exit', () => ca.close());
    const issued = ca.issue();
    serverContexts = (['TLSv1.2', 'TLSv1.3'] as const).map((version) =>
      createSecureContext({ ...issued, minVersion: version, maxVersion: version }),
    );
    const config = parseConfig({ securityProtocol: 'SSL', sslCaFile: ca.file('trusted.pem', ca.cert) });
    const { byNode } = socketOptionsOf(config);
    const dial = (): Socket => nextBelow as unknown as Socket;
    open = tlsTransports({ contexts: new TlsContexts(config), checkHostname: true, byNode, dial });
  },

  async run(random, input) {
    const sent = Buffer.alloc(random.pick([0, 1, 100, 20_000]), 'The server says this. ');
    const { below, server, isChanged } = connected(random, input, sent);
    const memory = Buffer.alloc(random.pick([7, 1000, 65_536]));
    const read: Buffer[] = [];
    let [events, ends] = [0, 0];
    const transport: Transport = open(target, {
      onConnect: () => {
        events++;
        transport.write(Buffer.from('The client says this.'));
      },
      memoryForRead: () => memory,
      onRead: (bytes, count) => {
        events++;
        read.push(Buffer.from(bytes.subarray(0, count)));
        return true;
      },
      onDrain: () => {},
      onClose: () => {
        events++;
        ends++;
      },
    });
    const count = (): number => events + below.events + below.peer.events;
    await quiet(count);
    transport.destroy();
    server.destroy();
    await quiet(count);
    const got = Buffer.concat(read);
    if (ends > 1) throw new BrokenRule(`the connection ended ${ends} times`);
    if (!sent.subarray(0, got.length).equals(got)) throw new BrokenRule('bytes came that the server did not write');
    if (!isChanged() && got.length < sent.length) throw new BrokenRule(`${got.length} bytes came of ${sent.length}`);
  },
};

/** One record or flight of the server is changed, or none. */
function connected(random: Random, input: Recorder, sent: Buffer) {
  const changedAt = random.below(10);
  let [at, isChanged] = [0, false];
  const side = new Side((chunk) => {
    if (at++ !== changedAt) return chunk;
    const bytes = mutated(chunk, random);
    isChanged = !bytes.equals(chunk);
    input.note(`write ${changedAt} of the server`, bytes);
    return bytes;
  });
  const below = new Side();
  below.peer = side;
  side.peer = below;
  nextBelow = below;
  const server = new TLSSocket(side, { isServer: true, secureContext: random.pick(serverContexts) });
  server.on('error', () => {});
  server.on('data', () => {});
  server.once('secure', () => {
    if (sent.length > 0) server.write(sent);
    if (random.chance(50)) server.end();
  });
  setImmediate(() => below.emit('connect'));
  return { below, server, isChanged: () => isChanged };
}

async function quiet(events: () => number): Promise<void> {
  let [last, turns] = [-1, 0];
  for (let i = 0; i < maxTurns && turns < quietTurns; i++) {
    await turn();
    turns = events() === last ? turns + 1 : 0;
    last = events();
  }
}

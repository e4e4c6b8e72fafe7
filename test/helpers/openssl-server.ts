// Owns a TLS server run by the command of OpenSSL. It can do what Node's server cannot: key updates and late requests for
// certificates. Runs in the test's thread. Its input is sent to the client, except lines that begin with a command letter.

import { type ChildProcess, spawn } from 'node:child_process';
import { waitFor } from './wait-for.ts';

export class OpensslServer {
  /** Its output: bytes from clients, and its own messages. */
  stdout = '';
  readonly #child: ChildProcess;

  private constructor(certFile: string, keyFile: string) {
    // Without a buffer, so that the results of commands are printed at once.
    const args = [
      '-o0',
      'openssl',
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-cert',
      certFile,
      '-key',
      keyFile,
      '-tls1_3',
    ];
    this.#child = spawn('stdbuf', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
  }

  static async start(certFile: string, keyFile: string): Promise<OpensslServer> {
    const server = new OpensslServer(certFile, keyFile);
    await waitFor('OpenSSL to listen', () => server.port > 0);
    return server;
  }

  get port(): number {
    return Number(/^ACCEPT .*:(\d+)\n/m.exec(this.stdout)?.[1] ?? 0);
  }

  /** Sends a line to the client. */
  send(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Changes the keys of both directions. */
  async updateKeys(): Promise<void> {
    await this.#command('K', 'SSL_do_handshake -> 1');
  }

  /** Asks the client for a certificate after the handshake; resolves when it could not, since the client offers none. */
  async failToAskForCertificate(): Promise<void> {
    await this.#command('c', 'Failed to initiate request');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** One line in one read of its input is one command. */
  async #command(letter: string, answer: string): Promise<void> {
    const before = this.stdout.length;
    this.#child.stdin!.write(`${letter}\n`);
    await waitFor(`OpenSSL to say "${answer}"`, () => this.stdout.slice(before).includes(answer));
  }
}

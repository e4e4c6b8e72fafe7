// Owns the search for secrets in whatever clients show: logs, warnings, memory they share with their threads, and what a test
// gives it. Runs in the test's thread. One at a time.

import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { inspect } from 'node:util';
import { KafkaClient, ListGroups, type LogFields, type Logger } from '../../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess } from '../../helpers/embedded-broker.ts';
import { keepsMemory } from '../../helpers/invariant/open-things.ts';
import { saslApis } from '../../helpers/sasl-server.ts';

export class SecretSearch {
  /** What clients logged. */
  logged: [fields: LogFields, message: string][] = [];
  readonly logger: Logger;
  readonly #secrets: readonly string[];
  readonly #realSharedArrayBuffer = globalThis.SharedArrayBuffer;
  readonly #warnings: Error[] = [];
  readonly #onWarning = (warning: Error): void => {
    this.#warnings.push(warning);
  };
  /** All that there has been. */
  #shared: SharedArrayBuffer[] = [];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString('base64')]);
    const log = (fields: LogFields, message: string): void => {
      this.logged.push([fields, message]);
    };
    this.logger = { debug: log, info: log, warn: log, error: log };
  }

  /** Sees from now on what is warned of, and what memory is shared. */
  begin(): void {
    const seen = (buffer: SharedArrayBuffer): void => {
      this.#shared.push(buffer);
      keepsMemory(buffer);
    };
    globalThis.SharedArrayBuffer = class extends this.#realSharedArrayBuffer {
      constructor(byteLength: number) {
        super(byteLength);
        seen(this);
      }
    } as SharedArrayBufferConstructor;
    process.on('warning', this.#onWarning);
  }

  end(): void {
    globalThis.SharedArrayBuffer = this.#realSharedArrayBuffer;
    process.off('warning', this.#onWarning);
  }

  /** Forgets what was seen. */
  clear(): void {
    this.logged = [];
    this.#shared = [];
    this.#warnings.length = 0;
  }

  /** That no secret is in what is given, nor in what was logged or warned of, nor in any shared memory. */
  assertNothing(...seen: unknown[]): void {
    const shown = [...seen, this.logged, this.#warnings].map((value) =>
      typeof value === 'string' ? value : inspect(value, { depth: 20, showHidden: true, maxStringLength: null }),
    );
    const json = seen.map((value) => (value instanceof KafkaClient ? '' : JSON.stringify(value)));
    const memory = this.#shared.map((buffer) => Buffer.from(new Uint8Array(buffer)));
    assert.ok(memory.length > 0, 'no shared memory was seen');
    for (const secret of this.#secrets) {
      for (const text of [...shown, ...json]) assert.ok(!text?.includes(secret), `${secret} in ${text}`);
      for (const [i, bytes] of memory.entries()) assert.ok(!bytes.includes(secret), `${secret} in shared memory ${i}`);
    }
  }
}

/** Has every test of this file searched, and gives them a broker that knows logins and ListGroups. */
export function searchedBroker(search: SecretSearch, nodes: number, onStarted: (broker: EmbeddedBroker) => void): void {
  let broker: EmbeddedBroker;
  before(async () => {
    search.begin();
    broker = await startEmbeddedBrokerInProcess({ nodes, apiVersions: { ...saslApis, [ListGroups.key]: [0, 4] } });
    onStarted(broker);
  });
  after(async () => {
    search.end();
    await broker.close();
  });
  beforeEach(async () => {
    search.clear();
    await broker.clearRules();
    await broker.control(ListGroups, { body: {} });
  });
}

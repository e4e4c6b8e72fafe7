// Where log records go: into common loggers, or into warnings without a logger. A logger never stops anything.

import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import pino from 'pino';
import { projectFolder } from '../../../../scripts/project.ts';
import { toPlainError } from '../../../../src/common/errors/plain-error.ts';
import type { LogBatch, LogFields, Logger, LogRecord } from '../../../../src/common/logger.ts';
import { ClientLog } from '../../../../src/main/thread/client-log.ts';

interface Written {
  level: string;
  fields: LogFields;
  message: string;
}

function recorder(): Logger & { written: Written[] } {
  const written: Written[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => written.push({ level, fields, message });
  return { written, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function collect(): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream, text: () => text };
}

const record: LogRecord = {
  level: 'warn',
  event: 'connection-failed',
  message: 'node 1 (one:9092) cannot be connected',
  nodeId: 1,
  repeated: 3,
  request: null,
  error: toPlainError(new Error('connect ECONNREFUSED')),
};

/** Sends batches as the network thread does. */
async function carry(log: ClientLog, ...batches: LogBatch[]): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  log.listen(port1);
  for (const batch of batches) {
    port2.postMessage(batch);
    await once(port2, 'message');
  }
  port1.close();
}

describe('log records', () => {
  test('of the network thread reach the logger with their fields, and are acknowledged', async () => {
    const logger = recorder();
    await carry(new ClientLog({ clientId: 'orders', logLevel: 'warn', logger }), { records: [record], dropped: 0 });
    const [{ level, fields, message }] = logger.written as [Written];
    assert.equal(level, 'warn');
    assert.equal(message, record.message);
    const { err, ...others } = fields;
    assert.deepEqual(others, { event: 'connection-failed', clientId: 'orders', nodeId: 1, repeated: 3 });
    assert.ok(err instanceof Error);
    assert.equal(err.message, 'connect ECONNREFUSED');
  });

  test('that were dropped are counted', async () => {
    const logger = recorder();
    await carry(new ClientLog({ clientId: 'a', logLevel: 'warn', logger }), { records: [], dropped: 12 });
    assert.equal(logger.written[0]!.fields.repeated, 12);
    assert.match(logger.written[0]!.message, /12 log records were dropped/);
  });

  test('of a thread that has ended are taken from its port', () => {
    const logger = recorder();
    const { port1, port2 } = new MessageChannel();
    port2.postMessage({ records: [record], dropped: 0 });
    port2.postMessage({ records: [record], dropped: 0 });
    new ClientLog({ clientId: 'a', logLevel: 'warn', logger }).drain(port1);
    assert.equal(logger.written.length, 2);
    port2.close();
  });

  test('go to pino as JSON with fields and error', async () => {
    const { stream, text } = collect();
    const logger = pino({ level: 'debug' }, stream);
    await carry(new ClientLog({ clientId: 'a', logLevel: 'debug', logger }), { records: [record], dropped: 0 });
    const line = JSON.parse(text());
    assert.equal(line.msg, record.message);
    assert.equal(line.level, 40);
    assert.equal(line.nodeId, 1);
    assert.equal(line.event, 'connection-failed');
    assert.equal(line.err.message, 'connect ECONNREFUSED');
  });

  test('go to a console', async () => {
    const { stream, text } = collect();
    const logger: Logger = new Console(stream, stream);
    await carry(new ClientLog({ clientId: 'a', logLevel: 'warn', logger }), { records: [record], dropped: 0 });
    assert.match(text(), /connection-failed[\s\S]*node 1 \(one:9092\) cannot be connected/);
  });

  test('below the level are not written', () => {
    const logger = recorder();
    const log = new ClientLog({ clientId: 'a', logLevel: 'error', logger });
    log.write('warn', { event: 'x' }, 'text');
    log.write('error', { event: 'x' }, 'text');
    assert.equal(logger.written.length, 1);
    new ClientLog({ clientId: 'a', logLevel: 'silent', logger }).write('error', { event: 'x' }, 'text');
    assert.equal(logger.written.length, 1);
  });

  test('about a callback that throws contain the error, also if the thrown value is not an error', () => {
    const logger = recorder();
    const log = new ClientLog({ clientId: 'a', logLevel: 'warn', logger });
    log.callbackThrew(new TypeError('mine'));
    log.callbackThrew('a string');
    assert.deepEqual(
      logger.written.map(({ level, fields }) => [level, fields.event, fields.err!.message]),
      [
        ['error', 'callback-threw', 'mine'],
        ['error', 'callback-threw', 'a string'],
      ],
    );
  });

  test('without a logger are process warnings from level warn on, with a code to filter by', async () => {
    const log = new ClientLog({ clientId: 'orders', logLevel: 'debug', logger: null });
    const seen: Error[] = [];
    const onWarning = (warning: Error): void => void seen.push(warning);
    process.on('warning', onWarning);
    log.write('info', { event: 'connected' }, 'not seen');
    log.write('warn', { event: 'connection-failed' }, 'seen');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.deepEqual(
      seen.map(({ name, message }) => ({ name, message, code: (seen[0] as Error & { code: string }).code })),
      [{ name: 'KafkaWarning', message: 'orders: seen', code: 'KAFKA_CONNECTION_FAILED' }],
    );
  });

  test('of a logger that throws: it stops nothing and is reported once', async () => {
    const logger = recorder();
    logger.warn = () => {
      throw new Error('disk full');
    };
    const log = new ClientLog({ clientId: 'a', logLevel: 'warn', logger });
    const seen: Error[] = [];
    const onWarning = (warning: Error): void => void seen.push(warning);
    process.on('warning', onWarning);
    await carry(log, { records: [record, { ...record, level: 'error' }, record], dropped: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.equal(logger.written.length, 1, 'the one that works');
    assert.deepEqual(
      seen.map(({ message }) => message),
      ['the logger threw: Error: disk full'],
    );
  });
});

test('docs/logging.md lists every event with its level', () => {
  const page = readFileSync(join(projectFolder, 'docs', 'logging.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (debug|info|warn|error) \| ((?:`[a-z-]+`(?:, )?)+) \|/gm)];
  const listed = rows.flatMap(([, , events]) => events!.replaceAll('`', '').split(', '));
  const source = ['worker/report/events.ts', 'worker/report/log.ts', 'worker/link/consumers.ts']
    .concat(['main/thread/client-log.ts', 'main/client/session.ts'])
    .map((file) => readFileSync(join(projectFolder, 'src', file), 'utf8'))
    .join('\n');
  for (const event of listed) assert.ok(source.includes(`'${event}'`), `nobody writes ${event}`);
  const written = [...source.matchAll(/(?:event: |'(?:debug|info|warn|error)', )'([a-z-]+)'/g)].map(
    ([, event]) => event!,
  );
  assert.ok(written.length >= 15, `${written.length} events found`);
  for (const event of written) assert.ok(listed.includes(event), `${event} is not in the list`);
});

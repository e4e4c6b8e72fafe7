// What a whole client logs to the application's logger, from its network thread and from the application thread.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KafkaClient as Client, type KafkaClient, type LogFields, type Logger, Metadata } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient, openConnected } from './support/client.ts';

interface Written {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

class Recorder implements Logger {
  readonly written: Written[] = [];

  debug(fields: LogFields, message: string): void {
    this.written.push({ level: 'debug', fields, message });
  }

  info(fields: LogFields, message: string): void {
    this.written.push({ level: 'info', fields, message });
  }

  warn(fields: LogFields, message: string): void {
    this.written.push({ level: 'warn', fields, message });
  }

  error(fields: LogFields, message: string): void {
    this.written.push({ level: 'error', fields, message });
  }

  of(event: string): Written[] {
    return this.written.filter(({ fields }) => fields.event === event);
  }
}

describe('a logger', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker();
  });
  after(() => broker.close());

  test('gets one record for each server that cannot be reached, and nothing else', async () => {
    const logger = new Recorder();
    const options = { bootstrapServers: ['127.0.0.1:1', 'localhost:1'], apiVersionAutoTimeoutMs: 5000, logger };
    await assert.rejects(Client.start({ ...options, reconnectBackoffMs: 10, reconnectBackoffMaxMs: 20 }));
    assert.deepEqual(logger.written.map(({ level, fields }) => [level, fields.event, fields.nodeId]).sort(), [
      ['warn', 'connection-failed', -1],
      ['warn', 'connection-failed', -2],
    ]);
    assert.match(logger.written[0]!.message, /ECONNREFUSED/);
  });

  test('gets nothing from a client that works, unless it asks for a lower level', async (t) => {
    const quiet = new Recorder();
    const client = await openConnected(t, broker, { logger: quiet });
    await client.send(0, Metadata, { topics: [] });
    await client.close();
    assert.deepEqual(quiet.written, []);
    const talkative = new Recorder();
    const other = await openConnected(t, broker, { logger: talkative, logLevel: 'debug', clientId: 'mine' });
    await other.close();
    assert.ok(talkative.of('connected').length >= 2);
    assert.ok(talkative.written.every(({ fields }) => fields.clientId === 'mine'));
  });

  test('gets a record when a connection is lost and when it is back', async (t) => {
    const logger = new Recorder();
    const client = await openConnected(t, broker, { logger, logLevel: 'info' });
    await broker.control(Metadata, { answer: 'never' });
    const open = client.send(0, Metadata, { topics: [] });
    await client.poll(0);
    await broker.closeConnections('reset');
    await assert.rejects(async () => open);
    await broker.clearRules();
    await waitFor('the record', () => logger.of('connection-lost').length > 0);
    assert.equal(logger.of('connection-lost')[0]!.fields.nodeId, 0);
  });

  test('gets a record with the error when a callback throws', async (t) => {
    const logger = new Recorder();
    const client = await openConnected(t, broker, { logger });
    client.cluster.addListener(() => {
      throw new TypeError('listener');
    });
    const sent = client.send(0, Metadata, { topics: [] }).addCallback(() => {
      throw new RangeError('callback');
    });
    await sent;
    await client.refreshMetadata();
    assert.deepEqual(
      logger.of('callback-threw').map(({ fields }) => fields.err?.message),
      ['callback', 'listener'],
    );
  });

  test('gets a bounded number of records after the application was blocked', async (t) => {
    const logger = new Recorder();
    const client: KafkaClient = await openClient(t, {
      bootstrapServers: broker.bootstrapServers,
      logger,
      logLevel: 'debug',
      reconnectBackoffMs: 0,
      reconnectBackoffMaxMs: 0,
    });
    await client.awaitReady(0);
    const before = logger.written.length;
    // Connections are begun and ended thousands of times, while this thread takes no message.
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      client.maybeConnect(0);
      client.pollSync(0);
      client.close(0);
    }
    await waitFor('the records', () => logger.written.length > before);
    await waitFor('the end of what was kept', () => {
      return logger.of('log-dropped').length > 0 || logger.written.length - before <= 600;
    });
    assert.ok(logger.written.length - before <= 600, `${logger.written.length - before} records`);
  });
});

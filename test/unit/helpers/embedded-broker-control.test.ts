import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  ApiVersions,
  Fetch,
  FindCoordinator,
  Heartbeat,
  ListOffsets,
  Metadata,
  type MetadataRequestView,
  Produce,
} from '../../../src/protocol/flat/generated/apis.ts';
import {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startEmbeddedBroker,
  startEmbeddedBrokerInProcess,
} from '../../helpers/embedded-broker.ts';
import { decodeResponse, encodeRequest, RawClient } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const starts: readonly [string, (options: EmbeddedBrokerOptions) => Promise<EmbeddedBroker>][] = [
  ['in this thread', startEmbeddedBrokerInProcess],
  ['in a thread of its own', startEmbeddedBroker],
];

for (const [where, start] of starts) {
  describe(`control of the embedded broker ${where}`, () => {
    let broker: EmbeddedBroker;
    let client: RawClient;
    const opened: RawClient[] = [];

    beforeEach(async () => {
      broker = await start({ nodes: 2, topics: { t: { partitions: 2 } }, apiVersions: { [Heartbeat.key]: [0, 4] } });
      client = await open(0);
    });

    afterEach(async () => {
      for (const each of opened.splice(0)) each.close();
      await broker.close();
    });

    async function open(nodeId: number): Promise<RawClient> {
      const { port } = broker.nodes.find(({ id }) => id === nodeId)!;
      const opening = await RawClient.connect(port);
      opened.push(opening);
      return opening;
    }

    const ask = (from = client) => from.send(Metadata, 9, { topics: [{ name: 't' }] });
    const write = (from = client) => from.write(Metadata, 9, { topics: [{ name: 't' }] });

    test('an error code is put into every field of the answer that can hold it', async () => {
      const codes = async (): Promise<number[]> => {
        const produced = await client.send(Produce, 9, {
          acks: -1,
          timeoutMs: 1,
          topicData: [{ name: 't', partitionData: [{ index: 0, records: [{ value: 'v' }] }] }],
        });
        const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }];
        const fetched = await client.send(Fetch, 12, {
          maxWaitMs: 0,
          minBytes: 0,
          topics: [{ topic: 't', partitions }],
        });
        const listed = await client.send(ListOffsets, 5, {
          replicaId: -1,
          topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
        });
        const found = await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
        return [
          (await ask()).topics.at(0).errorCode,
          produced.responses.at(0).partitionResponses.at(0).errorCode,
          fetched.responses.at(0).partitions.at(0).errorCode,
          listed.topics.at(0).partitions.at(0).errorCode,
          found.coordinators.at(0).errorCode,
          (await client.send(ApiVersions, 2, {})).errorCode,
        ];
      };
      assert.deepEqual(await codes(), [0, 0, 0, 0, 0, 0]);
      for (const api of [Metadata, Produce, Fetch, ListOffsets, FindCoordinator, ApiVersions]) {
        await broker.control(api, { errorCode: 29 });
      }
      assert.deepEqual(await codes(), [29, 29, 29, 29, 29, 29]);
      assert.equal((await broker.log('t', 0)).endOffset, 1, 'what is answered with an error is not handled');
      await broker.clearRules();
      assert.deepEqual(await codes(), [0, 0, 0, 0, 0, 0]);
    });

    test('a given body is sent, also for an API that is not served', async () => {
      await broker.control(Metadata, { body: { brokers: [{ nodeId: 9, host: 'h', port: 1 }], controllerId: -1 } });
      const response = await ask();
      assert.equal(response.brokers.at(0).nodeId, 9);
      assert.equal(response.controllerId, -1);
      await broker.control(Heartbeat, { body: { errorCode: 27 } });
      const beat = await client.send(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
      assert.equal(beat.errorCode, 27);
    });

    test('a held request and the requests behind it wait until it is released', async () => {
      const rule = await broker.control(Metadata, { holdUntil: 'gate' }, { times: 1 });
      const first = write();
      const second = client.write(ApiVersions, 2, {});
      await broker.waitForHeld('gate');
      await broker.waitForRequests(ApiVersions, 1);
      assert.equal(await rule.uses(), 1);
      assert.equal(client.socket.bytesRead, 0);
      const other = await open(1);
      assert.equal((await ask(other)).topics.length, 1, 'other connections are served');
      assert.equal(await broker.release('gate'), 1);
      assert.equal((await client.read(Metadata, 9, first)).topics.length, 1);
      assert.equal((await client.read(ApiVersions, 2, second)).errorCode, 0);
      assert.equal(await broker.release('gate'), 0);
    });

    test('a held answer belongs to a request that was handled', async () => {
      await broker.control(Produce, { holdAnswerUntil: 'acks' });
      const topicData = [{ name: 't', partitionData: [{ index: 0, records: [{ value: 'v' }] }] }];
      const id = client.write(Produce, 9, { acks: -1, timeoutMs: 1, topicData });
      await broker.waitForHeld('acks');
      assert.equal((await broker.log('t', 0)).endOffset, 1);
      await broker.release('acks');
      assert.equal((await client.read(Produce, 9, id)).responses.length, 1);
    });

    test('a client that disconnects is no longer held', async () => {
      await broker.control(Metadata, { holdUntil: 'gate' });
      write();
      await broker.waitForHeld('gate');
      client.close();
      await waitFor('the gate to be empty', async () => (await broker.held('gate')) === 0);
    });

    test('a request after one that is never answered is answered', async () => {
      await broker.control(Metadata, { answer: 'never' });
      write();
      const second = client.write(ApiVersions, 2, {});
      assert.equal((await client.read(ApiVersions, 2, second)).errorCode, 0);
    });

    test('a connection is closed or reset instead of an answer', async () => {
      await broker.control(Metadata, { answer: 'close' });
      write();
      client.write(ApiVersions, 2, {});
      assert.equal(await client.ended, null);
      assert.equal(client.socket.bytesRead, 0);
      const second = await open(0);
      await broker.control(Metadata, { answer: 'reset' });
      write(second);
      assert.equal(await second.ended, 'ECONNRESET');
    });

    test('the bytes of an answer can be cut, corrupted, replaced, mislabelled, extended', async () => {
      const whole = (await frameOf(await open(0))).length;

      await broker.control(Metadata, { wire: { cutAfter: 10 } });
      const cut = await open(0);
      write(cut);
      assert.equal(await cut.ended, null);
      assert.equal(cut.socket.bytesRead, 10);

      await broker.control(Metadata, { wire: { cutAfter: 10, ending: 'silence' } });
      const stalled = await open(0);
      write(stalled);
      await stalled.readBytes(10);
      await broker.waitForRequests(Metadata, 3);
      assert.equal(stalled.socket.bytesRead, 10);

      await broker.control(Metadata, { wire: { correlationId: 4711 } });
      assert.equal((await frameOf(await open(0))).readInt32BE(0), 4711);

      await broker.control(Metadata, { wire: { sizePrefix: -5 } });
      const mislabelled = await open(0);
      write(mislabelled);
      assert.equal((await mislabelled.readBytes(4)).readInt32BE(0), -5);

      await broker.control(Metadata, { wire: { rawBytes: Buffer.from('HTTP/1.1'), ending: 'close' } });
      const garbage = await open(0);
      write(garbage);
      assert.equal((await garbage.readBytes(8)).toString(), 'HTTP/1.1');
      assert.equal(await garbage.ended, null);

      await broker.control(Metadata, { wire: { trailingBytes: Buffer.from([1, 2, 3]) } });
      const extended = await frameOf(await open(0));
      assert.equal(extended.length, whole + 3);
      assert.deepEqual([...extended.subarray(-3)], [1, 2, 3]);

      await broker.control(Metadata, { wire: { corrupt: { offset: -1, mask: 0x80 } } });
      const corrupt = await frameOf(await open(0));
      assert.equal(corrupt.at(-1), 0x80);
    });

    test('an answer can trickle', async () => {
      await broker.control(Metadata, { wire: { trickleBytes: 1 } });
      let pieces = 0;
      client.socket.on('data', () => pieces++);
      // A reader that is busy meanwhile finds the pieces put together, so one answer proves nothing.
      await waitFor('an answer in pieces', async () => {
        pieces = 0;
        assert.equal((await ask()).topics.length, 1);
        return pieces > 1;
      });
    });

    test('a throttle time is added to the normal answer', async () => {
      await broker.control(Metadata, { throttleTimeMs: 1234 });
      const response = await ask();
      assert.deepEqual([response.throttleTimeMs, response.topics.length], [1234, 1]);
    });

    test('a function decides request by request', async () => {
      const seen: unknown[] = [];
      const rule = await broker.control<MetadataRequestView>(Metadata, ({ nodeId, version, clientId, body }) => {
        seen.push([nodeId, version, clientId, body.topics?.map(({ name }) => name) ?? null]);
        return body.topics === null ? { errorCode: 41 } : undefined;
      });
      assert.equal((await ask()).topics.at(0).errorCode, 0);
      const all = await client.send(Metadata, 8, { topics: null });
      assert.equal(all.topics.at(0).errorCode, 41);
      assert.deepEqual(seen, [
        [0, 9, 'raw-client', ['t']],
        [0, 8, 'raw-client', null],
      ]);
      assert.equal(await rule.uses(), 1);
      await rule.remove();
      assert.equal((await client.send(Metadata, 8, { topics: null })).topics.at(0).errorCode, 0);
      assert.equal(seen.length, 2);
    });

    test('a function from a module decides in the thread of the broker', async () => {
      const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
      const module = new URL(`./control-module${suffix}`, import.meta.url).href;
      await broker.addModuleRule(Metadata.key, { module, exportName: 'throttleVersions', args: [[8], 77] });
      assert.equal((await client.send(Metadata, 8, { topics: [] })).throttleTimeMs, 77);
      assert.equal((await client.send(Metadata, 9, { topics: [] })).throttleTimeMs, 0);
      await assert.rejects(broker.addModuleRule(3, { module, exportName: 'nothing' }), /exports no function nothing/);
    });

    test('rules choose by node and client, skip, and end; the newest rule comes first', async () => {
      const other = await open(1);
      const code = async (from: RawClient) => (await ask(from)).topics.at(0).errorCode;
      await broker.control(Metadata, { errorCode: 1 });
      await broker.control(Metadata, { errorCode: 2 }, { nodeId: 1 });
      await broker.control(Metadata, { errorCode: 3 }, { skip: 1, times: 2, nodeId: 0 });
      await broker.control(Metadata, { errorCode: 4 }, { clientId: 'somebody else' });
      assert.deepEqual([await code(other), await code(other)], [2, 2]);
      assert.deepEqual([await code(client), await code(client), await code(client), await code(client)], [1, 3, 3, 1]);
    });

    test('nodes stop listening, and listen again on the same port', async () => {
      const { port } = broker.nodes[1]!;
      const other = await open(1);
      // Accepted for sure: a connection that still waits in the listener's queue would go with it.
      await ask(other);
      await broker.stopListener(1);
      await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
      assert.equal((await ask(other)).brokers.length, 2, 'open connections stay, metadata too');
      await broker.startListener(1);
      assert.equal((await ask(await open(1))).brokers.length, 2);
    });

    test('nodes join and leave, with their leaders and connections', async () => {
      const other = await open(1);
      const joined = await broker.addNode(7, 'rack-7');
      const brokers = (await ask()).brokers.map(({ nodeId, port, rack }) => [nodeId, port, rack]);
      assert.deepEqual(brokers[2], [7, joined.port, 'rack-7']);
      await broker.moveLeader('t', 0, 7);
      assert.equal((await broker.log('t', 1)).leaderId, 1);
      await broker.removeNode(1);
      assert.equal(await other.ended, 'ECONNRESET');
      const after = await ask();
      assert.deepEqual(
        after.brokers.map(({ nodeId }) => nodeId),
        [0, 7],
      );
      assert.deepEqual(
        after.topics.at(0).partitions.map(({ leaderId }) => leaderId),
        [7, -1],
      );
      await assert.rejects(broker.addNode(7), /node 7 already/);
    });

    test('a node is advertised elsewhere, and the controller moves', async () => {
      await broker.advertise(1, 'proxy.example', 4321);
      await broker.setController(-1);
      const response = await ask();
      const { host, port } = response.brokers.at(1);
      assert.deepEqual([host, port, response.controllerId], ['proxy.example', 4321, -1]);
      assert.equal(broker.nodes[1]!.host, '127.0.0.1');
    });

    test('connections are counted and closed', async () => {
      const others = [await open(0), await open(1)];
      await Promise.all([client, ...others].map((each) => ask(each)));
      const stats = await broker.stats();
      assert.deepEqual([stats.acceptedConnections, stats.openConnections], [3, 3]);
      assert.deepEqual(stats.openByNode, { 0: 2, 1: 1 });
      assert.deepEqual([stats.requests, stats.requestsByNode], [{ 3: 3 }, { 0: { 3: 2 }, 1: { 3: 1 } }]);
      const arrived = await broker.arrivedRequests();
      assert.deepEqual(
        arrived.map(({ apiKey, version }) => [apiKey, version]),
        Array(3).fill([3, 9]),
      );
      assert.equal(await broker.closeConnections('reset', 0), 2);
      assert.deepEqual([await client.ended, await others[0]!.ended], ['ECONNRESET', 'ECONNRESET']);
      assert.equal(await broker.closeConnections('close'), 1);
      assert.equal(await others[1]!.ended, null);
      await broker.waitForConnections(0);
    });

    test('the send buffers of clients fill when a node reads nothing', async () => {
      await broker.setReading(0, false);
      const slow = await open(0);
      write(slow);
      // More than the kernel buffers of both ends take.
      slow.socket.write(Buffer.alloc(64 << 20));
      const other = await open(1);
      assert.equal((await ask(other)).topics.length, 1);
      assert.equal((await broker.stats()).requestsByNode[0], undefined);
      assert.ok(slow.socket.writableLength > 0);
      await broker.setReading(0, true);
      await broker.waitForRequests(Metadata, 1, 0);
    });

    test('requests that come in pieces and in bulk are all served, in order', async () => {
      const frames = Array.from({ length: 500 }, (_, i) => encodeRequest(Metadata, 9, i, 'c', { topics: [] }));
      const all = Buffer.concat(frames);
      for (let at = 0; at < all.length; at += 777) client.socket.write(all.subarray(at, at + 777));
      for (let i = 0; i < frames.length; i++) decodeResponse(Metadata, 9, i, await client.readFrame());
    });

    async function frameOf(from: RawClient): Promise<Buffer> {
      write(from);
      return from.readFrame();
    }
  });
}

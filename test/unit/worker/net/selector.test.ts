import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type Channel, ChannelState } from '../../../../src/worker/net/channel.ts';
import { Selector } from '../../../../src/worker/net/selector.ts';
import { FakeTransport, frameOf } from '../support/fake-peer.ts';

let events: (() => void)[];
let transports: FakeTransport[];
let wakes: number;
let selector: Selector;

beforeEach(() => {
  events = [];
  transports = [];
  wakes = 0;
  selector = new Selector(
    (target, channelEvents) => {
      const transport = new FakeTransport({ later: (event) => events.push(event) }, target, channelEvents);
      transports.push(transport);
      return transport;
    },
    () => {
      wakes++;
    },
  );
});

/** Lets sockets report what happened. */
function happen(): void {
  while (events.length > 0) events.shift()!();
}

function connect(isOpen = true): { channel: Channel; transport: FakeTransport } {
  const channel = selector.connect(1, { address: 'h', port: 1, host: 'h' }, 1_000_000);
  const transport = transports.at(-1)!;
  if (isOpen) {
    transport.open();
    happen();
    selector.poll(0);
    channel.state = ChannelState.API_VERSIONS;
  }
  return { channel, transport };
}

test('a channel is connected once, in the poll after its transport opened', () => {
  const { channel, transport } = connect(false);
  assert.equal(selector.poll(0), 0);
  transport.open();
  happen();
  assert.equal(selector.poll(0), 1);
  assert.deepEqual(selector.connected, [channel]);
  assert.equal(selector.poll(0), 0);
  assert.deepEqual(selector.connected, []);
});

test('marks of a channel ask for one turn, however many there are', () => {
  const { transport } = connect();
  wakes = 0;
  for (let i = 0; i < 5; i++) transport.send(frameOf(1, 2, 3, 4));
  happen();
  assert.equal(wakes, 1);
  assert.equal(selector.poll(0), 1);
  transport.send(frameOf(1, 2, 3, 4));
  happen();
  assert.equal(wakes, 2);
});

test('only channels with news are listed', () => {
  const first = connect();
  const second = connect();
  second.transport.send(frameOf(1, 2, 3, 4));
  happen();
  selector.poll(0);
  assert.deepEqual(selector.receivable, [second.channel]);
  assert.deepEqual(selector.ended, []);
  assert.equal(selector.channels.size, 2);
  assert.ok(first.channel.received.bufferedBytes === 0);
});

test('queued sends leave in order once the transport is open, together', () => {
  const { channel, transport } = connect(false);
  channel.enqueue(Buffer.from('a'));
  channel.enqueue(Buffer.from('b'));
  selector.poll(0);
  assert.equal(transport.written.length, 0, 'not while connecting');
  transport.open();
  happen();
  selector.poll(0);
  channel.state = ChannelState.API_VERSIONS;
  channel.enqueue(Buffer.from('c'));
  selector.poll(0);
  assert.equal(transport.written.toString(), 'abc');
  assert.equal(selector.completedSends, 3);
  assert.equal(transport.corks, 0);
  assert.equal(channel.hasQueuedSends, false);
  assert.equal(channel.bytesSent, 3);
});

test('a blocked transport gets nothing until it drains', () => {
  const { channel, transport } = connect();
  transport.isBlocked = true;
  channel.enqueue(Buffer.from('a'));
  selector.poll(0);
  channel.enqueue(Buffer.from('b'));
  selector.poll(0);
  assert.equal(transport.written.toString(), 'a');
  assert.equal(channel.hasQueuedSends, true);
  transport.drain();
  happen();
  selector.poll(0);
  assert.equal(transport.written.toString(), 'ab');
});

test('an end is listed behind what was received', () => {
  const { channel, transport } = connect();
  transport.send(frameOf(1, 2, 3, 4));
  transport.end();
  happen();
  selector.poll(0);
  assert.deepEqual(selector.receivable, [channel]);
  assert.deepEqual(selector.ended, [channel]);
  assert.ok(channel.received.hasFrame());
});

test('a muted channel is listed again when it is unmuted, with its end', () => {
  const { channel, transport } = connect();
  selector.mute(channel, 100);
  selector.mute(channel, 150);
  assert.ok(channel.isMuted);
  assert.deepEqual([...selector.muted], [channel]);
  transport.end();
  happen();
  selector.poll(0);
  assert.equal(selector.unmute(channel, 400), 300);
  assert.equal(channel.isMuted, false);
  assert.equal(selector.muted.size, 0);
  selector.poll(0);
  assert.deepEqual(selector.receivable, [channel]);
  assert.deepEqual(selector.ended, [channel]);
});

test('a mute at time 0 is a mute', () => {
  const { channel } = connect();
  selector.mute(channel, 0);
  assert.ok(channel.isMuted);
  assert.equal(selector.unmute(channel, 5), 5);
  assert.equal(selector.unmute(channel, 9), 0);
});

test('a closed channel is no longer listed, whatever was marked before', () => {
  const { channel, transport } = connect();
  channel.enqueue(Buffer.from('a'));
  transport.send(frameOf(1, 2, 3, 4));
  happen();
  selector.mute(channel, 1);
  selector.close(channel);
  assert.ok(transport.isDestroyed);
  assert.equal(channel.state, ChannelState.CLOSED);
  assert.equal(selector.channels.size, 0);
  assert.equal(selector.muted.size, 0);
  selector.poll(0);
  assert.deepEqual(selector.receivable, []);
  assert.equal(transport.written.length, 0);
});

test('a channel that is full pauses its transport, and resumes when frames were taken', () => {
  const { channel, transport } = connect();
  channel.becomeReady();
  const big = Buffer.concat(Array.from({ length: 200 }, () => frameOf(...Array.from({ length: 1000 }, () => 7))));
  transport.send(big);
  happen();
  assert.ok(transport.isPaused);
  assert.ok(transport.unreadBytes > 0);
  let frames = 0;
  for (let round = 0; round < 50; round++) {
    while (channel.received.hasFrame()) {
      channel.received.consumeFrame();
      frames++;
    }
    channel.resumeReading();
    happen();
  }
  assert.equal(frames, 200);
  assert.equal(channel.bytesReceived, big.length);
});

test('correlation ids count from 1', () => {
  const { channel } = connect();
  assert.deepEqual([channel.nextCorrelationId(), channel.nextCorrelationId(), channel.nextCorrelationId()], [1, 2, 3]);
  assert.equal(connect().channel.nextCorrelationId(), 1);
});

test('frames are limited to 512 KiB until the channel is ready, then to the configured size', () => {
  const small = selector.connect(1, { address: 'h', port: 1, host: 'h' }, 1000);
  assert.equal(small.received.maxFrameBytes, 1000);
  const { channel } = connect();
  assert.equal(channel.received.maxFrameBytes, 512 * 1024);
  channel.becomeReady();
  assert.equal(channel.received.maxFrameBytes, 1_000_000);
});

test('the text of an end names the place and what it may mean', () => {
  const { channel, transport } = connect();
  transport.end();
  happen();
  assert.match(channel.describeEnd().message, /h:1 closed the connection before it answered ApiVersions.*TLS/);
  channel.becomeReady();
  assert.match(channel.describeEnd().message, /h:1 closed the connection \[KAFKA_\w+\]$/);
  const refused = connect(false);
  const cause = new Error('connect ECONNREFUSED');
  refused.transport.fail(cause);
  happen();
  const error = refused.channel.describeEnd();
  assert.match(error.message, /connection to h:1 failed: connect ECONNREFUSED/);
  assert.equal(error.cause, cause);
});

test('correlation ids are positive: after the largest int32 comes 1 again', () => {
  const { channel } = connect();
  assert.deepEqual([channel.nextCorrelationId(), channel.nextCorrelationId()], [1, 2]);
  channel.lastCorrelationId = 2 ** 31 - 2;
  assert.deepEqual([channel.nextCorrelationId(), channel.nextCorrelationId()], [2 ** 31 - 1, 1]);
});

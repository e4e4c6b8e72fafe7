// Bad bytes on a connection: only this connection is lost, each request on it is settled once with the reason, complete responses before
// the bad bytes are delivered, nothing is allocated because of a length, and the next connection works.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  CorrelationIdError,
  InvalidReceiveError,
  type KafkaClient,
  type KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  ListOffsets,
  Metadata,
  RequestTimedOutError,
  type SendOptions,
} from '../../src/index.ts';
import { closedByHand, failureOf, openConnected } from '../broker/support/client.ts';
import { listOffsetsRequest } from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import {
  type ControlledRequest,
  type EmbeddedBroker,
  startEmbeddedBroker,
  type WireFault,
} from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MiB = 1024 * 1024;

describe('an answer with', () => {
  let broker: EmbeddedBroker;
  /** The same for all tests: whatever it has met, it goes on. */
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: { assignments: [[0]] } } });
    client = await openConnected(closedByHand, broker, {
      reconnectBackoffMs: 1,
      reconnectBackoffMaxMs: 20,
      receiveMessageMaxBytes: (1 << 20) - 1,
    });
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  /** Sends one good request, the one whose answer is faulty, and two behind it, all before any is answered. */
  async function sendAround(wire: WireFault | ReturnType<typeof answerOf>, options: SendOptions = {}) {
    await client.awaitReady(0);
    const settlements = new Settlements(client);
    const reply =
      typeof wire === 'function' ? (request: ControlledRequest) => ({ wire: { rawBytes: wire(request) } }) : { wire };
    await broker.control(ListOffsets, reply, { times: 1 });
    const elsewhere = client.send(1, Metadata, { topics: [] });
    const before = settlements.send(0, Metadata, { topics: [] });
    const faulty = settlements.send(0, ListOffsets, listOffsetsRequest('logs'), options);
    const behind = [1, 2].map(() => settlements.send(0, Metadata, { topics: [] }));
    await elsewhere;
    const outcome = await settlements.finish();
    assert.equal(before.succeeded, true, 'what came whole before is delivered');
    assert.equal(client.connected(1), true, 'other connections stay');
    await client.awaitReady(0);
    await client.send(0, ListOffsets, listOffsetsRequest('logs'));
    return { faulty: faulty.exception, behind: behind.map(({ exception }) => exception), outcome };
  }

  /** The faulty one gets the error itself, those behind it hear of it as a cause. */
  function assertLost(
    result: Awaited<ReturnType<typeof sendAround>>,
    type: typeof KafkaClientError,
    text: RegExp,
  ): void {
    const { faulty, behind } = result;
    assert.equal(faulty?.constructor, type, String(faulty));
    assert.match(faulty!.message, text);
    assert.equal((faulty as KafkaClientError).nodeId, 0);
    for (const error of behind) {
      assert.ok(error instanceof KafkaConnectionError, String(error));
      assert.equal(error.retriable, true);
      assert.equal((error.cause as Error).constructor, type);
    }
  }

  for (const [name, sizePrefix, text] of [
    ['a length of -1', -1, /frame length -1: a Kafka frame has at least 4 bytes/],
    ['the most negative length', -(2 ** 31), /frame length -2147483648/],
    ['a length of 0', 0, /frame length 0/],
    ['a length of 1', 1, /frame length 1/],
    ['a length of 3', 3, /frame length 3/],
    [
      'a length above the limit',
      1 << 20,
      /frame length 1048576 is above the limit of 1048575 bytes: raise receiveMessageMaxBytes/,
    ],
    ['the highest length', 2147483647, /frame length 2147483647 is above the limit/],
    ['an HTTP answer instead', 0x48545450, /answers in HTTP/],
    ['a TLS alert instead', 0x15030300, /answers with a TLS alert/],
  ] as const) {
    test(name, async () => {
      const result = await sendAround({ sizePrefix });
      assertLost(result, InvalidReceiveError, text);
    });
  }

  test('a huge length allocates nothing, however often it comes', { skip: noStatm() }, async () => {
    await broker.control(ListOffsets, { wire: { sizePrefix: 1_900_000_000 } });
    const before = virtualBytes();
    for (let i = 0; i < 10; i++) {
      await client.awaitReady(0);
      assert.ok(
        (await failureOf(client.send(0, ListOffsets, listOffsetsRequest('logs')))) instanceof InvalidReceiveError,
      );
    }
    const grown = virtualBytes() - before;
    assert.ok(grown < 1000 * MiB, `address space grew by ${Math.round(grown / MiB)} MiB`);
  });

  test('another correlation id', async () => {
    const result = await sendAround({ correlationId: 12345 });
    assertLost(result, CorrelationIdError, /correlation id 12345, expected \d+ \(ListOffsets\)/);
    assert.equal((result.faulty as CorrelationIdError).correlationId, 12345);
  });

  test('a body that ends early', async () => {
    // Throttle time 0, one topic, and nothing more.
    const result = await sendAround(answerOf('00000000' + '02'));
    assertLost(result, KafkaProtocolError, /ListOffsets.*version 11/);
    assert.equal((result.faulty as KafkaProtocolError).apiKey, ListOffsets.key);
  });

  test('a count larger than the frame', async () => {
    const result = await sendAround({ corrupt: { offset: 13, mask: 0x7d } });
    assertLost(result, KafkaProtocolError, /ListOffsets/);
    assert.equal((result.faulty as KafkaProtocolError).apiKey, ListOffsets.key);
  });

  test('bytes behind its body is accepted', async () => {
    const { faulty, behind, outcome } = await sendAround({ trailingBytes: Buffer.alloc(100, 0xff) });
    assert.equal(faulty, null);
    assert.deepEqual(behind, [null, null]);
    assert.equal(outcome.succeeded, 4);
  });

  for (const cutAfter of [0, 1, 3, 4, 5, 8, 9, 20, 40]) {
    for (const then of ['close', 'reset'] as const) {
      test(`a ${then} after ${cutAfter} bytes`, async () => {
        const { faulty, behind } = await sendAround({ cutAfter, ending: then });
        for (const error of [faulty, ...behind]) {
          assert.ok(error instanceof KafkaConnectionError, String(error));
          assert.equal(error.retriable, true);
        }
      });
    }
  }

  for (const cutAfter of [0, 3, 20]) {
    test(`silence after ${cutAfter} bytes`, async () => {
      const { faulty, behind } = await sendAround({ cutAfter, ending: 'silence' }, { timeoutMs: 100 });
      assert.ok(faulty instanceof RequestTimedOutError, String(faulty));
      for (const error of behind) {
        assert.ok(error instanceof KafkaConnectionError || error instanceof RequestTimedOutError, String(error));
      }
    });
  }

  test('another answer behind it that nobody asked for ends only the connection', async () => {
    const whole = answerOf('00000000' + '01' + '00');
    await broker.control(
      ListOffsets,
      (request) => {
        const twice = Buffer.concat([whole(request), whole(request)]);
        return { wire: { rawBytes: twice } };
      },
      { times: 1 },
    );
    const response = await client.send(0, ListOffsets, listOffsetsRequest('logs'));
    assert.equal(response.topics.length, 0);
    await waitFor('the connection to be lost', () => !client.connected(0));
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });
});

/** Makes the frame of an answer to ListOffsets in a flexible version. */
function answerOf(bodyHex: string): (request: { readonly correlationId: number }) => Buffer {
  return ({ correlationId }) => {
    const body = Buffer.from(bodyHex, 'hex');
    const frame = Buffer.alloc(9 + body.length);
    frame.writeInt32BE(5 + body.length, 0);
    frame.writeInt32BE(correlationId, 4);
    body.copy(frame, 9);
    return frame;
  };
}

/** Why the size of the address space cannot be told here; false where it can. */
function noStatm(): string | false {
  return process.platform === 'linux' ? false : 'only Linux tells the size of the address space';
}

/** Size of this process's address space: memory that was only reserved, and never touched, shows here alone. */
function virtualBytes(): number {
  if (noStatm() !== false) return 0;
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]) * 4096;
}

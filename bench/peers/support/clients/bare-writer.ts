// Owns the limit of writing: a socket that sends the same Produce request again and again, as large as this client makes them, and only looks
// at the error code of each answer. It appends, copies and checks nothing, so on one connection no client can be faster. Main thread of a
// contender.

import { connect, type Socket } from 'node:net';
import { CopyMemory } from '../../../../src/common/copy-bytes.ts';
import { encodeProduceBody } from '../../../../src/worker/producer/produce-body.ts';
import { ProducerBatch } from '../../../../src/worker/producer/producer-batch.ts';
import type { OnError, Place, Writer, WriteSettings } from '../peer.ts';
import { valuesOf } from '../peer.ts';

const produceKey = 0;
/** The newest one with names of topics and without tagged fields. */
const version = 8;
const underWay = 5;
/** What a batch of this client grows to while others wait: eight times the default of `batchSizeBytes`. */
const batchBytes = 8 * 16_384;
const recordHeadBytes = 32;

export async function replayWriter(place: Place, settings: WriteSettings, onError: OnError): Promise<Writer> {
  const { frame, records } = requestOf(place, settings);
  const replay = new Replay(place, frame, onError);
  return {
    settings: `a Produce request version ${version} of ${place.partitions} batches of ${batchBytes} bytes without sequence numbers, always the same, ${underWay} under way`,
    chunk: records,
    give: () => replay.send(),
    settled: () => replay.settled(),
    close: async () => void replay.socket.destroy(),
  };
}

/** The bytes of the request, and how many records are in it. */
function requestOf(
  { topic, partitions }: Place,
  { valueBytes, acks }: WriteSettings,
): { frame: Buffer; records: number } {
  const values = valuesOf(valueBytes);
  const batches = Array.from({ length: partitions }, (_, index) => fullBatch(index, values));
  const topics = [{ name: topic, topicId: null, batches }];
  const body = Buffer.concat(encodeProduceBody({ transactionalId: null, acks, timeoutMs: 30_000, topics }, version));
  const head = Buffer.alloc(14);
  let to = head.writeInt32BE(head.length - 4 + body.length, 0);
  to = head.writeInt16BE(produceKey, to);
  to = head.writeInt16BE(version, to);
  to = head.writeInt32BE(1, to);
  head.writeInt16BE(-1, to);
  return { frame: Buffer.concat([head, body]), records: batches.reduce((sum, { count }) => sum + count, 0) };
}

function fullBatch(index: number, values: readonly Buffer[]): ProducerBatch {
  const memory = Buffer.alloc(batchBytes);
  // The body needs nothing else of a partition.
  const batch = new ProducerBatch({ index } as ProducerBatch['partition'], memory, 0, 0);
  for (let i = 0; ; i++) {
    const memory = recordOf(values[i % values.length]!);
    if (!batch.append({ timestampMs: Date.now(), memory, from: 0, to: memory.bytes.length })) break;
  }
  batch.close(0, null);
  batch.seal(false);
  return batch;
}

/** From the length of its key on, in wire format: no key, the value, no headers. */
function recordOf(value: Buffer): CopyMemory {
  const bytes = new Uint8Array(recordHeadBytes + value.length);
  bytes[0] = 1;
  let at = 1;
  for (let rest = value.length * 2; ; rest >>>= 7) {
    bytes[at++] = rest > 127 ? (rest & 127) | 128 : rest;
    if (rest <= 127) break;
  }
  bytes.set(value, at);
  return new CopyMemory(bytes.subarray(0, at + value.length + 1));
}

class Replay {
  readonly socket: Socket;
  readonly #frame: Buffer;
  /** Where the error code of the first partition stands in an answer. */
  readonly #errorAt: number;
  readonly #onError: OnError;
  #underWay = 0;
  #received: Buffer = Buffer.alloc(0);
  #failure: Error | null = null;
  #onAnswer: () => void = () => {};

  constructor({ bootstrapServer, topic }: Place, frame: Buffer, onError: OnError) {
    this.#frame = frame;
    this.#errorAt = 4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4;
    this.#onError = onError;
    const colon = bootstrapServer.lastIndexOf(':');
    const [host, port] = [bootstrapServer.slice(0, colon), Number(bootstrapServer.slice(colon + 1))];
    this.socket = connect({ host, port, noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', (error) => this.#failed(error));
    this.socket.on('close', () => this.#failed(new Error('the broker has closed the connection')));
  }

  /** Resolves when another one can be sent. */
  async send(): Promise<void> {
    await this.#until(() => this.#underWay < underWay);
    this.#underWay++;
    this.socket.write(this.#frame);
  }

  settled(): Promise<void> {
    return this.#until(() => this.#underWay === 0);
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
    }
  }

  #take(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const errorCode = bytes.readInt16BE(this.#errorAt);
      if (errorCode !== 0) this.#failed(new Error(`the broker answered Produce with error ${errorCode}`));
      bytes = bytes.subarray(4 + bytes.readInt32BE(0));
      this.#underWay--;
    }
    this.#received = bytes;
    this.#onAnswer();
  }

  #failed(error: Error): void {
    if (this.#failure === null) this.#onError(error);
    this.#failure ??= error;
    this.#onAnswer();
  }
}

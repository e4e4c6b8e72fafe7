// Owns the shortest way from a broker's socket to another thread: read, check the CRC, cut into rows, move. Worker thread. It has nothing
// else of a client, so it shows what the hardware allows.

import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { rowWords, type YardstickFrame, type YardstickJob } from './yardstick.ts';

const headBytes = 61;
const fetchVersion = 4;

const job = workerData as YardstickJob;
const offsets = new Array<number>(job.partitions).fill(0);
const held: number[] = [];
let pending = Buffer.allocUnsafeSlow(job.maxBytes * 2 + 65536);
let length = 0;
let at = 0;

const readBuffer = Buffer.allocUnsafeSlow(1 << 20);
const socket = connect({
  host: job.host,
  port: job.port,
  noDelay: true,
  onread: {
    buffer: readBuffer,
    callback: (byteCount) => {
      if (length + byteCount > pending.length) pending = Buffer.concat([pending], pending.length * 2);
      readBuffer.copy(pending, length, 0, byteCount);
      length += byteCount;
      takeFrames();
      return true;
    },
  },
});
socket.on('connect', () => {
  for (let partition = 0; partition < job.partitions; partition++) ask(partition);
});
parentPort!.on('message', () => {
  while (held.length > 0 && Atomics.load(job.control, 0) < job.limit) ask(held.shift()!);
  if (held.length > 0) Atomics.store(job.control, 1, 1);
});

function ask(partition: number): void {
  const topic = Buffer.from(job.topic);
  const request = Buffer.alloc(60 + topic.length);
  let to = 4;
  to = request.writeInt16BE(1, to);
  to = request.writeInt16BE(fetchVersion, to);
  to = request.writeInt32BE(partition, to);
  to = request.writeInt16BE(-1, to);
  to = request.writeInt32BE(-1, to);
  to = request.writeInt32BE(100, to);
  to = request.writeInt32BE(1, to);
  to = request.writeInt32BE(job.maxBytes, to);
  to = request.writeInt8(0, to);
  to = request.writeInt32BE(1, to);
  to = request.writeInt16BE(topic.length, to);
  to += topic.copy(request, to);
  to = request.writeInt32BE(1, to);
  to = request.writeInt32BE(partition, to);
  to = request.writeBigInt64BE(BigInt(offsets[partition]!), to);
  to = request.writeInt32BE(job.maxBytes, to);
  request.writeInt32BE(to - 4, 0);
  socket.write(request.subarray(0, to));
}

function takeFrames(): void {
  let from = 0;
  while (length - from >= 4) {
    const size = pending.readInt32BE(from);
    if (length - from - 4 < size) break;
    takeFrame(pending, from + 4);
    from += 4 + size;
  }
  if (from > 0) {
    pending.copy(pending, 0, from, length);
    length -= from;
  }
}

function takeFrame(bytes: Buffer, start: number): void {
  const partition = bytes.readInt32BE(start);
  let from = start + 12;
  from += 2 + bytes.readInt16BE(from) + 8;
  const errorCode = bytes.readInt16BE(from);
  if (errorCode !== 0) throw new Error(`the broker answered Fetch with error ${errorCode}`);
  from += 18;
  from += 4 + 16 * Math.max(bytes.readInt32BE(from), 0);
  const end = from + 4 + bytes.readInt32BE(from);
  from += 4;
  const frame = cut(bytes, from, end, partition);
  if (frame === null) {
    ask(partition);
    return;
  }
  if (offsets[partition]! >= job.endOffset) offsets[partition] = 0;
  Atomics.add(job.control, 0, 1);
  parentPort!.postMessage(frame, [frame.buffer]);
  if (Atomics.load(job.control, 0) < job.limit) ask(partition);
  else {
    held.push(partition);
    Atomics.store(job.control, 1, 1);
  }
}

function varint(bytes: Buffer): number {
  let byte = bytes[at++]!;
  let value = byte & 127;
  for (let shift = 7; byte > 127; shift += 7) {
    byte = bytes[at++]!;
    value |= (byte & 127) << shift;
  }
  return (value >>> 1) ^ -(value & 1);
}

/** Makes rows and one block of bytes from the whole batches of a records field. */
function cut(bytes: Buffer, start: number, end: number, partition: number): YardstickFrame | null {
  let count = 0;
  let last = start;
  while (end - last >= headBytes && last + 12 + bytes.readInt32BE(last + 8) <= end) {
    count += bytes.readInt32BE(last + 57);
    last += 12 + bytes.readInt32BE(last + 8);
  }
  if (count === 0) return null;
  const blockOffset = count * rowWords * 4;
  const buffer = new ArrayBuffer(blockOffset + last - start);
  const rows = new Int32Array(buffer, 0, count * rowWords);
  new Uint8Array(buffer).set(bytes.subarray(start, last), blockOffset);
  const shift = blockOffset - start;
  let row = 0;
  for (let batch = start; batch < last; ) {
    const batchEnd = batch + 12 + bytes.readInt32BE(batch + 8);
    if (crc32c(bytes, batch + 21, batchEnd) !== bytes.readUInt32BE(batch + 17)) throw new Error('bad CRC');
    const baseHigh = bytes.readInt32BE(batch);
    const baseLow = bytes.readInt32BE(batch + 4);
    const timeHigh = bytes.readInt32BE(batch + 27);
    const timeLow = bytes.readInt32BE(batch + 31);
    const records = bytes.readInt32BE(batch + 57);
    offsets[partition] = baseHigh * 2 ** 32 + (baseLow >>> 0) + bytes.readInt32BE(batch + 23) + 1;
    at = batch + headBytes;
    for (let i = 0; i < records; i++) {
      const next = varint(bytes) + at;
      at++;
      rows[row + 2] = timeLow + varint(bytes);
      rows[row + 3] = timeHigh;
      rows[row] = baseLow + varint(bytes);
      rows[row + 1] = baseHigh;
      const keyLength = varint(bytes);
      rows[row + 4] = at + shift;
      rows[row + 5] = keyLength;
      if (keyLength > 0) at += keyLength;
      const valueLength = varint(bytes);
      rows[row + 6] = at + shift;
      rows[row + 7] = valueLength;
      if (valueLength > 0) at += valueLength;
      rows[row + 8] = at + shift;
      rows[row + 9] = varint(bytes);
      at = next;
      row += rowWords;
    }
    batch = batchEnd;
  }
  return { buffer, count };
}

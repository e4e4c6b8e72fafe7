// Owns the text form of uuids. Runs on every thread. Must not know where uuids are stored.

/** All bits zero: how Kafka says "no id". */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA';

const scratch = Buffer.alloc(16);

/** The four words hold the 16 bytes, most significant first. */
export function uuidToString(first: number, second: number, third: number, fourth: number): string {
  if ((first | second | third | fourth) === 0) return zeroUuid;
  scratch.writeInt32BE(first, 0);
  scratch.writeInt32BE(second, 4);
  scratch.writeInt32BE(third, 8);
  scratch.writeInt32BE(fourth, 12);
  return scratch.toString('base64url');
}

/** 21 characters carry 126 bits, so the last one carries only two. */
const uuidPattern = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Whether `text` is 16 bytes in base64url without padding. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** The 16 bytes of a text that `isUuid`; valid until the next call. */
export function uuidBytes(text: string): Buffer {
  scratch.write(text, 'base64url');
  return scratch;
}

// Owns the limits of Kafka's int32 and of Node's timers, and numbers of 64 bits in two halves. Every thread.

export const maxInt32 = 2147483647;

/** The longest delay that a timer takes, in ms. Node fires one that is longer at once. */
export const maxTimerMs = maxInt32;

const two32 = 4294967296;

/** The upper 32 bits of a whole number, signed; the lower ones are `value | 0`. */
export function highHalf(value: number): number {
  return Math.floor(value / two32);
}

/** The number with these halves; exact from -2^53 to 2^53. */
export function numberOf(low: number, high: number): number {
  return high * two32 + (low >>> 0);
}

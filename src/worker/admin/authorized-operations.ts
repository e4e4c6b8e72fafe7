// Owns the reading of authorized operations, a bit field that brokers send only if it was requested. Network thread. Source: KIP-430

/** Brokers send this value if the operations were not requested. */
const notRequested = -2147483648;

/** @returns null if they were not requested, also when a broker sends them all the same */
export function operationsOf(bits: number, isRequested: boolean): number | null {
  return isRequested && bits !== notRequested ? bits : null;
}

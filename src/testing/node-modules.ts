// Owns the modules of Node that few clusters need: each is loaded at its first use, so that a cluster starts sooner. Runs in the broker's thread.

export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

export function nodeTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}

/** Bytes that differ each time. They are no secret. */
export function someBytes(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => Math.floor(Math.random() * 256)));
}

// Owns the slow part of SCRAM: the salted password (RFC 5802, Hi: PBKDF2 with one block). Network thread. Node's asynchronous
// function runs in the thread pool of the process, where it may wait behind the application's own work. So a short computation is
// done here at once. A long computation is given to the pool. If the pool is late, it is also done here, in slices.

import { createHmac, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { promisify } from 'node:util';

export interface Salting {
  readonly hash: 'sha256' | 'sha512';
  readonly password: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export type SaltPassword = (salting: Salting) => Promise<Buffer>;

/** Up to this many iterations are done at once, in about 10 ms. The default of brokers is 4096. */
const maxIterationsAtOnce = 8192;
/** One slice takes about 5 ms. */
const iterationsPerSlice = 500;
/** The pool is late after this time. It needs a second for a million iterations. */
const poolLimitMs = 2000;

export const saltPassword: SaltPassword = async (salting) => {
  const { hash, password, salt, iterations } = salting;
  if (iterations <= maxIterationsAtOnce) return pbkdf2Sync(password, salt, iterations, lengths[hash], hash);
  const inPool = saltInPool(salting);
  const isLate = await Promise.race([inPool.then(() => false), unreferencedDelay(poolLimitMs)]);
  // The first result is used. Both are the same.
  return isLate ? Promise.race([inPool, saltInSlices(salting)]) : inPool;
};

const lengths = { sha256: 32, sha512: 64 } as const;
const saltInPool = ({ hash, password, salt, iterations }: Salting): Promise<Buffer> =>
  promisify(pbkdf2)(password, salt, iterations, lengths[hash], hash);

function unreferencedDelay(ms: number): Promise<true> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(true), ms).unref();
  });
}

/** Computes the same result in slices, by the definition in RFC 5802. */
export async function saltInSlices({ hash, password, salt, iterations }: Salting): Promise<Buffer> {
  const key = Buffer.from(password);
  const firstBlock = Buffer.from([0, 0, 0, 1]);
  let last = createHmac(hash, key).update(salt).update(firstBlock).digest();
  const sum = Buffer.from(last);
  for (let done = 1; done < iterations; done++) {
    if (done % iterationsPerSlice === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    last = createHmac(hash, key).update(last).digest();
    for (let i = 0; i < sum.length; i++) sum[i]! ^= last[i]!;
  }
  return sum;
}

/** Remembers the last result. Calls with the same input share a computation that is under way. */
export function keepLast(salt: SaltPassword): SaltPassword {
  let lastKey = '';
  let last: Promise<Buffer> | null = null;
  return (salting) => {
    // The password is not in the key, because it is always the same.
    const key = `${salting.hash},${salting.iterations},${salting.salt.toString('base64')}`;
    if (last === null || key !== lastKey) last = salt(salting);
    lastKey = key;
    const given = last;
    // A failed computation is forgotten.
    given.catch(() => {
      if (last === given) last = null;
    });
    return given;
  };
}

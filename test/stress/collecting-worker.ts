// The network thread's entry, with a collector that a test can call: an idle thread collects only after a long time, and until then
// it keeps the rings of threads that have ended.

import { runInNewContext } from 'node:vm';
import { BroadcastChannel } from 'node:worker_threads';

/** The test has set --expose-gc. */
const collect = runInNewContext('gc') as () => void;
const channel = new BroadcastChannel('collect');
channel.onmessage = () => collect();
channel.unref();
await import('../../src/worker/index.ts');

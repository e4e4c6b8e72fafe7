// The network thread's entry, with random pauses before its atomic operations. SEED, if it is set, decides which.

import { chooseSeed } from '../unit/ring/support/random.ts';
import { installJitter } from './jitter.ts';

installJitter(chooseSeed());
await import('../../src/worker/index.ts');

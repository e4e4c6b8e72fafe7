// Owns one measure of the reference loop in a process of its own, whose engine has seen no other code. Main thread. Prints us.

import { referenceMicroseconds } from './reference-loop.ts';

process.stdout.write(`${referenceMicroseconds()}`);

// Every fuzz target, by the name that `--target` takes.

import type { FuzzTarget } from '../support/target.ts';
import { blocks } from './blocks.ts';
import { client } from './client.ts';
import { flat } from './flat.ts';
import { frames } from './frames.ts';
import { messages } from './messages.ts';
import { records } from './records.ts';
import { ring } from './ring.ts';
import { scram } from './scram.ts';

export const targets: readonly FuzzTarget[] = [messages, flat, records, blocks, frames, ring, scram, client];

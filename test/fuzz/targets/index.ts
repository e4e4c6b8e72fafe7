// Every fuzz target, by the name that `--target` takes.

import type { FuzzTarget } from '../support/target.ts';
import { admin } from './admin.ts';
import { blocks } from './blocks.ts';
import { client } from './client.ts';
import { consumer } from './consumer.ts';
import { flat } from './flat.ts';
import { frames } from './frames.ts';
import { login } from './login.ts';
import { messages } from './messages.ts';
import { producer } from './producer.ts';
import { records } from './records.ts';
import { ring } from './ring.ts';
import { schedule } from './schedule.ts';
import { scram } from './scram.ts';
import { tls } from './tls.ts';

export const targets: readonly FuzzTarget[] = [
  messages,
  flat,
  records,
  blocks,
  frames,
  ring,
  schedule,
  scram,
  login,
  tls,
  client,
  consumer,
  producer,
  admin,
];

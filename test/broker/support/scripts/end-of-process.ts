// A program that leaves its client open and comes to its end: test/broker/process-end.test.ts looks when the process does.

import { Fetch, KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';
import { byName, fetchRequest } from '../requests.ts';
import { hookChannel, type Order } from './thread-hook.ts';

interface Arguments {
  readonly options: KafkaClientOptions;
  readonly how:
    | 'idle'
    | 'callback'
    | 'await'
    | 'poll0'
    | 'poll0-behind'
    | 'poll'
    | 'refresh'
    | 'closed'
    | 'start-only'
    | 'await-ready';
}

const { options, how } = JSON.parse(process.argv[2]!) as Arguments;
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const client = await KafkaClient.start({ ...patient, ...options });
print('started');
const fetchHeld = () => client.send(0, Fetch, fetchRequest('logs'), byName);

switch (how) {
  case 'start-only':
    break;
  case 'idle':
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
    break;
  case 'callback':
    await client.awaitReady(0);
    fetchHeld().addCallback(() => print('answered'));
    break;
  case 'await':
    await client.awaitReady(0);
    await fetchHeld();
    print('answered');
    break;
  case 'poll0':
    await client.awaitReady(0);
    await client.poll(0);
    print('polled');
    break;
  case 'poll0-behind': {
    await client.awaitReady(0);
    const answered = () => client.metricsSnapshot()!.client['request-succeeded-total']!;
    const before = answered();
    const future = client.send(0, Metadata, { topics: [] });
    await client.poll(0);
    while (answered() === before) block(1);
    // The answer is there, not read. The network thread is slow for a while: the next poll reads it, then has to wait.
    const begun = new Int32Array(new SharedArrayBuffer(4));
    const channel = new BroadcastChannel(hookChannel);
    channel.postMessage({ pause: begun } satisfies Order);
    channel.close();
    Atomics.wait(begun, 0, 0);
    await client.poll(0);
    if (!future.isDone) throw new Error('no answer within the block');
    print('polled');
    break;
  }
  case 'poll':
    await client.awaitReady(0);
    fetchHeld();
    print(`polled ${(await client.poll(60_000)).length}`);
    break;
  case 'refresh':
    await client.awaitReady(0);
    await client.refreshMetadata();
    print('refreshed');
    break;
  case 'await-ready':
    await client.awaitReady(-1, { timeoutMs: 60_000 });
    print('ready');
    break;
  case 'closed':
    await client.awaitReady(0);
    await client.close();
    break;
}
print('end of program');

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

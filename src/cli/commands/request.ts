// Owns the command `request`: any API from JSON, and its answer as JSON. Main thread.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { KafkaClient } from '../../index.ts';
import { type Context, jsonText } from '../context.ts';
import { exitCodes, InputError, UsageError } from '../exit-codes.ts';
import { type Declaration, integerFrom } from '../flags.ts';
import { findApi, findApis } from '../records/apis.ts';
import { parseJson } from '../records/json.ts';

interface Flags {
  readonly version?: number | true;
  readonly node?: string;
  readonly list?: boolean;
  readonly pretty?: boolean;
}

export const request: Declaration = {
  name: 'request',
  description: 'send any request, written as JSON, and print the answer as JSON',
  help: `NAME is an API such as Metadata, or its key. JSON is the request; left out or -: it is read from standard input.
Field names are those of Kafka's protocol guide in camelCase. Bytes are written as { "base64": "..." } or
{ "utf8": "..." }. Integers of 64 bits may be numbers.

Examples:
  offthread-kafka request --list
  offthread-kafka request Metadata '{"topics":[{"name":"orders"}]}' --bootstrap-server localhost:9092
  offthread-kafka request FindCoordinator '{"keyType":0,"coordinatorKeys":["g"]}' --version 4 --node 1`,
  uses: ['requests'],
  flags: (command: Command) => {
    command
      .argument('[name]', 'name or key of an API')
      .argument('[json]', 'the request')
      .option('--version <number>', 'version of the API (default: the highest that both have)', integerFrom(0, 32767))
      .option('--node <id>', "broker id, or 'controller' (default: any broker)")
      .option('--list', 'list the APIs that this client knows')
      .option('--pretty', 'indent the answer');
  },
  run: async (context: Context, flags: Flags, [name, json]: readonly (string | undefined)[]) => {
    if (flags.list === true) return list(context);
    if (name === undefined) throw new UsageError('name the API: request NAME JSON (`request --list` shows all)');
    const api = await findApi(context, name);
    const body = await readBody(json);
    const client = await context.client();
    const nodeId = await chooseNode(client, context, flags.node);
    const version = typeof flags.version === 'number' ? { version: flags.version } : {};
    const future = client.send(nodeId, api, body, { ...version, timeoutMs: context.timeoutMs, signal: context.signal });
    const answer = await future;
    context.out.line(jsonText(answer, flags.pretty === true || context.out.isTerminal ? 2 : undefined));
    return exitCodes.success;
  },
};

async function list(context: Context): Promise<number> {
  const rows = [...(await findApis(context)).values()].map(({ key, name, minVersion, maxVersion }) => ({
    key,
    name,
    minVersion,
    maxVersion,
  }));
  await context.rows(
    [
      { key: 'key', title: 'KEY', isNumber: true },
      { key: 'name', title: 'NAME' },
      { key: 'minVersion', title: 'MIN', isNumber: true },
      { key: 'maxVersion', title: 'MAX', isNumber: true },
    ],
    rows.sort((a, b) => a.key - b.key),
  );
  return exitCodes.success;
}

async function readBody(json: string | undefined): Promise<unknown> {
  const isInput = json === undefined || json === '-';
  if (isInput && process.stdin.isTTY) throw new UsageError('give the request as JSON, or write it to standard input');
  const text = isInput ? readFileSync(0, 'utf8') : json;
  const body = withBytes(parseJson(text, isInput ? 'standard input' : 'JSON'));
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new InputError('the request must be a JSON object');
}

/** `{ "base64": "..." }` and `{ "utf8": "..." }` as bytes. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && typeof first![1] === 'string') {
    if (first![0] === 'base64') return Buffer.from(first![1], 'base64');
    if (first![0] === 'utf8') return Buffer.from(first![1], 'utf8');
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, withBytes(inner)]));
}

async function chooseNode(client: KafkaClient, context: Context, node: string | undefined): Promise<number> {
  const cluster = await client.refreshMetadata();
  const brokers = cluster.brokers();
  let nodeId: number | undefined;
  if (node === 'controller') nodeId = cluster.controller?.nodeId;
  else if (node === undefined) nodeId = client.leastLoadedNode() ?? brokers[0]?.nodeId;
  else nodeId = brokers.find((broker) => String(broker.nodeId) === node)?.nodeId;
  if (nodeId === undefined) {
    const known = brokers.map((broker) => broker.nodeId).join(', ');
    throw new UsageError(`there is no node '${node ?? ''}'; known are ${known || 'none'} and controller`);
  }
  await client.awaitReady(nodeId, { timeoutMs: context.timeoutMs, signal: context.signal });
  return nodeId;
}

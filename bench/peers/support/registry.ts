// Owns the list of clients that are measured, and the loading of one. Any thread.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Peer } from './peer.ts';
import { type Library, published } from './published.ts';

/** The name of a peer with this behind it: four threads, each with a client and a member of its own. */
const fourMembers = ', four members';

/** Those that run in a Node process. The first one is compared with all others. */
export const nodePeers = [
  'this client',
  'this client, a Buffer for each value',
  "this client's Fetch and Produce",
  "this client's Fetch, recycled",
  'the build of 2026-11-22',
  '@platformatic/kafka',
  "@platformatic/kafka's Fetch and Produce",
  'kafkajs',
  'kafka-ts',
  'kafka-crab-js',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
  'bare socket',
  'this client, recycled',
  'this client, four threads as one member',
  '@platformatic/kafka, four members',
  'kafkajs, four members',
  'kafka-ts, four members',
  'kafka-crab-js, four members',
  'node-rdkafka, four members',
  '@confluentinc/kafka-javascript, four members',
] as const;
/** Some goals are relative to it. */
export const olderBuild = 'the build of 2026-11-22';
export type NodePeer = (typeof nodePeers)[number];

/** Those that are programs of another language. */
export const otherPeers = ["Kafka's Java client", 'kafka-python'] as const;
export type OtherPeer = (typeof otherPeers)[number];

export type PeerName = NodePeer | OtherPeer;

/** The peers with four members, in the order of `nodePeers`. */
export const withFourMembers: readonly NodePeer[] = nodePeers.filter((name) => name.endsWith(fourMembers));

/** The peer of which one has four members. */
export function aloneOf(name: NodePeer): NodePeer {
  return (name.endsWith(fourMembers) ? name.slice(0, -fourMembers.length) : name) as NodePeer;
}

/** The npm package of a peer. Null: this one's own code. */
export function packageOf(name: NodePeer): string | null {
  if (name.startsWith('this client') || name === 'bare socket' || name === olderBuild) return null;
  return name === "@platformatic/kafka's Fetch and Produce" ? '@platformatic/kafka' : aloneOf(name);
}

export function isNodePeer(name: PeerName): name is NodePeer {
  return (nodePeers as readonly string[]).includes(name);
}

/** Beside the folder with the peers' node_modules. */
export function olderEntry(folder: string): string {
  return join(folder, '..', '..', '.cache', 'older-build', 'build', 'src', 'index.js');
}

async function olderModule(folder: string): Promise<Library> {
  return (await import(pathToFileURL(olderEntry(folder)).href)) as Library;
}

/** Loads nothing but that peer. @param folder with the peers' node_modules */
export async function loadPeer(name: NodePeer, folder: string): Promise<Peer> {
  switch (name) {
    case 'this client':
      return (await import('./clients/ours.ts')).ours(await published(), false);
    case 'this client, recycled':
      return (await import('./clients/ours.ts')).ours(await published(), false, true);
    case 'this client, a Buffer for each value':
      return (await import('./clients/ours.ts')).ours(await published(), true);
    case 'this client, four threads as one member':
      return (await import('./clients/members.ts')).fourThreads(null);
    case '@platformatic/kafka, four members':
    case 'kafkajs, four members':
    case 'kafka-ts, four members':
    case 'kafka-crab-js, four members':
    case 'node-rdkafka, four members':
    case '@confluentinc/kafka-javascript, four members':
      return (await import('./clients/members.ts')).fourThreads(aloneOf(name));
    case "this client's Fetch and Produce":
      return (await import('./clients/our-requests.ts')).ourRequests(await published(), 'this', false);
    case "this client's Fetch, recycled":
      return (await import('./clients/our-requests.ts')).ourRequests(await published(), 'this', true);
    case olderBuild:
      return (await import('./clients/our-requests.ts')).ourRequests(await olderModule(folder), 'older', false);
    case '@platformatic/kafka':
      return (await import('./clients/platformatic.ts')).load(folder);
    case "@platformatic/kafka's Fetch and Produce":
      return (await import('./clients/platformatic-requests.ts')).load(folder);
    case 'kafkajs':
      return (await import('./clients/kafkajs.ts')).load(folder);
    case 'kafka-ts':
      return (await import('./clients/kafka-ts.ts')).load(folder);
    case 'kafka-crab-js':
      return (await import('./clients/kafka-crab.ts')).load(folder);
    case 'node-rdkafka':
    case '@confluentinc/kafka-javascript':
      return (await import('./clients/rdkafka.ts')).load(folder, name);
    case 'bare socket':
      return (await import('./clients/bare-socket.ts')).load();
  }
}

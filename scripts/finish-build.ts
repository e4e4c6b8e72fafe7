// The last step of `npm run build`: makes the content of the package from `dist`.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCluster } from './bundle-cluster.ts';
import { bundlePackage } from './bundle-package.ts';
import { bundleThread, stripGeneratedComments } from './bundle-threads.ts';
import { addAddons } from './native-addon.ts';
import { projectFolder } from './project.ts';
import { pruneDeclarations } from './prune-declarations.ts';

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types?: string }>>;
}

const dist = join(projectFolder, 'dist');
const { exports } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as Manifest;
const entries = Object.values(exports)
  .flatMap((target) => (typeof target === 'string' ? [] : (target.types ?? [])))
  .map((path) => path.replace('./dist/', ''));
await bundleThread(join(dist, 'worker', 'index.js'), join(dist, 'worker', 'single-file.js'), ['piscina']);
const cluster = await bundleCluster(dist);
stripGeneratedComments(dist);
await bundlePackage(dist, {
  entries: {
    index: 'index',
    'entries/metrics': 'entries/metrics',
    'entries/protocol': 'entries/protocol',
    'testing/index': 'testing/index',
    'cli/index': 'cli/index',
  },
  threads: {
    'worker/index': 'worker/index',
    // The network thread looks for the entry of its codec pool beside itself.
    'worker/codec-task': 'worker/requests/codec-task',
  },
  shared: {
    // All that `offthread-kafka --version` needs.
    version: ['common/generated/package-version'],
    // What a command loads first, to start its network thread.
    'new-thread': ['main/thread/new-thread', 'main/thread/compile-cache'],
    common: ['common', 'state', 'ring'],
    messages: ['protocol/flat'],
    // What only `offthread-kafka/protocol` has.
    'data-messages': dataMessages(),
    'metrics-adapters': ['main/metrics'],
    client: ['main'],
    'wire-messages': ['protocol/wire', 'codec'],
  },
  lazy: ['worker/link/producers', 'worker/link/consumers', 'worker/admin/admin-desk', 'worker/telemetry/telemetry'],
  kept: ['worker/single-file.js', ...cluster],
});
pruneDeclarations(dist, entries);
addAddons(dist);

/** Generated modules that belong to no API. */
function dataMessages(): readonly string[] {
  const folder = 'protocol/flat/generated';
  const isData = (name: string): boolean =>
    name.endsWith('.js') &&
    name !== 'apis.js' &&
    !readFileSync(join(dist, folder, name), 'utf8').includes('GeneratedApi');
  return readdirSync(join(dist, folder))
    .filter(isData)
    .map((name) => `${folder}/${name.slice(0, -'.js'.length)}`);
}

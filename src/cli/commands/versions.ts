// Owns the command `versions`: which versions of which APIs each broker has, as kafka-broker-api-versions prints them. Main thread.

import type { Command } from 'commander';
import { packageVersion } from '../../common/generated/package-version.ts';
import type { Context } from '../context.ts';
import { type Declaration, integerFrom } from '../flags.ts';
import { findApis } from '../records/apis.ts';

interface Flags {
  readonly broker?: number;
}

export const versions: Declaration = {
  name: 'versions',
  description: 'show which versions of which APIs the brokers have',
  help: `USABLE is the highest version that this client has, too.

Example:
  offthread-kafka versions --bootstrap-server localhost:9092`,
  uses: ['requests', 'tables'],
  flags: (command: Command) => {
    command.option('--broker <id>', 'only this broker', integerFrom(0));
  },
  run: async (context: Context, flags: Flags) => {
    const client = await context.client();
    const library = await context.library();
    const { brokers } = await client.admin({ timeoutMs: context.timeoutMs }).describeCluster();
    const wanted = brokers.filter(({ nodeId }) => flags.broker === undefined || nodeId === flags.broker);
    if (wanted.length === 0) throw new library.UnknownBrokerIdError(`there is no broker ${flags.broker}`);
    const known = new Map([...(await findApis(context)).values()].map((api) => [api.key, api]));
    // Describing the cluster made the brokers known to the network thread; this makes them known to this one.
    await client.refreshMetadata();
    // A broker refuses an empty name (KIP-511).
    const software = { clientSoftwareName: 'offthread-kafka', clientSoftwareVersion: packageVersion };
    const rows = await Promise.all(
      wanted.map(async ({ nodeId, host, port }) => {
        await client.awaitReady(nodeId, { timeoutMs: context.timeoutMs, signal: context.signal });
        const answer = await client.send(nodeId, library.ApiVersions, software, { signal: context.signal });
        const error = library.errorFor(answer.errorCode);
        if (error !== null) throw error;
        return answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => {
          const api = known.get(apiKey);
          const usable = api === undefined ? -1 : Math.min(maxVersion, api.maxVersion);
          const isUsable = api !== undefined && usable >= Math.max(minVersion, api.minVersion);
          return {
            broker: nodeId,
            address: `${host}:${port}`,
            api: api?.name ?? 'unknown',
            key: apiKey,
            min: minVersion,
            max: maxVersion,
            usable: isUsable ? usable : null,
          };
        });
      }),
    );
    await context.rows(
      [
        { key: 'broker', title: 'BROKER', isNumber: true },
        { key: 'api', title: 'API' },
        { key: 'key', title: 'KEY', isNumber: true },
        { key: 'min', title: 'MIN', isNumber: true },
        { key: 'max', title: 'MAX', isNumber: true },
        { key: 'usable', title: 'USABLE', isNumber: true },
      ],
      rows.flat(),
    );
  },
};

// Owns administration calls about configurations. Network thread. Source: KIP-133, KIP-339, KIP-412, KIP-714, KIP-1142

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { ConfigEntry, ConfigResource, ConfigResourceType } from '../../../common/admin/configs.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import {
  DescribeConfigs,
  IncrementalAlterConfigs,
  ListConfigResources,
} from '../../../protocol/flat/generated/apis.ts';
import type { Destination } from '../../client/broker-requests.ts';
import { broker, type Call, someBroker } from '../call.ts';
import { type Answer, askForItems, type Located } from '../items.ts';
import { codesOf } from '../named-codes.ts';
import { askAnyBroker } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

const types = codesOf<ConfigResourceType>({ topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 });
const operationNumbers = { set: 0, delete: 1, append: 2, subtract: 3 } as const;
/** Kafka's number for the broker's built-in default as the source of a value. */
const defaultConfigSource = 5;

export function describeConfigs(
  call: Call,
  { resources, includeSynonyms, includeDocumentation }: Args<'describeConfigs'>,
): Promise<PlainResults<ConfigResource, readonly ConfigEntry[]>> {
  return askForItems<ConfigResource, readonly ConfigEntry[]>(call, resources, {
    target: 'any',
    isChange: false,
    locate: async (keys) => atOwners(keys, (resource) => resource),
    ask: async (to, keys) => {
      const asked = keys.map((key) => ({ ...numbered(key), configurationKeys: null }));
      const request = { resources: asked, includeSynonyms, includeDocumentation };
      const { response, version } = await call.send(to, DescribeConfigs, request);
      return answersByResource(keys, response.results, (result) => ({
        value: result.configs.map((config) => {
          const isDefault = version === 0 ? config.isDefault : config.configSource === defaultConfigSource;
          const { name, value, readOnly, isSensitive, documentation } = config;
          const synonyms = config.synonyms.map((one) => ({ name: one.name, value: one.value, source: one.source }));
          return {
            name,
            value,
            readOnly,
            isDefault,
            isSensitive,
            source: version === 0 ? -1 : config.configSource,
            synonyms,
            documentation,
          };
        }),
      }));
    },
  });
}

export async function incrementalAlterConfigs(
  call: Call,
  { resources, validateOnly }: Args<'incrementalAlterConfigs'>,
): Promise<PlainResults<ConfigResource, null>> {
  const results = await askForItems<(typeof resources)[number], null>(call, resources, {
    target: 'any',
    isChange: !validateOnly,
    locate: async (keys) => atOwners(keys, ({ resource }) => resource),
    ask: async (to, keys) => {
      const asked = keys.map(({ resource, changes }) => ({
        ...numbered(resource),
        configs: changes.map(({ name, operation, value }) => ({
          name,
          configOperation: operationNumbers[operation],
          value: value ?? null,
        })),
      }));
      const { response } = await call.send(to, IncrementalAlterConfigs, { resources: asked, validateOnly });
      const byResource = new Map(keys.map((key) => [key.resource, key]));
      const answers = answersByResource<ConfigResource, null, ResultView>(
        [...byResource.keys()],
        response.responses,
        () => ({ value: null }),
      );
      return new Map([...answers].map(([resource, answer]) => [byResource.get(resource)!, answer]));
    },
  });
  return results.map(([{ resource }, outcome]) => [resource, outcome] as const);
}

export async function listConfigResources(
  call: Call,
  { types: wanted }: Args<'listConfigResources'>,
): Promise<readonly ConfigResource[]> {
  const isOnlyMetrics = wanted.length === 1 && wanted[0] === 'clientMetrics';
  const request = { resourceTypes: wanted.map(types.code) };
  // Version 0 only lists client metrics.
  const versions = isOnlyMetrics ? {} : { minVersion: 1 };
  const { response } = await askAnyBroker(call, ListConfigResources, request, versions);
  return response.configResources.map(({ resourceType, resourceName }) => ({
    type: types.name(resourceType),
    name: resourceName,
  }));
}

function numbered({ type, name }: ConfigResource): { resourceType: number; resourceName: string } {
  return { resourceType: types.code(type), resourceName: name };
}

/** Sends the resources of a broker to that broker, and all others to any broker. */
function atOwners<K>(keys: readonly K[], resourceOf: (key: K) => ConfigResource): Located<K, never> {
  const groups = new Map<string, { to: Destination; keys: K[] }>();
  for (const key of keys) {
    const { type, name } = resourceOf(key);
    const isOwned = (type === 'broker' || type === 'brokerLogger') && name !== '';
    const to = isOwned ? broker(Number(name)) : someBroker;
    const group = groups.get(String(to.brokerId));
    if (group === undefined) groups.set(String(to.brokerId), { to, keys: [key] });
    else group.keys.push(key);
  }
  return { groups: [...groups.values()] };
}

interface ResultView {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

function answersByResource<K extends ConfigResource, V, R extends ResultView>(
  keys: readonly K[],
  results: Iterable<R>,
  readValue: (result: R) => Answer<V>,
): Map<K, Answer<V>> {
  const byName = new Map(keys.map((key) => [`${types.code(key.type)} ${key.name}`, key]));
  const answers = new Map<K, Answer<V>>();
  for (const result of results) {
    const { errorCode, errorMessage, resourceType, resourceName } = result;
    const key = byName.get(`${resourceType} ${resourceName}`);
    if (key !== undefined) answers.set(key, errorCode === 0 ? readValue(result) : { errorCode, errorMessage });
  }
  return answers;
}

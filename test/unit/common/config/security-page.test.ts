// A client accepts the configurations in docs/security.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';

const page = readFileSync(join(projectFolder, 'docs', 'security.md'), 'utf8');
const blocks = [...page.matchAll(/^```[jt]s\n(.*?)^```$/gms)].map(([, text]) => withoutTypes(text!));
/** In place of what the environment would hold. */
const env = new Proxy({}, { get: (_, name) => `of ${String(name)}` });

/** The only types on the page are those of the configurations. */
function withoutTypes(text: string): string {
  return text.replace(/^import type .*\n/gm, '').replaceAll(': KafkaClientOptions', '');
}

/** Values of the constants in a block of the page; `start` of a client gives the options it was called with. */
function constantsOf(block: string): Record<string, KafkaClientOptions> {
  const names = [...block.matchAll(/^const (\w+) = /gm)].map(([, name]) => name!);
  const body = `${block.replaceAll('await ', '')}\nreturn { ${names.join(', ')} };`;
  const start = (options: object) => options;
  return new Function('process', 'KafkaClient', body)({ env }, { start }) as Record<string, KafkaClientOptions>;
}

test('each configuration is complete and does what its comment says', () => {
  assert.equal(blocks.length, 2);
  const [tls, usual] = blocks.map(constantsOf);
  const all = { mutualTls: tls!.client!, ...usual };
  const shown = Object.entries(all).map(([name, options]) => {
    const { securityProtocol, saslMechanism, sslCertFile } = parseConfig(options);
    return [name, securityProtocol, saslMechanism, sslCertFile !== null];
  });
  assert.deepEqual(shown, [
    ['mutualTls', 'SSL', null, true],
    ['plain', 'SASL_SSL', 'PLAIN', false],
    ['scram', 'SASL_SSL', 'SCRAM-SHA-512', false],
    ['oidc', 'SASL_SSL', 'OAUTHBEARER', false],
    ['kerberos', 'SASL_SSL', 'GSSAPI', false],
    ['client', 'SASL_SSL', 'SCRAM-SHA-512', false],
  ]);
});

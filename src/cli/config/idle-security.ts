// Owns the check that no security setting of a properties file stays unused: a forgotten or misspelt key would mean connections without
// encryption or login. Main thread of the command line. No error may show a value.

import { nearestName } from '../../common/text.ts';
import { UsageError } from '../exit-codes.ts';

const groups = [
  { prefix: 'ssl.', protocols: 'SSL or SASL_SSL', matches: /^(SASL_)?SSL$/, without: 'without encryption' },
  { prefix: 'sasl.', protocols: 'SASL_SSL or SASL_PLAINTEXT', matches: /^SASL_/, without: 'without a login' },
] as const;

/** Settings that restrict nothing by themselves: files of every listener have them. */
const harmless = new Set([
  'ssl.truststore.type',
  'ssl.keystore.type',
  'ssl.protocol',
  'ssl.enabled.protocols',
  'ssl.endpoint.identification.algorithm',
]);

/** Throws UsageError for keys that `protocol` does not use. The error names both. @param keys the given keys that are known */
export function checkProtocol(protocol: string | undefined, keys: Iterable<string>): void {
  const used = protocol?.toUpperCase() ?? 'PLAINTEXT';
  const given = [...keys];
  for (const { prefix, protocols, matches, without } of groups) {
    if (matches.test(used)) continue;
    const idle = given.filter((key) => key.startsWith(prefix) && !harmless.has(key));
    if (idle.length === 0) continue;
    const [is, them] = idle.length === 1 ? ['is', 'it'] : ['are', 'them'];
    throw new UsageError(
      `${idle.join(', ')} ${is} set, but security.protocol is ${protocol === undefined ? 'not, which means PLAINTEXT' : used}: connections would be made ${without}; set security.protocol to ${protocols}, or remove ${them}`,
    );
  }
}

/** Throws UsageError if the unknown key may be a misspelt security setting. @param known all known keys */
export function checkSlip(key: string, known: readonly string[]): void {
  const near = nearestName(key, known, Math.max(2, key.length >> 2));
  // Java has more keys that begin with `sasl.`, about its own login code.
  const isSecurity = /^(ssl|security)\./i.test(key) || (/^sasl\./i.test(key) && near !== undefined);
  if (!isSecurity) return;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new UsageError(
    `the security setting '${key.slice(0, 80)}' is not known, and connections may be less secure without it: correct or remove it${hint}`,
  );
}

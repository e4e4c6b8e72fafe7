// Owns name look-ups that need no thread of the pool: the hosts file, then the name servers, with the search list of resolv.conf.
// Network thread. It knows less than the system's look-up (no mDNS, no LDAP), so it is only used when that one is late. Modules of Node are
// loaded only then: they take some ms of a start.

import { addressFamily } from '../../common/ip-address.ts';

const maxFileBytes = 1024 * 1024;
const queryTimeoutMs = 2000;
const loopback = ['127.0.0.1', '::1'];
/** The system's limits (resolv.conf(5)). */
const maxSearchDomains = 6;

/** Returns every address found, IPv4 first. Empty when no source knows the name. */
export async function lookUpBesidePool(host: string): Promise<readonly string[]> {
  const inHosts = addressesInHosts(textOf(hostsPath()), host);
  if (inHosts.length > 0) return inHosts;
  if (/^(.*\.)?localhost\.?$/i.test(host)) return loopback;
  for (const name of fullNames(textOf('/etc/resolv.conf'), host)) {
    const found = await query(name);
    if (found.length > 0) return found;
  }
  return [];
}

/** The addresses of the name in a hosts file. */
export function addressesInHosts(hosts: string, host: string): string[] {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return addressFamily(address) !== 0 && names.some((name) => name.toLowerCase() === wanted) ? [address] : [];
  });
}

/** The full names that `host` may mean, by the search list of a resolv.conf, in the order in which they are tried. */
export function fullNames(resolvConf: string, host: string): string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)];
  const search = [...resolvConf.matchAll(/^\s*(?:search|domain)\s+(.*)$/gm)].at(-1)?.[1] ?? '';
  const domains = search.split(/\s+/).filter((domain) => domain !== '' && domain !== '.');
  const named = domains.slice(0, maxSearchDomains).map((domain) => `${host}.${domain.replace(/\.$/, '')}`);
  const wantedDots = Number(/^\s*options\s.*\bndots:(\d{1,2})/m.exec(resolvConf)?.[1] ?? 1);
  return host.split('.').length - 1 >= wantedDots ? [host, ...named] : [...named, host];
}

async function query(name: string): Promise<string[]> {
  const { Resolver } = process.getBuiltinModule('node:dns/promises');
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

function hostsPath(): string {
  if (process.platform !== 'win32') return '/etc/hosts';
  return `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`;
}

/** The text of a file. Empty when there is no such file, or when it is too big. */
function textOf(path: string): string {
  const { readFileSync, statSync } = process.getBuiltinModule('node:fs');
  try {
    const status = statSync(path);
    return status.isFile() && status.size <= maxFileBytes ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

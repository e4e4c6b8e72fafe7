// Owns the parsing of `bootstrapServers`. Every thread. Must not resolve names.

import { isIpv6Address } from '../ip-address.ts';

/** One server to start from. */
export interface BootstrapServer {
  readonly host: string;
  readonly port: number;
}

const defaultPort = 9092;

/**
 * Parses a list, or one string with commas, of `host`, `host:port`, `[ipv6]:port` or a bare IPv6 address.
 * A scheme (`SASL_SSL://`) is dropped. Blank entries are skipped. `problems` gets the entries that cannot be parsed.
 * @param key the name of the option, for problems
 */
export function parseBootstrapServers(
  value: unknown,
  problems: string[],
  key = 'bootstrapServers',
): readonly BootstrapServer[] {
  const entries = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(entries) || !entries.every((entry) => typeof entry === 'string')) {
    problems.push(`${key} must be a string or a list of strings such as "broker1:9092"`);
    return [];
  }
  const servers: BootstrapServer[] = [];
  const problemsBefore = problems.length;
  for (const entry of entries) {
    const text = entry.trim();
    if (text === '') continue;
    const server = parseServer(text);
    if (typeof server === 'string') problems.push(`${key}: '${text.slice(0, 120)}' ${server}`);
    else servers.push(Object.freeze(server));
  }
  if (servers.length === 0 && problems.length === problemsBefore) {
    problems.push(`${key} names no server; give at least one "host:port"`);
  }
  return Object.freeze(servers);
}

function parseServer(entry: string): BootstrapServer | string {
  const scheme = entry.lastIndexOf('://');
  const text = scheme === -1 ? entry : entry.slice(scheme + 3);
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end === -1) return "has no closing ']'";
    const rest = text.slice(end + 1);
    if (rest === '') return withPort(text.slice(1, end), String(defaultPort));
    return rest.startsWith(':') ? withPort(text.slice(1, end), rest.slice(1)) : "has text other than ':port' after ']'";
  }
  const colons = text.split(':').length - 1;
  if (colons === 0) return withPort(text, String(defaultPort));
  // Two or more colons without brackets can only be an IPv6 address; its port, if any, would be ambiguous.
  if (colons > 1) {
    return isIpv6Address(text) && !text.includes('%')
      ? withPort(text, String(defaultPort))
      : "has more than one ':' and is not an IPv6 address; write an IPv6 address with a port as '[::1]:9092'";
  }
  const colon = text.indexOf(':');
  return withPort(text.slice(0, colon), text.slice(colon + 1));
}

/** Removes the brackets around an IPv6 address. Brokers and users may write it with or without them. */
export function withoutBrackets(host: string): string {
  const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : '';
  return isIpv6Address(inner) ? inner : host;
}

function withPort(host: string, portText: string): BootstrapServer | string {
  if (host.includes(':') && !isIpv6Address(host)) return `has '${host.slice(0, 60)}', which is not an IPv6 address`;
  if (host === '' || /[\s/@]/.test(host)) return 'has no usable host name';
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port >= 1 && port <= 65535)) return `has port '${portText.slice(0, 20)}'; a port is a number from 1 to 65535`;
  return { host, port };
}

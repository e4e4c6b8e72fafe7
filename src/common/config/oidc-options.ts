// Owns the options of the OIDC token provider and their check. Every thread. Must not send requests.

import { maxInt32 } from '../numbers.ts';

export interface OidcOptions {
  /** The token endpoint of the authorization server. It begins with `https:`; `http:` is allowed for loopback only. */
  readonly tokenEndpointUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The scopes to request, separated by spaces. Default: none. */
  readonly scope?: string | undefined;
  /** More parameters of the request, such as `audience`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** SASL extensions sent with each token, such as `logicalCluster` (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>> | undefined;
  /** Where id and secret are sent: in the Authorization header (RFC 6749, 2.3.1), or in the body. Default `header`. */
  readonly credentialsIn?: 'header' | 'body' | undefined;
  /** Limit of one request to the server, in ms. Default 10000. */
  readonly timeoutMs?: number | undefined;
}

const texts = ['tokenEndpointUrl', 'clientId', 'clientSecret'] as const;
const optional = ['scope', 'parameters', 'extensions', 'credentialsIn', 'timeoutMs'];
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** What is wrong with the options, one text for each problem. No text holds a value. */
export function oidcProblems(key: string, options: unknown): string[] {
  if (typeof options !== 'object' || options === null) return [`${key} must be an object`];
  const given = options as Record<string, unknown>;
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (![...texts, ...optional].includes(name)) problems.push(`${key}: unknown key '${name.slice(0, 80)}'`);
  }
  for (const name of texts) {
    if (typeof given[name] !== 'string' || given[name] === '')
      problems.push(`${key}.${name} must be a string that is not empty`);
  }
  if (typeof given.tokenEndpointUrl === 'string' && given.tokenEndpointUrl !== '') {
    const problem = urlProblem(given.tokenEndpointUrl);
    if (problem !== null) problems.push(`${key}.tokenEndpointUrl ${problem}`);
  }
  if (given.scope !== undefined && typeof given.scope !== 'string') problems.push(`${key}.scope must be a string`);
  for (const name of ['parameters', 'extensions']) {
    if (given[name] !== undefined && !isTextMap(given[name]))
      problems.push(`${key}.${name} must map strings to strings`);
  }
  if (given.credentialsIn !== undefined && given.credentialsIn !== 'header' && given.credentialsIn !== 'body') {
    problems.push(`${key}.credentialsIn must be 'header' or 'body'`);
  }
  const { timeoutMs } = given;
  if (
    timeoutMs !== undefined &&
    !(Number.isInteger(timeoutMs) && (timeoutMs as number) > 0 && (timeoutMs as number) < 2 ** 31)
  ) {
    problems.push(`${key}.timeoutMs must be an integer from 1 to ${maxInt32}`);
  }
  return problems;
}

function urlProblem(text: string): string | null {
  if (!URL.canParse(text)) return 'must be a URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'must not hold credentials';
  if (protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname))) return null;
  return 'must begin with https:, because the secret is sent there';
}

export function isTextMap(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

// Owns the question whether a text is an IP address. Every thread. It asks Node for IPv6 only where there is a colon: Node compiles a large
// expression for that at the first use, which takes 3 ms of a start.

import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 6; 0 for anything else, such as a name. */
export function addressFamily(text: string): 0 | 4 | 6 {
  if (text.includes(':')) return isIPv6(text) ? 6 : 0;
  return isIPv4(text) ? 4 : 0;
}

export function isIpv6Address(text: string): boolean {
  return addressFamily(text) === 6;
}

// Owns the parsing of `proxyUrl`. Every thread. Must not connect, and must not show user and password.

export interface ProxyServer {
  readonly kind: 'socks5' | 'http';
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  /** True: the proxy looks names up. False: this machine does. */
  readonly resolvesNames: boolean;
  /** A text for messages, without user and password. */
  readonly text: string;
}

const schemes: Readonly<
  Record<string, Pick<ProxyServer, 'kind' | 'resolvesNames'> & { readonly defaultPort: number }>
> = {
  'socks5:': { kind: 'socks5', resolvesNames: false, defaultPort: 1080 },
  'socks5h:': { kind: 'socks5', resolvesNames: true, defaultPort: 1080 },
  'http:': { kind: 'http', resolvesNames: true, defaultPort: 80 },
};
/** RFC 1929 has one byte for the length of each. */
const maxLoginBytes = 255;

/** The proxy, or a text that says what is wrong. The text shows nothing of the URL. */
export function parseProxyUrl(url: string): ProxyServer | string {
  if (!URL.canParse(url)) return 'is not a URL such as socks5://user:password@host:1080';
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(url);
  const scheme = schemes[protocol];
  if (scheme === undefined) return `must begin with socks5://, socks5h:// or http://, not ${protocol}//`;
  if (hostname === '') return 'names no host';
  if ((pathname !== '' && pathname !== '/') || search !== '' || hash !== '')
    return 'has text after host and port; leave it out';
  const login = [username, password].map(decoded);
  if (login.includes(undefined))
    return 'has a user or password with a % that is not part of a code such as %40; write % as %25';
  const [user = '', secret = ''] = login;
  if (scheme.kind === 'socks5' && [user, secret].some((text) => Buffer.byteLength(text) > maxLoginBytes)) {
    return `has a user or password of more than ${maxLoginBytes} bytes, which is the limit of SOCKS 5`;
  }
  const hasLogin = username !== '' || password !== '';
  const number = port === '' ? scheme.defaultPort : Number(port);
  return {
    ...scheme,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: number,
    user: hasLogin ? user : null,
    password: hasLogin ? secret : null,
    text: `${protocol}//${hostname}:${number}`,
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

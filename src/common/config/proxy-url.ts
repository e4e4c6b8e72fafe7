// Owns what `proxyUrl` means. Every thread. Must not connect, nor show user and password.

export interface ProxyServer {
  readonly kind: 'socks5' | 'http';
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  /** The proxy looks names up, not this machine. */
  readonly resolvesNames: boolean;
  /** For messages: without user and password. */
  readonly text: string;
}

const schemes: Readonly<
  Record<string, Pick<ProxyServer, 'kind' | 'resolvesNames'> & { readonly defaultPort: number }>
> = {
  'socks5:': { kind: 'socks5', resolvesNames: false, defaultPort: 1080 },
  'socks5h:': { kind: 'socks5', resolvesNames: true, defaultPort: 1080 },
  'http:': { kind: 'http', resolvesNames: true, defaultPort: 80 },
};
/** RFC 1929 has one byte for each length. */
const maxLoginBytes = 255;

/** The proxy, or what is wrong with the URL, in words that show none of it. */
export function parseProxyUrl(url: string): ProxyServer | string {
  if (!URL.canParse(url)) return 'is no URL, such as socks5://user:password@host:1080';
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(url);
  const scheme = schemes[protocol];
  if (scheme === undefined) return `must begin with socks5://, socks5h:// or http://, not ${protocol}//`;
  if (hostname === '') return 'names no host';
  if ((pathname !== '' && pathname !== '/') || search !== '' || hash !== '')
    return 'has something behind host and port';
  const login = [username, password].map(decoded);
  if (login.includes(undefined)) return 'has a user or password with a % that encodes nothing';
  const [user = '', secret = ''] = login;
  if (scheme.kind === 'socks5' && [user, secret].some((text) => Buffer.byteLength(text) > maxLoginBytes)) {
    return `has a user or password of more than ${maxLoginBytes} bytes, which SOCKS 5 cannot carry`;
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

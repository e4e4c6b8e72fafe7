// Owns the parsing of `socketOptions`, and the names of levels and options. Every thread. Must not use a socket. The numbers are
// those of Linux: on other systems only no-delay and keep-alive can be set.

/** Level and option by name (`'SOL_SOCKET'`, `'SO_RCVBUF'`) or number, and a 32-bit value. */
export type SocketOption = readonly [level: string | number, option: string | number, value: number | boolean];

/** A socket option in numbers. */
export interface ResolvedOption {
  readonly level: number;
  readonly option: number;
  readonly value: number;
  /** For messages. */
  readonly name: string;
}

const levels: Readonly<Record<string, number>> = {
  SOL_SOCKET: 1,
  IPPROTO_IP: 0,
  IPPROTO_TCP: 6,
  SOL_TCP: 6,
  IPPROTO_IPV6: 41,
};

const options: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  1: {
    SO_SNDBUF: 7,
    SO_RCVBUF: 8,
    SO_KEEPALIVE: 9,
    SO_PRIORITY: 12,
    SO_RCVLOWAT: 18,
    SO_MARK: 36,
    SO_BUSY_POLL: 46,
    SO_MAX_PACING_RATE: 47,
  },
  0: { IP_TOS: 1, IP_TTL: 2, IP_MTU_DISCOVER: 10, IP_BIND_ADDRESS_NO_PORT: 24 },
  6: {
    TCP_NODELAY: 1,
    TCP_MAXSEG: 2,
    TCP_KEEPIDLE: 4,
    TCP_KEEPINTVL: 5,
    TCP_KEEPCNT: 6,
    TCP_SYNCNT: 7,
    TCP_WINDOW_CLAMP: 10,
    TCP_QUICKACK: 12,
    TCP_USER_TIMEOUT: 18,
    TCP_NOTSENT_LOWAT: 25,
  },
  41: { IPV6_UNICAST_HOPS: 16, IPV6_TCLASS: 67 },
};

const isInt32 = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) === (value as number) >> 0;

/** A frozen copy of the list. Problems name the position in the list. */
export function parseSocketOptions(key: string, given: unknown, problems: string[]): readonly SocketOption[] {
  if (!Array.isArray(given)) {
    problems.push(`${key} must be a list of [level, option, value], such as [['SOL_SOCKET', 'SO_RCVBUF', 65536]]`);
    return [];
  }
  return Object.freeze(given.map((entry: unknown, i) => parseEntry(`${key}[${i}]`, entry, problems)));
}

function parseEntry(place: string, entry: unknown, problems: string[]): SocketOption {
  if (!Array.isArray(entry) || entry.length !== 3) {
    problems.push(`${place} must be a list of three: [level, option, value]`);
    return ['SOL_SOCKET', 'SO_KEEPALIVE', 1];
  }
  const [level, option, value] = entry as [unknown, unknown, unknown];
  const levelNumber = numberOf(level, levels);
  if (levelNumber === undefined) {
    problems.push(`${place}: the level must be a number or one of ${Object.keys(levels).join(', ')}`);
  } else if (numberOf(option, options[levelNumber] ?? {}) === undefined) {
    const known = Object.keys(options[levelNumber] ?? {});
    problems.push(`${place}: the option must be a number${known.length === 0 ? '' : ` or one of ${known.join(', ')}`}`);
  }
  if (typeof value !== 'boolean' && !isInt32(value)) {
    problems.push(`${place}: the value must be a 32-bit integer or a boolean`);
  }
  return Object.freeze([level, option, value]) as SocketOption;
}

function numberOf(given: unknown, names: Readonly<Record<string, number>>): number | undefined {
  if (typeof given === 'string') return Object.hasOwn(names, given) ? names[given] : undefined;
  return isInt32(given) && given >= 0 ? given : undefined;
}

/** The numbers of an option that `parseSocketOptions` has accepted. */
export function resolveOption([level, option, value]: SocketOption): ResolvedOption {
  const levelNumber = numberOf(level, levels)!;
  return {
    level: levelNumber,
    option: numberOf(option, options[levelNumber] ?? {})!,
    value: Number(value),
    name: `${level} ${option}`,
  };
}

export const isNoDelay = ({ level, option }: ResolvedOption): boolean => level === 6 && option === 1;
export const isKeepAlive = ({ level, option }: ResolvedOption): boolean => level === 1 && option === 9;

/** With a proxy, the library of the proxy makes the socket, so most options cannot be set. */
export function checkSocketOptions(config: Record<string, unknown>, problems: string[]): void {
  if (config.proxyUrl === null || problems.length > 0) return;
  const given = (config.socketOptions ?? []) as readonly SocketOption[];
  const isNative = (option: ResolvedOption): boolean => !isNoDelay(option) && !isKeepAlive(option);
  if (
    config.receiveBufferBytes !== null ||
    config.sendBufferBytes !== null ||
    given.map(resolveOption).some(isNative)
  ) {
    problems.push(
      'proxyUrl: through a proxy no socketOptions but no-delay and keep-alive, no receiveBufferBytes and no sendBufferBytes can be set',
    );
  }
}

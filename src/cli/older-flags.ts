// Owns the flags that Kafka's own tools still take under an older name: scripts that have them go on working. Main thread.

type Renamed = Readonly<Record<string, string>>;

const commandFlags: Renamed = {
  '--producer-property': '--command-property',
  '--producer.config': '--command-config',
  '--consumer-property': '--command-property',
  '--consumer.config': '--command-config',
};

/** By command. kafka-console-producer's `--property` is a flag of its own. Source: KIP-1147 */
const olderFlags: Readonly<Record<string, Renamed>> = {
  produce: commandFlags,
  consume: commandFlags,
  bench: { ...commandFlags, '--messages': '--num-records' },
};

/** The arguments with each older name replaced; also in `NAME=VALUE`. Nothing behind `--` is a flag. */
export function withoutOlderFlags(args: readonly string[]): string[] {
  const [command] = args;
  const renamed = Object.hasOwn(olderFlags, command ?? '') ? olderFlags[command!]! : {};
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    if (end >= 0 && i >= end) return arg;
    const at = arg.indexOf('=');
    const name = at < 0 ? arg : arg.slice(0, at);
    return Object.hasOwn(renamed, name) ? `${renamed[name]}${arg.slice(name.length)}` : arg;
  });
}

// Owns how message definitions of a Kafka release become facts, and how these are merged with the known facts. Facts are names, types and
// versions, without descriptions. Must not read or write files.

/** A field as in test/fixtures/messages.json. Only `fields` is read here. The other keys are compared and printed. */
export type FactField = { readonly name: string; readonly type: string; readonly versions: string } & {
  readonly [key: string]: unknown;
};

export type FactMessage = {
  readonly type: string;
  readonly name: string;
  readonly validVersions: string;
  readonly legacyVersions?: string;
  readonly flexibleVersions: string;
  readonly source?: string;
  readonly fields: readonly FactField[];
} & { readonly [key: string]: unknown };

export interface Facts {
  readonly format: number;
  readonly sources: readonly string[];
  readonly messages: readonly FactMessage[];
  readonly legacy: readonly FactMessage[];
  readonly unreleased: readonly FactMessage[];
}

interface CommonStruct {
  readonly name: string;
  readonly versions: string;
  readonly fields: readonly FactField[];
}

type Range = readonly [low: number, high: number];
type Definition = Record<string, unknown>;

const messageKeys = ['apiKey', 'type', 'name', 'validVersions', 'legacyVersions', 'flexibleVersions'];
const laterMessageKeys = ['latestVersionUnstable', 'listeners'];
const fieldKeys = ['name', 'type', 'versions', 'nullableVersions', 'tag', 'taggedVersions', 'flexibleVersions'];
const laterFieldKeys = ['default', 'entityType', 'mapKey', 'ignorable', 'zeroCopy'];
/** Keys that say nothing about the wire format: texts, and a mark for brokers. */
const droppedKeys = ['about', 'deprecatedVersions'];
const integerTypes = ['int8', 'int16', 'uint16', 'int32', 'uint32', 'int64'];

/**
 * The facts after a release: its definitions, with the legacy versions and messages that were known before. A definition that is the same
 * in every version is kept with its source.
 * @param definitions the texts of the release, by file name
 */
export function factsAfter(known: Facts, release: string, definitions: ReadonlyMap<string, string>): Facts {
  const source = `kafka-clients-${release}`;
  const messages: FactMessage[] = [];
  const legacy: FactMessage[] = [...known.legacy];
  const released = new Set<string>();
  for (const [file, text] of definitions) {
    const message = factsOf(parseDefinition(text, file), source);
    if (message === null) continue;
    released.add(message.name);
    const before = known.messages.find(({ name }) => name === message.name);
    const { now, dropped } = before === undefined ? { now: message, dropped: null } : merged(before, message);
    messages.push(now);
    if (dropped !== null) legacy.push(dropped);
  }
  for (const before of known.messages) if (!released.has(before.name)) legacy.push(before);
  const used = new Set([...messages, ...legacy].map((message) => message.source));
  const sources = [...new Set([...known.sources, source])].filter((label) => used.has(label));
  return { format: known.format, sources, messages: sorted(messages), legacy: sorted(legacy), unreleased: [] };
}

/** A line for each message that differs: it is new, it is gone, or its fields differ in some versions. */
export function differences(before: Facts, after: Facts): string[] {
  const lines: string[] = [];
  const old = new Map(before.messages.map((message) => [message.name, message]));
  for (const message of after.messages) {
    const known = old.get(message.name);
    old.delete(message.name);
    if (known === undefined) {
      lines.push(`${message.name}: new, versions ${message.validVersions}`);
    } else if (!isSame(known, message)) {
      lines.push(`${message.name}: versions ${known.validVersions} before, ${message.validVersions} now`);
      lines.push(...fieldDifferences(known, message).map((line) => `  ${line}`));
    }
  }
  for (const name of old.keys()) lines.push(`${name}: gone`);
  return lines;
}

/** The text of the file, with a line for each field. */
export function factsText(facts: Facts): string {
  const sections = (['messages', 'legacy', 'unreleased'] as const).map((name) => {
    const messages = facts[name].map((message) => messageText(message));
    return ` ${JSON.stringify(name)}: [${messages.length === 0 ? '\n' : `\n${messages.join(',\n')}\n`} ]`;
  });
  const head = [
    ` "format": ${facts.format}`,
    ` "sources": [${facts.sources.map((label) => JSON.stringify(label)).join(', ')}]`,
  ];
  return `{\n${[...head, ...sections].join(',\n')}\n}\n`;
}

// --- one definition

function parseDefinition(text: string, file: string): Definition {
  const bare = text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, '$1');
  const definition = JSON.parse(bare) as Definition;
  if (`${definition.name}.json` !== file) throw new Error(`${file} defines ${definition.name}`);
  return definition;
}

/** Null for a message that has no version left. */
function factsOf(definition: Definition, source: string): FactMessage | null {
  if (definition.validVersions === 'none') return null;
  const window = rangeOf(definition.validVersions as string)!;
  const unknown = keysBeside(definition, [
    ...messageKeys,
    ...laterMessageKeys,
    ...droppedKeys,
    'fields',
    'commonStructs',
  ]);
  if (unknown.length > 0) throw new Error(`${definition.name}: unknown keys ${unknown.join(', ')}`);
  const fields = fieldsOf((definition.fields ?? []) as Definition[], window, definition.name as string);
  const all = ((definition.commonStructs ?? []) as Definition[])
    .filter(({ versions }) => meets(rangeOf(versions as string), window))
    .map(({ name, versions, fields: inner }) => ({
      name: name as string,
      versions: versions as string,
      fields: fieldsOf(inner as Definition[], window, `${definition.name}.${name}`),
    }));
  const used = structsUsed(fields, all);
  const commonStructs = all.filter(({ name }) => used.has(name));
  const picked = pick(definition, [...messageKeys, ...laterMessageKeys]);
  if (picked.latestVersionUnstable !== true) delete picked.latestVersionUnstable;
  const made = { ...picked, source, fields, ...(commonStructs.length === 0 ? {} : { commonStructs }) };
  return corrected(made as unknown as FactMessage);
}

/** In version 0 of the header Java leaves out the client id, but its definition does not say that any more. */
function corrected(message: FactMessage): FactMessage {
  if (message.name !== 'RequestHeader') return message;
  const fields = message.fields.map((field) => (field.name === 'ClientId' ? { ...field, ignorable: true } : field));
  return { ...message, fields };
}

function fieldsOf(definitions: readonly Definition[], window: Range, where: string): FactField[] {
  const fields: FactField[] = [];
  for (const definition of definitions) {
    const path = `${where}.${definition.name}`;
    const unknown = keysBeside(definition, [...fieldKeys, ...laterFieldKeys, ...droppedKeys, 'fields']);
    if (unknown.length > 0) throw new Error(`${path}: unknown keys ${unknown.join(', ')}`);
    const versions = (definition.versions ?? definition.taggedVersions) as string;
    if (!meets(rangeOf(versions), window)) continue;
    const type = (definition.type as string).replaceAll(' ', '');
    const field: Definition = { ...pick({ ...definition, versions, type }, [...fieldKeys, ...laterFieldKeys]) };
    if (field.default !== undefined) field.default = defaultText(field.default, type);
    for (const flag of ['mapKey', 'ignorable', 'zeroCopy']) if (field[flag] === false) delete field[flag];
    for (const range of ['nullableVersions', 'taggedVersions']) if (field[range] === 'none') delete field[range];
    if (field.tag !== undefined) field.tag = Number(field.tag);
    if (definition.fields !== undefined) field.fields = fieldsOf(definition.fields as Definition[], window, path);
    fields.push(field as unknown as FactField);
  }
  return fields;
}

function defaultText(value: unknown, type: string): string {
  const text = String(value);
  return integerTypes.includes(type) && text !== 'null' ? BigInt(text.replace(/^-(?=0x)/, '')).toString() : text;
}

function structsUsed(fields: readonly FactField[], structs: readonly CommonStruct[]): Set<string> {
  const used = new Set<string>();
  const waiting = [...fields];
  for (let field = waiting.pop(); field !== undefined; field = waiting.pop()) {
    waiting.push(...((field.fields ?? []) as FactField[]));
    const name = field.type.replace(/^\[\]/, '');
    const struct = structs.find((other) => other.name === name);
    if (struct === undefined || field.fields !== undefined || used.has(name)) continue;
    used.add(name);
    waiting.push(...struct.fields);
  }
  return used;
}

// --- a message known before

/** The new definition, and a definition of the versions that the release has dropped. */
function merged(before: FactMessage, release: FactMessage): { now: FactMessage; dropped: FactMessage | null } {
  const valid = rangeOf(release.validVersions)!;
  const legacy = legacyRange(before, valid);
  const isUnchanged =
    before.validVersions === release.validVersions &&
    before.flexibleVersions === release.flexibleVersions &&
    sameOutside(before, release) &&
    sameLayouts(before, release, valid);
  if (isUnchanged) return { now: before, dropped: null };
  if (legacy === null) return { now: release, dropped: null };
  const legacyVersions = rangeText(legacy);
  const longer = ordered({ ...release, legacyVersions });
  if (sameLayouts(before, longer, legacy)) return { now: longer, dropped: null };
  const { legacyVersions: _, ...rest } = before;
  return { now: release, dropped: { ...rest, validVersions: legacyVersions } as unknown as FactMessage };
}

/** The versions below the release's versions that the known definition describes. */
function legacyRange(before: FactMessage, valid: Range): Range | null {
  const low = rangeOf(before.legacyVersions ?? before.validVersions)![0];
  return low < valid[0] ? [low, valid[0] - 1] : null;
}

function sameOutside(a: FactMessage, b: FactMessage): boolean {
  const outside = (message: FactMessage): string =>
    JSON.stringify([...messageKeys.slice(0, 3), ...laterMessageKeys].map((key) => message[key] ?? null));
  return outside(a) === outside(b);
}

function sameLayouts(a: FactMessage, b: FactMessage, [low, high]: Range): boolean {
  for (let version = low; version <= high; version++) {
    if (layout(a, version).join('\n') !== layout(b, version).join('\n')) return false;
  }
  return true;
}

function isSame(a: FactMessage, b: FactMessage): boolean {
  return messageText({ ...a, source: '' }) === messageText({ ...b, source: '' });
}

function fieldDifferences(before: FactMessage, after: FactMessage): string[] {
  const [low, high] = rangeOf(after.validVersions)!;
  const newestKnown = rangeOf(before.validVersions)![1];
  const versionsOf = new Map<string, number[]>();
  const add = (text: string, version: number): void => {
    versionsOf.set(text, [...(versionsOf.get(text) ?? []), version]);
  };
  for (let version = low; version <= high; version++) {
    // A new version is compared with the newest of those known before.
    const [was, is] = [layout(before, Math.min(version, newestKnown)), layout(after, version)];
    for (const line of is) if (!was.includes(line)) add(`+ ${line.trim()}`, version);
    for (const line of was) if (!is.includes(line)) add(`- ${line.trim()}`, version);
  }
  return [...versionsOf].map(([text, versions]) => `${text} in ${versions.join(', ')}`);
}

/** A line for each field on the wire in this version, in order, with all its properties in this version. */
function layout(message: FactMessage, version: number, fields = message.fields, depth = 0): string[] {
  const structs = (message.commonStructs ?? []) as CommonStruct[];
  return fields.flatMap((field) => {
    if (!isIn(field.versions, version)) return [];
    const { name, type, default: value, entityType, mapKey, ignorable, flexibleVersions } = field;
    const said = {
      nullable: isIn(field.nullableVersions, version),
      tag: isIn(field.taggedVersions, version) ? field.tag : undefined,
      default: value,
      entityType,
      mapKey,
      ignorable,
      flexibleVersions,
    };
    const struct = structs.find((other) => other.name === type.replace(/^\[\]/, ''));
    const inner = (field.fields ?? struct?.fields ?? []) as FactField[];
    const line = `${'  '.repeat(depth)}${name} ${type} ${JSON.stringify(said)}`;
    return [line, ...layout(message, version, inner, depth + 1)];
  });
}

// --- ranges, keys, text

/** Parses `3`, `3+` or `3-5`. Null for none. */
function rangeOf(text: string | undefined): Range | null {
  if (text === undefined || text === 'none') return null;
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  if (match === null) throw new Error(`${JSON.stringify(text)} is not a range of versions`);
  const low = Number(match[1]);
  return [low, match[2] === '+' ? Number.POSITIVE_INFINITY : Number(match[3] ?? low)];
}

function rangeText([low, high]: Range): string {
  return low === high ? `${low}` : `${low}-${high}`;
}

function meets(range: Range | null, window: Range): boolean {
  return range !== null && range[0] <= window[1] && range[1] >= window[0];
}

function isIn(text: unknown, version: number): boolean {
  return meets(rangeOf(text as string | undefined), [version, version]);
}

function keysBeside(definition: Definition, known: readonly string[]): string[] {
  return Object.keys(definition).filter((key) => !known.includes(key));
}

function pick(from: Definition, keys: readonly string[]): Definition {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}

function ordered(message: Definition): FactMessage {
  const { source, fields, commonStructs } = message;
  const rest = commonStructs === undefined ? { source, fields } : { source, fields, commonStructs };
  return { ...pick(message, [...messageKeys, ...laterMessageKeys]), ...rest } as unknown as FactMessage;
}

/** The order is: headers, then requests and responses by API key, then data. */
function sorted(messages: readonly FactMessage[]): FactMessage[] {
  const rank = (message: FactMessage): number => (message.type === 'header' ? 0 : message.type === 'data' ? 2 : 1);
  const key = (message: FactMessage): number => (message.apiKey ?? -1) as number;
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...messages].sort(
    (a, b) => rank(a) - rank(b) || key(a) - key(b) || byText(a.type, b.type) || byText(a.name, b.name),
  );
}

function messageText(message: FactMessage): string {
  const { fields, commonStructs = [], ...head } = message as FactMessage & { commonStructs?: readonly CommonStruct[] };
  const lines = [`  {${flat(head)}, "fields": [`];
  if (commonStructs.length === 0) return closed(lines, fieldLines(fields, 3), 3, ']}').join('\n');
  closed(lines, fieldLines(fields, 3), 3, '], "commonStructs": [');
  for (const [i, { fields: inner, ...struct }] of commonStructs.entries()) {
    lines.push(`   {${flat(struct)}, "fields": [`);
    closed(lines, fieldLines(inner, 4), 4, i + 1 < commonStructs.length ? ']},' : ']}');
  }
  return [...lines, '  ]}'].join('\n');
}

function fieldLines(fields: readonly FactField[], depth: number): string[] {
  const pad = ' '.repeat(depth);
  return fields.flatMap(({ fields: inner, ...field }, i) => {
    const comma = i + 1 < fields.length ? ',' : '';
    if (inner === undefined) return [`${pad}{${flat(field)}}${comma}`];
    return closed(
      [`${pad}{${flat(field)}, "fields": [`],
      fieldLines(inner as FactField[], depth + 1),
      depth + 1,
      `]}${comma}`,
    );
  });
}

/** Joins `lines`, the inner lines and the end. The end of an empty list is on the same line. */
function closed(lines: string[], inner: readonly string[], depth: number, end: string): string[] {
  if (inner.length === 0) lines[lines.length - 1] += end;
  else lines.push(...inner, `${' '.repeat(depth - 1)}${end}`);
  return lines;
}

function flat(values: object): string {
  return Object.entries(values)
    .map(([key, value]) => `${JSON.stringify(key)}: ${Array.isArray(value) ? listText(value) : JSON.stringify(value)}`)
    .join(', ');
}

function listText(list: readonly unknown[]): string {
  return `[${list.map((value) => JSON.stringify(value)).join(', ')}]`;
}

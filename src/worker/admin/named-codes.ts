// Owns enumerations with numbers on the wire and names here. Network thread. A number without a name stays a number, because brokers
// may be newer than this client.

export interface NamedCodes<Name extends string> {
  code(name: Name | number): number;
  name(code: number): Name | number;
}

export function codesOf<Name extends string>(codes: Readonly<Record<Name, number>>): NamedCodes<Name> {
  const names = new Map(Object.entries<number>(codes).map(([name, code]) => [code, name as Name]));
  return {
    code: (name) => (typeof name === 'number' ? name : codes[name]),
    name: (code) => names.get(code) ?? code,
  };
}

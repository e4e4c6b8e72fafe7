// Owns the generated TypeScript types of plain objects and the documentation on them. Development only, runs in the
// generator. Must not know wire or flat layouts.

import type { Code } from './code.ts';
import type { ElementType, Field, Message, PrimitiveName, Struct } from './model.ts';
import { covers, rangeText } from './versions.ts';

const inputTypes: Record<PrimitiveName, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'Int64',
  float64: 'number',
  uuid: 'string',
  string: 'string',
  bytes: 'Uint8Array',
  records: 'RecordsInput',
};

const typeNotes: Record<PrimitiveName, string> = {
  bool: '',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  float64: 'float64',
  uuid: 'uuid, 22 characters of base64url',
  string: '',
  bytes: '',
  records: '',
};

/** One interface for each struct, the root first. */
export function inputInterfaces(code: Code, message: Message, isRequest: boolean): void {
  for (const struct of [...message.structs].reverse()) {
    code.doc(structDoc(message, struct));
    code.block(`export interface ${struct.typeName}`, (body) => {
      for (const field of struct.fields) {
        body.doc(fieldDoc(field, struct));
        const mark = isRequest && field.required ? '' : '?';
        body.line(`readonly ${field.name}${mark}: ${inputType(field)};`);
      }
      if (struct.unknownTagsWord >= 0) {
        body.doc('Tagged fields this client does not know, tags ascending.');
        body.line('readonly unknownTaggedFields?: readonly UnknownTaggedField[];');
      }
    });
    code.line();
  }
}

export function structDoc(message: Message, struct: Struct): string {
  if (struct === message.root) return `${message.doc} Versions ${message.versions.min}-${message.versions.max}.`;
  const presence = covers(struct.presence, message.versions)
    ? ''
    : ` In ${rangeText(struct.presence, message.versions)}.`;
  return `Struct of ${message.name}, ${struct.path}.${presence}`;
}

/** The table's words, then type, versions, nullability and default where they are not obvious. */
export function fieldDoc(field: Field, struct: Struct): string {
  const notes: string[] = [];
  const { type } = field;
  if (type.kind === 'primitive' && typeNotes[type.name] !== '') notes.push(typeNotes[type.name]);
  if (type.kind === 'array' && type.element.kind === 'primitive' && typeNotes[type.element.name] !== '') {
    notes.push(`${typeNotes[type.element.name]} each`);
  }
  if (!covers(field.versions, struct.presence)) notes.push(rangeText(field.versions, struct.presence));
  if (field.nullable !== null && !covers(field.nullable, field.versions)) {
    notes.push(`null in ${rangeText(field.nullable, struct.presence)} only`);
  }
  if (field.default !== undefined) notes.push(`default ${field.default === '' ? 'empty' : field.default}`);
  if (field.ignorable && !covers(field.versions, struct.presence)) notes.push('dropped where the version lacks it');
  return notes.length === 0 ? field.doc : `${field.doc} (${notes.join('; ')})`;
}

function inputType(field: Field): string {
  const { type } = field;
  const base = type.kind === 'array' ? `readonly ${elementType(type.element)}[]` : elementType(type);
  return field.nullable === null ? base : `${base} | null`;
}

function elementType(type: ElementType): string {
  return type.kind === 'struct' ? type.struct.typeName : inputTypes[type.name];
}

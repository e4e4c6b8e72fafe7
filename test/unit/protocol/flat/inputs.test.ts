// The checks of values given in request objects, through the public writers of a few APIs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Long from 'long';
import { InvalidRequestError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import {
  AlterClientQuotas,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DescribeCluster,
  Fetch,
  type FetchRequest,
  ListOffsets,
  Metadata,
  SaslAuthenticate,
} from '../../../../src/protocol/flat/generated/apis.ts';

function write<Request, Response, Data, View>(api: Api<Request, Response, Data, View>, request: unknown): View {
  const memory = new HeapMemory();
  const w = new FlatWriter().reset(memory);
  api.writeRequest(w, request as Request);
  const byteLength = w.finish();
  return api.readRequest(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }));
}

function refused(
  api: Api<never, unknown, never, unknown>,
  request: unknown,
  field: string | undefined,
  text: RegExp,
): void {
  assert.throws(
    () => write(api, request),
    (error) => {
      assert.ok(error instanceof InvalidRequestError, String(error));
      assert.equal(error.field, field);
      assert.equal(error.apiKey, api.key);
      assert.match(error.message, text);
      return true;
    },
  );
}

const fetchPartition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 };

function fetchRequest(partition: object, topic: object = {}): FetchRequest {
  const partitions = [fetchPartition, { ...fetchPartition, ...partition }];
  return { maxWaitMs: 1, minBytes: 1, topics: [{ partitions: [] }, { partitions, ...topic }] };
}

describe('request objects', () => {
  it('name API, path, value and limit of a number out of range', () => {
    const path = 'topics[1].partitions[1].partition';
    const text =
      /^Fetch request, topics\[1\]\.partitions\[1\]\.partition: 2147483648 is not an integer from -2147483648 to 2147483647 \[KAFKA_\w+\]$/;
    refused(Fetch, fetchRequest({ partition: 2147483648 }), path, text);
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', true, null, 1n, {}, []]) {
      refused(Fetch, fetchRequest({ partition: value }), path, /is not an integer from/);
    }
  });

  it('check the range of every integer type', () => {
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    for (const bad of [32768, -32769]) {
      const request = { topics: [{ ...topic, replicationFactor: bad }] };
      refused(CreateTopics, request, 'topics[0].replicationFactor', /is not an integer from -32768 to 32767/);
    }
    for (const bad of [128, -129]) {
      refused(Fetch, { ...fetchRequest({}), isolationLevel: bad }, 'isolationLevel', /from -128 to 127/);
    }
    assert.equal(write(Fetch, { ...fetchRequest({}), isolationLevel: -128 }).isolationLevel, -128);
  });

  it('accept only Long, bigint and safe integers for int64', () => {
    const read = (value: unknown): string =>
      write(Fetch, fetchRequest({ fetchOffset: value }))
        .topics.at(1)
        .partitions.at(1)
        .fetchOffset.toString();
    for (const text of [
      '0',
      '-1',
      '4294967296',
      '-4294967297',
      '9007199254740991',
      '-9007199254740991',
      '2147483648',
    ]) {
      assert.equal(read(Number(text)), text);
      assert.equal(read(BigInt(text)), text);
      assert.equal(read(Long.fromString(text)), text);
      assert.equal(read({ low: Long.fromString(text).low, high: Long.fromString(text).high }), text);
    }
    for (const text of ['9223372036854775807', '-9223372036854775808']) {
      assert.equal(read(BigInt(text)), text);
      assert.equal(read(Long.fromString(text)), text);
    }
    assert.equal(read(Long.fromString('9223372036854775807', true)), '9223372036854775807');
    const path = 'topics[1].partitions[1].fetchOffset';
    const bad = [
      2 ** 53,
      -(2 ** 53),
      0.5,
      2n ** 63n,
      -(2n ** 63n) - 1n,
      Long.MAX_UNSIGNED_VALUE,
      '5',
      null,
      {},
      { low: 0.5, high: 0 },
    ];
    for (const value of bad) refused(Fetch, fetchRequest({ fetchOffset: value }), path, /is not an int64/);
  });

  it('name a missing field', () => {
    refused(
      Fetch,
      { maxWaitMs: 1, minBytes: 1 },
      'topics',
      /^Fetch request, topics: missing, must be an array \[KAFKA_\w+\]$/,
    );
    refused(Fetch, { minBytes: 1, topics: [] }, 'maxWaitMs', /missing, must be an integer/);
    refused(Metadata, {}, 'topics', /missing/);
    for (const value of [undefined, null, 5, 'x', []]) refused(Metadata, value, undefined, /^Metadata request: /);
  });

  it('give missing fields the default of the table', () => {
    const view = write(Fetch, fetchRequest({}));
    assert.equal(view.clusterId, null);
    assert.equal(view.replicaId, -1);
    assert.equal(view.replicaState.replicaEpoch.toString(), '-1');
    assert.equal(view.maxBytes, 2147483647);
    assert.equal(view.rackId, '');
    assert.equal(view.forgottenTopicsData.length, 0);
    assert.equal(view.topics.at(1).topicId, 'AAAAAAAAAAAAAAAAAAAAAA');
    assert.equal(view.topics.at(1).partitions.at(0).highWatermark.toString(), '9223372036854775807');
    assert.deepEqual(view.unknownTaggedFields, []);
    assert.equal(write(Fetch, { ...fetchRequest({}), maxBytes: undefined }).maxBytes, 2147483647);
  });

  it('ignore additions to Object.prototype, but refuse the same names as properties of the request', () => {
    const polluted = Object.prototype as { addedByAnotherPackage?: unknown };
    polluted.addedByAnotherPackage = 'x';
    try {
      assert.equal(write(Fetch, fetchRequest({})).maxBytes, 2147483647);
      const own = { ...fetchRequest({}), addedByAnotherPackage: 1 };
      refused(Fetch, own, 'addedByAnotherPackage', /no such field/);
    } finally {
      delete polluted.addedByAnotherPackage;
    }
  });

  it('refuse unknown fields, and suggest the nearest name', () => {
    refused(Fetch, { ...fetchRequest({}), maxWaitMS: 5 }, 'maxWaitMS', /no such field; did you mean maxWaitMs\?/);
    const path = 'topics[1].partitions[1].fetchOfset';
    refused(Fetch, fetchRequest({ fetchOfset: 5 }), path, /did you mean fetchOffset\?/);
    refused(ApiVersions, { zzzzzzzzz: 1 }, 'zzzzzzzzz', /fields are clientSoftwareName, clientSoftwareVersion/);
    write(ApiVersions, { zzzzzzzzz: undefined });
  });

  it('accept null only in versions that allow it', () => {
    assert.equal(write(Metadata, { topics: null }).topics, null);
    assert.equal(write(Fetch, { ...fetchRequest({}), clusterId: null }).clusterId, null);
    refused(Fetch, { ...fetchRequest({}), rackId: null }, 'rackId', /null is not a string/);
    refused(Fetch, { ...fetchRequest({}), topics: null }, 'topics', /null is not an array/);
    refused(Fetch, fetchRequest({}, { partitions: 'x' }), 'topics[1].partitions', /"x" is not an array/);
    refused(DeleteTopics, { timeoutMs: 1, topicNames: ['a', 5] }, 'topicNames[1]', /5 is not a string/);
    refused(DeleteTopics, { timeoutMs: 1, topics: [null] }, 'topics[0]', /null is not an object/);
  });

  it('accept text of up to 32767 bytes of UTF-8, and refuse ill-formed text', () => {
    const read = (rackId: unknown): string => write(Fetch, { ...fetchRequest({}), rackId }).rackId;
    for (const text of [
      '',
      'a'.repeat(24),
      'a'.repeat(25),
      'é'.repeat(24),
      '日本語🚀',
      'a'.repeat(32767),
      'é'.repeat(16383),
    ]) {
      assert.equal(read(text), text);
    }
    refused(Fetch, { ...fetchRequest({}), rackId: 'a'.repeat(32768) }, 'rackId', /text of 32768 bytes .*limit 32767/);
    refused(Fetch, { ...fetchRequest({}), rackId: 'é'.repeat(16384) }, 'rackId', /text of 32768 bytes .*limit 32767/);
    refused(Fetch, { ...fetchRequest({}), rackId: 'x\ud800y' }, 'rackId', /half a surrogate pair/);
    refused(Fetch, { ...fetchRequest({}), rackId: `${'x'.repeat(100)}\udc00` }, 'rackId', /half a surrogate pair/);
  });

  it('check uuids, bytes, floats, booleans and arrays of primitives', () => {
    const topicId = '_-AzBcDeFgHiJkLmNoPqRw';
    assert.equal(write(Fetch, fetchRequest({}, { topicId })).topics.at(1).topicId, topicId);
    for (const bad of [
      '',
      'abc',
      `${topicId}=`,
      topicId.slice(1),
      '_-AzBcDeFgHiJkLmNoPqRx',
      '+/AzBcDeFgHiJkLmNoPqRw',
      5,
    ]) {
      refused(Fetch, fetchRequest({}, { topicId: bad }), 'topics[1].topicId', /is not a uuid of 22 characters/);
    }
    assert.deepEqual([...write(SaslAuthenticate, { authBytes: new Uint8Array([1, 2]) }).authBytes], [1, 2]);
    refused(SaslAuthenticate, { authBytes: 'ab' }, 'authBytes', /"ab" is not a Uint8Array/);
    refused(SaslAuthenticate, { authBytes: [1] }, 'authBytes', /an array of 1 is not a Uint8Array/);
    refused(
      DescribeCluster,
      { includeClusterAuthorizedOperations: 1 },
      'includeClusterAuthorizedOperations',
      /1 is not true or false/,
    );
    const quota = (value: unknown): object => ({
      entries: [{ entity: [], ops: [{ key: 'k', value, remove: false }] }],
      validateOnly: false,
    });
    assert.equal(write(AlterClientQuotas, quota(0.1)).entries.at(0).ops.at(0).value, 0.1);
    refused(AlterClientQuotas, quota('1'), 'entries[0].ops[0].value', /"1" is not a number/);
    const forgotten = { ...fetchRequest({}), forgottenTopicsData: [{ partitions: [1, 2, 2 ** 31] }] };
    refused(Fetch, forgotten, 'forgottenTopicsData[0].partitions[2]', /2147483648 is not an integer/);
  });

  it('refuse unknown tagged fields that are out of order, too large, or known', () => {
    const data = new Uint8Array([1]);
    const tagged = (fields: unknown): object => ({ ...fetchRequest({}), unknownTaggedFields: fields });
    const view = write(
      Fetch,
      tagged([
        { tag: 300, data },
        { tag: 2147483647, data: new Uint8Array(200) },
      ]),
    );
    assert.deepEqual(
      view.unknownTaggedFields.map(({ tag, data: d }) => [tag, d.length]),
      [
        [300, 1],
        [2147483647, 200],
      ],
    );
    refused(
      Fetch,
      tagged([
        { tag: 5, data },
        { tag: 5, data },
      ]),
      'unknownTaggedFields[1].tag',
      /tags must ascend/,
    );
    refused(Fetch, tagged([{ tag: 1, data }]), 'unknownTaggedFields[0].tag', /1 is the tag of a field known here/);
    for (const tag of [-1, 2 ** 31, 0.5, '7']) {
      refused(Fetch, tagged([{ tag, data }]), 'unknownTaggedFields[0].tag', /is not an integer from 0 to 2147483647/);
    }
    refused(Fetch, tagged([{ tag: 7, data: 'x' }]), 'unknownTaggedFields[0].data', /"x" is not a Uint8Array/);
    refused(Fetch, tagged([null]), 'unknownTaggedFields[0]', /null is not an object/);
    refused(Fetch, tagged('x'), 'unknownTaggedFields', /"x" is not an array/);
  });

  it('accept objects of classes, and values shown by getters', () => {
    class Builder {
      readonly replicaId = -1;
      readonly #topics = [{ name: 't', partitions: [] }];
      get isolationLevel(): number {
        return 1;
      }
      get topics(): object[] {
        return this.#topics;
      }
    }
    const view = write(ListOffsets, new Builder());
    assert.equal(view.isolationLevel, 1);
    assert.equal(view.topics.at(0).name, 't');
  });

  it('print long values in a short form, always in bounded time', () => {
    refused(
      Fetch,
      fetchRequest({ partition: 'x'.repeat(1000) }),
      'topics[1].partitions[1].partition',
      /^.{0,200} \[KAFKA_INVALID_REQUEST\]$/,
    );
    refused(Fetch, fetchRequest({ partition: new Map() }), 'topics[1].partitions[1].partition', /a Map is not/);
    refused(
      Fetch,
      fetchRequest({ partition: Object.create(null) }),
      'topics[1].partitions[1].partition',
      /an object is not/,
    );
    refused(Fetch, fetchRequest({ partition: Long.ONE }), 'topics[1].partitions[1].partition', /Long\(1, 0\) is not/);
  });
});

// Owns the way from a plain response to the view an application gets. Test thread.

import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';

export function responseView<Response, Data>(api: Api<never, Response, Data>, response: Data): Response {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  api.writeResponse(writer, response);
  const byteLength = writer.finish();
  return api.readResponse(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }));
}

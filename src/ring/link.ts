// The door to a link: one direction between two threads, a ring for frames plus a MessagePort for bodies too big for it,
// behind one claim and commit. One thread holds the LinkWriter, another the LinkReader. The port is read with
// receiveMessageOnPort only: nobody may listen on it or post anything else to it.

export { LinkReader } from './link-reader.ts';
export { type LinkLimits, LinkWriter } from './link-writer.ts';

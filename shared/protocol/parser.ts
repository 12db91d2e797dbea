/** The Socket.IO parser of servers and programs: uses the library's fast MessagePack writer. */
import { Packr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

export const parser = createParser(() => {
  const packr = new Packr(OPTIONS);
  return (value) => packr.pack(value);
});

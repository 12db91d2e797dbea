/** The Socket.IO parser of servers and programs: uses the library's fast MessagePack. */
import { Packr, Unpackr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

export const parser = createParser({
  newPack: () => {
    const packr = new Packr(OPTIONS);
    return (value) => packr.pack(value);
  },
  newUnpack: () => {
    const unpackr = new Unpackr(OPTIONS);
    return (bytes) => unpackr.unpack(bytes);
  },
});

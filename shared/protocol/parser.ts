/** The parser of servers and of programs: writes MessagePack with the library's own fast writer. */
import { Packr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

export const parser = createParser(() => {
  const packr = new Packr(OPTIONS);
  return (value) => packr.pack(value);
});

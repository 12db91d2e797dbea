/** Messages on the bus as bytes. What comes from there is read by a schema, as from anywhere outside. */
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { OPTIONS } from '../../shared/protocol/packets.ts';

const packr = new Packr(OPTIONS);

/** @param message plain data and bytes */
export const encodeMessage = (message: unknown): Uint8Array => packr.pack(message);

/** @returns undefined if the bytes are no message of this schema */
export function decodeMessage<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
): v.InferOutput<S> | undefined {
  let message: unknown;
  try {
    message = packr.unpack(bytes);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, message, { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}

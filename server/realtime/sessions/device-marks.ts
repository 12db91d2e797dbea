/**
 * Signed marks by which the server recognises a device in any of its rooms, without any store.
 * They cannot be forged.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const ID = 12;
const MAC = 16;
/** Room names have no spaces, so no resume token of this server passes for a mark. */
const CONTEXT = 'device mark';

/** Issues and verifies device marks. */
export class DeviceMarks {
  /** @param secret signing key, the same after a restart; with it, marks can be forged */
  constructor(private readonly secret: Uint8Array) {}

  /** @returns a new, unique mark */
  issue(): string {
    const id = randomBytes(ID);
    return Buffer.concat([id, this.sign(id)]).toString('base64url');
  }

  /** @returns the device id of a mark; undefined if this server did not issue it */
  read(mark: string): string | undefined {
    const bytes = Buffer.from(mark, 'base64url');
    if (bytes.length !== ID + MAC) return undefined;
    const id = bytes.subarray(0, ID);
    return timingSafeEqual(bytes.subarray(ID), this.sign(id))
      ? id.toString('base64url')
      : undefined;
  }

  private sign(id: Uint8Array): Buffer {
    return createHmac('sha256', this.secret)
      .update(CONTEXT)
      .update('\0')
      .update(id)
      .digest()
      .subarray(0, MAC);
  }
}

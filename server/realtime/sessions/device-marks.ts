/**
 * What a device shows to be known again in any room of this server: signed, so that nothing need be
 * kept and none can be made up.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const ID = 12;
const MAC = 16;
/** Room names have no spaces, so no resume token of this server passes for a mark. */
const CONTEXT = 'device mark';

export class DeviceMarks {
  /** @param secret of this server, the same after a restart; who knows it can make marks */
  constructor(private readonly secret: Uint8Array) {}

  /** A new mark; no two are alike. */
  issue(): string {
    const id = randomBytes(ID);
    return Buffer.concat([id, this.sign(id)]).toString('base64url');
  }

  /** @returns which device has this mark; undefined for what this server has not issued */
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

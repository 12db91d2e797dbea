/**
 * Browsers in which the host has signed in before. They are called by a mark of their own when tokens are tried, so that wrong
 * ones from the same address, which may be that of all visitors, do not hold her up. The mark opens nothing. It is signed, so
 * nothing need be kept.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const ID = 16;
const MAC = 16;

export class KnownDevices {
  /** @param secret of this server, the same after a restart */
  constructor(private readonly secret: Uint8Array) {}

  /** @returns the mark of a new one */
  issue(): string {
    const id = randomBytes(ID);
    return Buffer.concat([id, this.sign(id)]).toString('base64url');
  }

  /** @returns what a browser is called, no address; undefined for a mark that this server has not made */
  identify(mark: string | undefined): string | undefined {
    const bytes = Buffer.from(mark ?? '', 'base64url');
    if (bytes.length !== ID + MAC) return undefined;
    const id = bytes.subarray(0, ID);
    const isOurs = timingSafeEqual(bytes.subarray(ID), this.sign(id));
    return isOurs ? `browser ${id.toString('base64url')}` : undefined;
  }

  private sign(id: Uint8Array): Buffer {
    // No room has such a name, so that no pass of a room is a mark.
    const hmac = createHmac('sha256', this.secret).update('\0host\0');
    return hmac.update(id).digest().subarray(0, MAC);
  }
}

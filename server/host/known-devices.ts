/**
 * Recognises browsers in which the host has signed in before, by a signed cookie. Their login
 * attempts are counted separately, so that wrong tokens from a shared address do not delay the
 * host. The cookie grants no access, and nothing is stored for it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const ID = 16;
const MAC = 16;

/** Issues and verifies the cookies. */
export class KnownDevices {
  /** @param secret of this server; persistent, so that cookies survive a restart */
  constructor(private readonly secret: Uint8Array) {}

  /** Creates a cookie value for a new browser. */
  issue(): string {
    const id = randomBytes(ID);
    return Buffer.concat([id, this.sign(id)]).toString('base64url');
  }

  /** The id of a browser; undefined if the cookie was not issued by this server. */
  identify(mark: string | undefined): string | undefined {
    const bytes = Buffer.from(mark ?? '', 'base64url');
    if (bytes.length !== ID + MAC) return undefined;
    const id = bytes.subarray(0, ID);
    const isOurs = timingSafeEqual(bytes.subarray(ID), this.sign(id));
    return isOurs ? `browser ${id.toString('base64url')}` : undefined;
  }

  private sign(id: Uint8Array): Buffer {
    // No room can have this name, so that a room's resume token is never valid here.
    const hmac = createHmac('sha256', this.secret).update('\0host\0');
    return hmac.update(id).digest().subarray(0, MAC);
  }
}

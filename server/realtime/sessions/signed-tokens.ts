/**
 * Tokens that this server has signed: they need no store, are valid after a restart, and cannot be
 * forged.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const MAC = 16;

/** Signs and verifies tokens of one kind. */
export class SignedTokens {
  /**
   * @param secret signing key, the same after a restart; with it, any token can be forged
   * @param context no token of another context is valid in this one
   * @param length bytes of a token's body
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly context: string,
    private readonly length: number,
  ) {}

  /** @returns a token with this body */
  sign(body: Uint8Array): string {
    return Buffer.concat([body, this.macOf(body)]).toString('base64url');
  }

  /** @returns the body of a token; undefined if this server did not sign it */
  verify(token: string): Buffer | undefined {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== this.length + MAC) return undefined;
    const body = bytes.subarray(0, this.length);
    return timingSafeEqual(bytes.subarray(this.length), this.macOf(body)) ? body : undefined;
  }

  private macOf(body: Uint8Array): Buffer {
    const hmac = createHmac('sha256', this.secret).update(`${this.context}\0`).update(body);
    return hmac.digest().subarray(0, MAC);
  }
}

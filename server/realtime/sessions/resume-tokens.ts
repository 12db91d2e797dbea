/** What a page shows to be the same participant again, even after the server was started anew: signed, so nothing need be kept. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

const NONCE = 12;
const MAC = 16;
const LENGTH = 4 + NONCE + MAC;

export class ResumeTokens {
  /**
   * @param secret of this server, the same after a restart; who knows it can be anybody
   * @param room its name: a pass is good there alone
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly room: string,
  ) {}

  /** A new pass; no two are alike. */
  issue(participant: ParticipantId): string {
    const body = Buffer.alloc(4 + NONCE);
    body.writeUInt32LE(participant);
    randomBytes(NONCE).copy(body, 4);
    return Buffer.concat([body, this.sign(body)]).toString('base64url');
  }

  /** @returns whose pass it is; undefined for what this server has not issued */
  read(pass: string): ParticipantId | undefined {
    const bytes = Buffer.from(pass, 'base64url');
    if (bytes.length !== LENGTH) return undefined;
    const body = bytes.subarray(0, 4 + NONCE);
    return timingSafeEqual(bytes.subarray(4 + NONCE), this.sign(body))
      ? body.readUInt32LE()
      : undefined;
  }

  private sign(body: Uint8Array): Buffer {
    return createHmac('sha256', this.secret)
      .update(this.room)
      .update('\0')
      .update(body)
      .digest()
      .subarray(0, MAC);
  }
}

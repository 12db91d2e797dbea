/**
 * Signed tokens with which a page resumes its participant, also after a restart, without any
 * store.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

const NONCE = 12;
const MAC = 16;
const LENGTH = 4 + NONCE + MAC;

/** Issues and verifies the resume tokens of one room. */
export class ResumeTokens {
  /**
   * @param secret signing key, the same after a restart; with it, any token can be forged
   * @param room name of the only room where the tokens are valid
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly room: string,
  ) {}

  /** @returns a new, unique token */
  issue(participant: ParticipantId): string {
    const body = Buffer.alloc(4 + NONCE);
    body.writeUInt32LE(participant);
    randomBytes(NONCE).copy(body, 4);
    return Buffer.concat([body, this.sign(body)]).toString('base64url');
  }

  /** @returns the participant of a token; undefined if this server did not issue it */
  read(token: string): ParticipantId | undefined {
    const bytes = Buffer.from(token, 'base64url');
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

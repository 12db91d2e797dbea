/** Tokens with which a page resumes its participant, also after a restart. */
import { randomBytes } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { SignedTokens } from './signed-tokens.ts';

const NONCE = 12;

/** Issues and verifies the resume tokens of one room. */
export class ResumeTokens {
  private readonly tokens: SignedTokens;

  /**
   * @param secret see SignedTokens
   * @param room name of the only room where the tokens are valid
   */
  constructor(secret: Uint8Array, room: string) {
    this.tokens = new SignedTokens(secret, room, 4 + NONCE);
  }

  /** @returns a new, unique token */
  issue(participant: ParticipantId): string {
    const id = Buffer.alloc(4);
    id.writeUInt32LE(participant);
    return this.tokens.sign(Buffer.concat([id, randomBytes(NONCE)]));
  }

  /** @returns the participant of a token; undefined if this server did not issue it */
  read(token: string): ParticipantId | undefined {
    return this.tokens.verify(token)?.readUInt32LE();
  }
}

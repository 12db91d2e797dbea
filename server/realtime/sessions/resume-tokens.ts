/**
 * Tokens with which a page resumes its participant, or its place in line, also after a restart and at
 * another server.
 */
import { randomBytes } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { SignedTokens } from './signed-tokens.ts';

const NONCE = 12;
const SINCE = { at: 4, bytes: 6 };

/** What a token says. */
export interface ResumeToken {
  /** 0: it has none yet. */
  readonly participant: ParticipantId;
  /** Since when it has a place in line, ms since the epoch; 0: it has none. */
  readonly since: number;
}

/** Issues and verifies the resume tokens of one room. */
export class ResumeTokens {
  private readonly tokens: SignedTokens;

  /**
   * @param secret see SignedTokens
   * @param room name of the only room where the tokens are valid
   */
  constructor(secret: Uint8Array, room: string) {
    this.tokens = new SignedTokens(secret, room, SINCE.at + SINCE.bytes + NONCE);
  }

  /** @returns a new, unique token */
  issue({ participant, since }: ResumeToken): string {
    const said = Buffer.alloc(SINCE.at + SINCE.bytes);
    said.writeUInt32LE(participant);
    said.writeUIntLE(since, SINCE.at, SINCE.bytes);
    return this.tokens.sign(Buffer.concat([said, randomBytes(NONCE)]));
  }

  /** @returns undefined if this server did not issue the token */
  read(token: string): ResumeToken | undefined {
    const said = this.tokens.verify(token);
    return (
      said && { participant: said.readUInt32LE(), since: said.readUIntLE(SINCE.at, SINCE.bytes) }
    );
  }
}

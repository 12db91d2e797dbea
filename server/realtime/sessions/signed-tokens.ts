/**
 * Signed tokens, which clients keep and the server does not store. The signature proves that the
 * server issued the token.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

const MAC = 16;

/** Signs and verifies tokens of one type. */
class SignedTokens {
  /**
   * @param secret signing key, the same after each restart
   * @param context name of the type of token, which is included in the signature
   * @param length length of a token's body, in bytes
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly context: string,
    private readonly length: number,
  ) {}

  protected sign(body: Uint8Array): string {
    return Buffer.concat([body, this.macOf(body)]).toString('base64url');
  }

  /** Returns the body of a token; undefined if the token is invalid. */
  protected verify(token: string): Buffer | undefined {
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

const NONCE = 12;
const SINCE = { at: 4, bytes: 6 };

export interface ResumeToken {
  /** Id of the participant whose seat the token resumes; 0 if there is no participant yet. */
  readonly participant: ParticipantId;
  /** When the client joined the queue, in ms since the epoch; 0 if it did not join the queue. */
  readonly since: number;
}

/**
 * Issues and verifies the resume tokens of one room. With such a token, a client that has lost its
 * connection gets back its seat in the room.
 */
export class ResumeTokens extends SignedTokens {
  /**
   * @param secret see `SignedTokens`
   * @param room name of the room in which the tokens are valid
   */
  constructor(secret: Uint8Array, room: string) {
    super(secret, room, SINCE.at + SINCE.bytes + NONCE);
  }

  issue({ participant, since }: ResumeToken): string {
    const said = Buffer.alloc(SINCE.at + SINCE.bytes);
    said.writeUInt32LE(participant);
    said.writeUIntLE(since, SINCE.at, SINCE.bytes);
    return this.sign(Buffer.concat([said, randomBytes(NONCE)]));
  }

  /** Returns the content of a token; undefined if the token is invalid. */
  read(token: string): ResumeToken | undefined {
    const said = this.verify(token);
    return (
      said && { participant: said.readUInt32LE(), since: said.readUIntLE(SINCE.at, SINCE.bytes) }
    );
  }
}

const ID = 12;

/** Issues and verifies device marks, by which the server recognises browsers. */
export class DeviceMarks extends SignedTokens {
  /** @param secret signing key, see `SignedTokens` */
  constructor(secret: Uint8Array) {
    // The context of a resume token is the name of a room, which contains no space. The context
    // 'device mark' contains a space, so it differs from all rooms' names. No resume token is
    // therefore valid as a device mark.
    super(secret, 'device mark', ID);
  }

  issue(): string {
    return this.sign(randomBytes(ID));
  }

  /** Returns the device id in a mark; undefined if the mark was not issued by this server. */
  read(mark: string): string | undefined {
    return this.verify(mark)?.toString('base64url');
  }
}

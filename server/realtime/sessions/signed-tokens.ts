/**
 * Tokens that are signed by this server. They cannot be forged, need not be stored, and remain
 * valid after a restart.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ParticipantId } from '../../../shared/vocabulary.ts';

const MAC = 16;

/** Signs and verifies tokens of one type. */
class SignedTokens {
  /**
   * @param secret signing key, which must be the same after a restart. Anyone who knows the key can
   *   forge tokens
   * @param context name of the tokens' type. A token is valid only in the context in which it was
   *   signed
   * @param length length of a token's body, in bytes
   */
  constructor(
    private readonly secret: Uint8Array,
    private readonly context: string,
    private readonly length: number,
  ) {}

  /** Returns a signed token that contains the body. */
  protected sign(body: Uint8Array): string {
    return Buffer.concat([body, this.macOf(body)]).toString('base64url');
  }

  /** Returns the body of a token; undefined if this server did not sign the token. */
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

/** Content of a resume token. */
export interface ResumeToken {
  /** Id of the participant who may resume a seat; 0 if the token belongs to no participant yet. */
  readonly participant: ParticipantId;
  /**
   * When the client joined the queue, in ms since the epoch; 0 if the token belongs to no
   * position in the queue.
   */
  readonly since: number;
}

/** Issues and verifies the tokens with which clients resume their seats in one room. */
export class ResumeTokens extends SignedTokens {
  /**
   * @param secret see SignedTokens
   * @param room name of the only room where the tokens are valid
   */
  constructor(secret: Uint8Array, room: string) {
    super(secret, room, SINCE.at + SINCE.bytes + NONCE);
  }

  /** Returns a new, unique token. */
  issue({ participant, since }: ResumeToken): string {
    const said = Buffer.alloc(SINCE.at + SINCE.bytes);
    said.writeUInt32LE(participant);
    said.writeUIntLE(since, SINCE.at, SINCE.bytes);
    return this.sign(Buffer.concat([said, randomBytes(NONCE)]));
  }

  /** Verifies a token and returns its content; undefined if this server did not issue the token. */
  read(token: string): ResumeToken | undefined {
    const said = this.verify(token);
    return (
      said && { participant: said.readUInt32LE(), since: said.readUIntLE(SINCE.at, SINCE.bytes) }
    );
  }
}

const ID = 12;

/** Issues and verifies device marks, by which the server recognises a browser. */
export class DeviceMarks extends SignedTokens {
  /** @param secret signing key, see `SignedTokens` */
  constructor(secret: Uint8Array) {
    // The contexts of resume tokens are room names, which never contain a space. Therefore, a
    // resume token is never valid as a device mark.
    super(secret, 'device mark', ID);
  }

  /** Returns a new, unique mark. */
  issue(): string {
    return this.sign(randomBytes(ID));
  }

  /** Returns the device id in a mark; undefined if this server did not issue the mark. */
  read(mark: string): string | undefined {
    return this.verify(mark)?.toString('base64url');
  }
}

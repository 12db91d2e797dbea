/** Marks by which the server recognises a device in any of its rooms. */
import { randomBytes } from 'node:crypto';
import { SignedTokens } from './signed-tokens.ts';

const ID = 12;

/** Issues and verifies device marks. */
export class DeviceMarks {
  private readonly tokens: SignedTokens;

  /** @param secret see SignedTokens */
  constructor(secret: Uint8Array) {
    // Room names have no spaces, so no resume token of this server passes for a mark.
    this.tokens = new SignedTokens(secret, 'device mark', ID);
  }

  /** @returns a new, unique mark */
  issue(): string {
    return this.tokens.sign(randomBytes(ID));
  }

  /** @returns the device id of a mark; undefined if this server did not issue it */
  read(mark: string): string | undefined {
    return this.tokens.verify(mark)?.toString('base64url');
  }
}

/** Pictures of films, as they are sent. */
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Response } from 'express';
import { sendFrame } from '../../../server/host/film-frames.ts';
import { afterTest, suiteFolder } from '../../support/closing.ts';
import { testNeeding } from '../../support/needs.ts';

const picture = join(suiteFolder(), 'picture');
writeFileSync(picture, Buffer.alloc(300_000, 1));

/** A response whose client does not read. */
class Unread extends Writable {
  /** The first bytes that are sent. */
  readonly first: Promise<Buffer>;
  private tell!: (bytes: Buffer) => void;

  constructor() {
    super({ highWaterMark: 1 });
    this.first = new Promise((tell) => {
      this.tell = tell;
    });
    afterTest(() => this.destroy());
  }

  set(): this {
    return this;
  }

  type(): this {
    return this;
  }

  override _write(bytes: Buffer): void {
    this.tell(bytes);
  }
}

function isOpen(file: string): boolean {
  return readdirSync('/proc/self/fd').some((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === file;
    } catch {
      // It was that of this search.
      return false;
    }
  });
}

testNeeding('Linux', process.platform === 'linux')(
  'clients that do not read a picture hold no file open, and share its bytes',
  async () => {
    const clients = [new Unread(), new Unread()];
    for (const client of clients) sendFrame(picture, client as unknown as Response);
    const [one, other] = await Promise.all(clients.map(({ first }) => first));
    expect(one).toHaveLength(300_000);
    expect(other).toBe(one);
    expect(isOpen(picture)).toBe(false);
  },
);

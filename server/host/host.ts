/** The host's side of the server, put together: token, sessions, calls. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Request, Router } from 'express';
import { ALWAYS_OPEN } from '../../shared/host/settings.ts';
import { createHostApi } from './api.ts';
import type { Desk } from './desk.ts';
import { moderationCalls } from './moderation.ts';
import { roomCalls, stateOf } from './roomCalls.ts';
import { Sessions } from './sessions.ts';
import { snapshotCalls } from './snapshotCalls.ts';
import { HostToken } from './token.ts';
import { Tries } from './tries.ts';

export interface HostOptions {
  readonly desk: Omit<Desk, 'version' | 'since'>;
  /** Makes a new token in any case. */
  readonly newToken: boolean;
  readonly secret: Uint8Array;
  /** What the address of a request is called. */
  readonly addressOf: (request: Request) => string;
}

export interface Host {
  readonly router: Router;
  /** The token, where it was made just now: to be shown once. */
  readonly freshToken: string | undefined;
}

/** @throws StoreError */
export async function openHost({
  desk: given,
  newToken,
  secret,
  addressOf,
}: HostOptions): Promise<Host> {
  const { clock, date, log } = given;
  const desk: Desk = { ...given, since: date(), version: versionOfServer() };
  const token = await HostToken.open(desk.store, newToken, date);
  const router = createHostApi({
    ...{ token, clock, date, log, addressOf },
    sessions: new Sessions(() => clock.now()),
    tries: new Tries(),
    cookie: `vivarium-host-${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`,
    handlers: {
      state: () => stateOf(desk, { dim: false, schedule: ALWAYS_OPEN, next: null, jobs: [] }),
      ...roomCalls(desk),
      ...moderationCalls(desk),
      ...snapshotCalls(desk),
    },
    files: {},
  });
  return { router, freshToken: token.fresh };
}

function versionOfServer(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

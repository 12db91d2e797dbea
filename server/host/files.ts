/** What the host fetches as a file, or is shown as a picture. */
import type { Request } from 'express';
import * as v from 'valibot';
import { FILES, signQuery } from '../../shared/host/calls.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { packBottle } from '../replay/bottle.ts';
import type { When } from '../replay/options.ts';
import { png } from '../replay/pictures.ts';
import { readStretch } from '../replay/source.ts';
import { StoreError } from '../store/errors.ts';
import type { FileHandler } from './api.ts';
import type { Desk } from './desk.ts';
import type { Films } from './films.ts';
import { drawSign } from './sign.ts';
import { type Counter, csvOf } from './statistics.ts';

const HOUR = 3_600_000;

const tick = v.optional(
  v.pipe(v.string(), v.regex(/^\d{1,12}$/, 'a tick is a number'), v.transform(Number)),
);
const stretchQuery = v.object({ from: tick, to: tick });
const statisticsQuery = v.object({ by: v.optional(v.picklist(['hour', 'day']), 'day') });

/** @throws HostRefusal bad-call */
function queryOf<T>(schema: v.GenericSchema<unknown, T>, { query }: Request): T {
  const result = v.safeParse(schema, query, { abortEarly: true });
  if (result.success) return result.output;
  throw new HostRefusal('bad-call', result.issues[0].message);
}

/** What is not kept, or not whole, in the host's words. */
function asRefusal(error: unknown): never {
  if (!(error instanceof StoreError)) throw error;
  throw new HostRefusal(error.reason === 'not-kept' ? 'no-such-time' : 'failed', error.message);
}

export function files(
  desk: Desk,
  { films, counter }: { readonly films: Films; readonly counter: Counter },
): Readonly<Record<string, FileHandler>> {
  const { rooms, kept, date, addresses, defaultRoom } = desk;
  const roomOf = ({ params }: Request): string => rooms.plan(`${params.room}`).name;
  return {
    [FILES.picture]: async (request, response) => {
      const { room } = rooms.live(roomOf(request));
      response.type('png').send(await png(room.ground.planes));
    },
    [FILES.snapshotPicture]: async (request, response) => {
      if (!kept) throw new HostRefusal('not-kept');
      const room = roomOf(request);
      const { planes } = await kept.store
        .stateAt(room, Number(request.params.tick))
        .catch((error: unknown) => {
          if (error instanceof StoreError) throw new HostRefusal('no-such-snapshot', error.message);
          throw error;
        });
      response.type('png').send(await png(planes));
    },
    [FILES.bottle]: async (request, response) => {
      if (!kept) throw new HostRefusal('not-kept');
      const room = roomOf(request);
      const { from, to } = queryOf(stretchQuery, request);
      const since: When = from === undefined ? { time: date() - HOUR } : { tick: from };
      const until = to === undefined ? undefined : { tick: to };
      await kept.chronicle.settled();
      const stretch = await readStretch(kept.store, room, { from: since, to: until }).catch(
        asRefusal,
      );
      response.attachment(`${room}-${stretch.from}-${stretch.to}.bottle`);
      response.type('application/octet-stream').send(await packBottle(stretch));
    },
    [FILES.job]: (request, response) => {
      const { path, name } = films.file(`${request.params.job}`);
      // `?show`: in the page, not as a download.
      if (request.query.show === undefined) response.attachment(name);
      response.sendFile(path);
    },
    [FILES.statistics]: async (request, response) => {
      const room = roomOf(request);
      const { by } = queryOf(statisticsQuery, request);
      response.attachment(`${room}-${by}s.csv`).type('text/csv');
      response.send(csvOf(await counter.of(room), by));
    },
    [FILES.sign]: (request, response) => {
      const room = roomOf(request);
      const { paper, language, address } = queryOf(signQuery, request);
      const known = addresses();
      if (address !== undefined && !known.includes(address)) {
        throw new HostRefusal('bad-call', 'address: none of this server');
      }
      const origin = address ?? known[0] ?? `http://${request.get('host') ?? 'localhost'}`;
      const url = room === defaultRoom ? origin : `${origin}/r/${room}`;
      if (request.query.download !== undefined) {
        response.attachment(`${room}-${paper}-${language}.svg`);
      }
      response.type('image/svg+xml').send(drawSign({ paper, language, url }));
    },
  };
}

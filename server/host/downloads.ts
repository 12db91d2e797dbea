/** Files and pictures for the host's page. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Request, Response } from 'express';
import * as v from 'valibot';
import type { Planes } from '../../shared/codec/chunks.ts';
import { FILES, signQuery } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { pause } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { packBundle, readRange, type When } from '../replay/journal-range.ts';
import { png } from '../replay/pictures.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import { StoreError } from '../storage/records.ts';
import type { FileHandler } from './api.ts';
import type { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';
import { drawSign, growCreatures, paintCreatures, type SignCreature } from './printed-sign.ts';
import { csvOf, type VisitCounter } from './visit-statistics.ts';

/** The longest that a sign waits for its creatures, ms. */
const GROWING = 4_000;
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

/** Converts a StoreError to a HostRefusal. */
function asRefusal(error: unknown): never {
  if (!(error instanceof StoreError)) throw error;
  throw new HostRefusal(error.reason === 'not-kept' ? 'no-such-time' : 'failed', error.message);
}

/** Streams a file; closes its descriptor with the connection even if it was not read to the end. */
async function stream(path: string, request: Request, response: Response): Promise<void> {
  const { size } = await stat(path);
  const { socket } = request;
  if (socket.destroyed) return;
  const file = createReadStream(path);
  const close = () => file.destroy();
  socket.once('close', close);
  file.once('close', () => socket.off('close', close));
  file.once('error', () => socket.destroy());
  response.type(extname(path)).set('Content-Length', `${size}`);
  file.pipe(response);
}

/** The handlers of all files, by path. */
export function files(
  context: HostContext,
  { films, counter }: { readonly films: FilmJobs; readonly counter: VisitCounter },
): Readonly<Record<string, FileHandler>> {
  const { rooms, storage, clock, date, addresses, checkpoints } = context;
  const roomOf = ({ params }: Request): string => rooms.planOf(`${params.room}`).name;
  /** What has been painted once, for other papers and languages. */
  const painted = new WeakMap<LoadedCheckpoint, Promise<readonly SignCreature[]>>();
  const creaturesOf = (checkpoint: LoadedCheckpoint): Promise<readonly SignCreature[]> =>
    getOrAdd(painted, checkpoint, async () => {
      // Nothing grows while no room is awake.
      const none = pause(clock, GROWING).then(() => []);
      let creatures: readonly SignCreature[] = [];
      let isPainted = false;
      try {
        creatures = await Promise.race([growCreatures(checkpoint), none]);
        creatures = await paintCreatures(creatures, checkpoint, clock);
        isPainted = creatures.length > 0;
      } catch (error) {
        // The sign itself needs no pictures.
        context.log.warn('sign-not-painted', (error as Error).message);
      }
      if (!isPainted) painted.delete(checkpoint);
      return creatures;
    });
  /** @throws HostRefusal no-such-snapshot */
  const planesAt = async (room: string, tick: number): Promise<Planes> => {
    if (!storage) throw new HostRefusal('not-kept');
    const state = await storage.store.stateAt(room, tick).catch((error: unknown) => {
      if (error instanceof StoreError) throw new HostRefusal('no-such-snapshot', error.message);
      throw error;
    });
    return state.planes;
  };
  const lastPlanes = async (room: string): Promise<Planes> => {
    const [tick = 0] = (await storage?.store.snapshotTicks(room)) ?? [];
    return planesAt(room, tick);
  };
  return {
    [FILES.picture]: async (request, response) => {
      const name = roomOf(request);
      // A closed room is shown as it was last.
      const room = rooms.planOf(name).open
        ? rooms.requireOpen(name).room
        : context.world.rooms.get(name);
      response.type('png').send(await png(room?.grid.planes ?? (await lastPlanes(name))));
    },
    [FILES.snapshotPicture]: async (request, response) => {
      const planes = await planesAt(roomOf(request), Number(request.params.tick));
      response.type('png').send(await png(planes));
    },
    [FILES.replayBundle]: async (request, response) => {
      if (!storage) throw new HostRefusal('not-kept');
      const room = roomOf(request);
      const { from, to } = queryOf(stretchQuery, request);
      const since: When = from === undefined ? { time: date() - HOUR } : { tick: from };
      const until = to === undefined ? undefined : { tick: to };
      await storage.journalWriter.flushed();
      const range = await readRange(storage.store, room, { from: since, to: until }).catch(
        asRefusal,
      );
      response.attachment(`${room}-${range.from}-${range.to}.bundle`);
      response.type('application/octet-stream').send(await packBundle(range));
    },
    [FILES.job]: (request, response) => {
      const { path, name } = films.file(`${request.params.job}`);
      // `?show`: in the page, not as a download.
      if (request.query.show === undefined) response.attachment(name);
      return stream(path, request, response);
    },
    [FILES.statistics]: async (request, response) => {
      const room = roomOf(request);
      const { by } = queryOf(statisticsQuery, request);
      response.attachment(`${room}-${by}s.csv`).type('text/csv');
      response.send(csvOf(await counter.of(room), by));
    },
    [FILES.sign]: async (request, response) => {
      const room = roomOf(request);
      const { paper, language, address } = queryOf(signQuery, request);
      const known = addresses();
      if (address !== undefined && !known.includes(address)) {
        throw new HostRefusal('bad-call', 'address: none of this server');
      }
      const origin = address ?? known[0] ?? `http://${request.get('host') ?? 'localhost'}`;
      const url = `${origin}/r/${room}`;
      if (request.query.download !== undefined) {
        response.attachment(`${room}-${paper}-${language}.svg`);
      }
      const checkpoint = checkpoints.get(rooms.planOf(room).checkpoint);
      const creatures = checkpoint ? await creaturesOf(checkpoint) : [];
      response.type('image/svg+xml').send(drawSign({ paper, language, url, creatures }));
    },
  };
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Request, Response } from 'express';
import * as v from 'valibot';
import type { Planes } from '../../shared/codec/chunks.ts';
import { type FILES, signQuery } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createGrowthFilm } from '../previews/growth-previews.ts';
import { packBundle, readRange, type When } from '../replay/journal-range.ts';
import { png } from '../replay/run-replay.ts';
import { StoreError } from '../storage/records.ts';
import type { Host } from './calls.ts';
import { sendFrame } from './films.ts';
import { creaturesOf, drawSign, readLogo } from './printed-sign.ts';
import { csvOf } from './visit-statistics.ts';

const HOUR = 3_600_000;

const tick = v.optional(
  v.pipe(v.string(), v.regex(/^\d{1,12}$/, 'must be a tick number'), v.transform(Number)),
);
const bundleQuery = v.object({ from: tick, to: tick });
const statisticsQuery = v.object({ by: v.optional(v.picklist(['hour', 'day']), 'day') });

function queryOf<T>(schema: v.GenericSchema<unknown, T>, { query }: Request): T {
  const result = v.safeParse(schema, query, { abortEarly: true });
  if (result.success) return result.output;
  throw new HostRefusal('bad-call', result.issues[0].message);
}

type FileHandler = (host: Host, request: Request, response: Response) => unknown;

export const FILE_HANDLERS: { readonly [N in keyof typeof FILES]: FileHandler } = {
  picture: async (host, request, response) => {
    const name = roomOf(host, request);
    const { rooms, world } = host;
    // After this server has closed a room, `world` still contains the room's last state.
    const room = rooms.planOf(name).open ? rooms.requireOpen(name).room : world.rooms.get(name);
    const [last = 0] = room ? [] : ((await host.storage?.store.snapshotTicks(name)) ?? []);
    await sendPng(response, room?.grid.planes ?? (await planesAt(host, name, last)));
  },
  snapshotPicture: async (host, request, response) => {
    const room = roomOf(host, request);
    await sendPng(response, await planesAt(host, room, Number(request.params.tick)));
  },
  drawing: async (host, request, response) => {
    const { drawing, live } = drawingOf(host, request);
    const { side } = live.room.species;
    const film = await createGrowthFilm([readOutOf(drawing.pixels, side)], side, 0);
    response.type('png').send(Buffer.from(film.png));
  },
  grownDrawing: async (host, request, response) => {
    const { drawing, live } = drawingOf(host, request);
    const film = await live.server.previews.backend.grow(drawing).catch((error: unknown) => {
      throw error instanceof Refusal ? new HostRefusal('room-busy') : error;
    });
    response.type('png').send(Buffer.from(film.png));
  },
  organism: async ({ rooms }, { params }, response) => {
    const { reports } = rooms.requireOpen(`${params.room}`).server;
    const report = reports.find(Number(params.organism));
    if (!report) throw new HostRefusal('no-such-organism');
    const { rgba, side } = report;
    await sendPng(response, { rgba, width: side, height: side });
  },
  replayBundle: async (host, request, response) => {
    const { storage, date } = host;
    if (!storage) throw new HostRefusal('not-kept');
    const room = roomOf(host, request);
    const { from, to } = queryOf(bundleQuery, request);
    const since: When = from === undefined ? { time: date() - HOUR } : { tick: from };
    const until = to === undefined ? undefined : { tick: to };
    await storage.journalWriter.flushed();
    const range = await readRange(storage.store, room, { from: since, to: until }).catch(asRefusal);
    response.attachment(`${room}-${range.from}-${range.to}.bundle`);
    response.type('application/octet-stream').send(await packBundle(range));
  },
  frame: ({ films }, { params }, response) =>
    sendFrame(films.frame(`${params.job}`, Number(params.frame)), response),
  wallFrame: ({ rooms, films }, { params }, response) => {
    const isShown = [...rooms.roomServers.values()].some(
      ({ walls }) => walls.film?.id === params.job,
    );
    if (!isShown) throw new HostRefusal('no-such-job');
    sendFrame(films.frame(`${params.job}`, Number(params.frame)), response);
  },
  logo: async ({ rooms, hostStore }, { params, query }, response) => {
    const logo = await readLogo(hostStore, rooms.planOf(`${params.name}`).name);
    if (!logo) throw new HostRefusal('no-such-logo');
    // If the URL contains the logo's id, the response to this URL never changes.
    if (logo.id in query) response.set('Cache-Control', 'public, max-age=31536000, immutable');
    response.type('png').send(logo.png);
  },
  job: ({ films }, request, response) => {
    const { path, name } = films.file(`${request.params.job}`);
    // With `?show`, the browser displays the film instead of downloading it.
    if (request.query.show === undefined) response.attachment(name);
    return stream(path, request, response);
  },
  statistics: async (host, request, response) => {
    const room = roomOf(host, request);
    const { by } = queryOf(statisticsQuery, request);
    response.attachment(`${room}-${by}s.csv`).type('text/csv');
    response.send(csvOf(await host.counter.of(room), by));
  },
  sign: async (host, request, response) => {
    const room = roomOf(host, request);
    const { paper, language, address } = queryOf(signQuery, request);
    const known = host.addresses();
    if (address !== undefined && !known.includes(address)) {
      throw new HostRefusal('bad-call', 'address: must be an address of this server');
    }
    const origin = address ?? known[0] ?? `http://${request.get('host') ?? 'localhost'}`;
    const url = `${origin}/r/${room}`;
    if (request.query.download !== undefined) {
      response.attachment(`${room}-${paper}-${language}.svg`);
    }
    const { wifi, exhibition, credits, logo } = host.rooms.settingsOf(room);
    const checkpoint = host.checkpoints.get(host.rooms.planOf(room).checkpoint);
    const creatures = checkpoint ? await creaturesOf(checkpoint, host) : [];
    const stored = logo ? await readLogo(host.hostStore, room) : undefined;
    const texts = { language, url, wifi, exhibition, credits };
    const sign = drawSign({ ...texts, paper, creatures, logo: stored?.png });
    response.type('image/svg+xml').send(sign);
  },
};

const roomOf = ({ rooms }: Host, { params }: Request): string =>
  rooms.planOf(`${params.room}`).name;

async function sendPng(response: Response, planes: Omit<Planes, 'owner'>): Promise<void> {
  response.type('png').send(await png(planes));
}

/** Reads the grid of a stored snapshot. @throws HostRefusal 'not-kept' or 'no-such-snapshot' */
async function planesAt({ storage }: Host, room: string, tick: number): Promise<Planes> {
  if (!storage) throw new HostRefusal('not-kept');
  const state = await storage.store.stateAt(room, tick).catch((error: unknown) => {
    if (error instanceof StoreError) throw new HostRefusal('no-such-snapshot', error.message);
    throw error;
  });
  return state.planes;
}

function drawingOf({ rooms }: Host, { params }: Request) {
  const live = rooms.requireOpen(`${params.room}`);
  const drawing = live.server.drawings.find(Number(params.drawing));
  if (!drawing) throw new HostRefusal('no-such-drawing');
  return { drawing, live };
}

/**
 * Converts a drawing to the format of an organism's cells. A drawing without colours (only ink, one
 * byte per pixel) becomes white.
 */
function readOutOf(pixels: Uint8Array, side: number) {
  const isInk = pixels.length === side * side;
  const rgba = isInk
    ? Uint8Array.from({ length: 4 * side * side }, (_, i) => pixels[i >> 2])
    : pixels;
  return { stage: side, rgba, presence: new Uint8Array(side * side) };
}

function asRefusal(error: unknown): never {
  if (!(error instanceof StoreError)) throw error;
  throw new HostRefusal(error.reason === 'not-kept' ? 'no-such-time' : 'failed', error.message);
}

/**
 * Streams a file to the client. Closes the file when the connection closes, even if the client has
 * not received the whole file.
 */
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

/**
 * Serves gallery pictures and family trees. Browsers that support AVIF get gallery pictures drawn
 * by the painter (a neural net). Other browsers get plain pictures, as WebP if they support WebP.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  type LineagePage,
  lineagePath,
  lineagePicturePath,
  lineageSeedPath,
} from '../../shared/lineage.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import type { Bans } from '../realtime/policy/bans.ts';
import type { RoomServer } from '../realtime/room-server.ts';
import type { LoadedCheckpoint } from '../rooms/loaded-checkpoint.ts';
import type { RoomRegistry } from '../rooms/room-registry.ts';
import { thumbnailOf } from '../rooms/thumbnails.ts';
import { GALLERY_FILE, PAINTED_GALLERY_FILE } from '../vnca/gallery.ts';
import { lineageTree, rememberedSeed } from '../world/organisms/family-tree.ts';
import { seedTokenOf } from '../world/species.ts';
import { type Representation, representation } from './serve-client.ts';

const QUALITY = { quality: 80, alphaQuality: 90, smartSubsample: true, effort: 4 };
const AGE = 'public, max-age=3600';

interface Gallery {
  readonly png: Representation;
  /** Gallery picture drawn by the painter (a neural net); undefined if the checkpoint has none. */
  readonly avif: Representation | undefined;
  /** The plain gallery picture as WebP, encoded when it is first requested. */
  webp?: Promise<Representation | undefined>;
}

/** Encodes a picture as WebP. @returns undefined if `sharp` is not installed */
async function asWebp(png: Buffer): Promise<Representation | undefined> {
  try {
    const { default: sharp } = await import('sharp');
    return representation(await sharp(png).webp(QUALITY).toBuffer());
  } catch {
    return undefined;
  }
}

/** Reads a checkpoint's gallery pictures, if any. @throws Error if reading fails */
async function readGallery(folder: string): Promise<Gallery | undefined> {
  const read = (file: string) =>
    readFile(join(folder, file)).then(representation, (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  const png = await read(GALLERY_FILE);
  return png && { png, avif: await read(PAINTED_GALLERY_FILE) };
}

/**
 * Reads the gallery pictures of checkpoints into memory, and creates a handler that serves them.
 *
 * @param folders the checkpoints' folders, by checkpoint name. If a folder is added later, its
 *   pictures are read when they are first requested
 * @throws Error of the file system if a picture cannot be read
 */
export async function loadGalleries(
  folders: ReadonlyMap<string, string>,
): Promise<RequestHandler<{ name: string }>> {
  const galleries = new Map<string, Gallery | undefined>();
  for (const [name, folder] of folders) galleries.set(name, await readGallery(folder));
  return async (request, response, next) => {
    const { name } = request.params;
    const folder = folders.get(name);
    if (folder && !galleries.has(name)) galleries.set(name, await readGallery(folder));
    const gallery = galleries.get(name);
    if (!gallery) return next();
    response.set({ 'Cache-Control': AGE, Vary: 'Accept' });
    const { png, avif } = gallery;
    // Send AVIF or WebP only if the `Accept` header names the format: a browser that accepts all
    // types may be unable to decode the picture.
    if (avif && request.headers.accept?.includes('image/avif')) {
      return response.set('ETag', avif.etag).type('image/avif').send(avif.bytes);
    }
    if (request.headers.accept?.includes('image/webp')) {
      gallery.webp ??= asWebp(png.bytes);
      const webp = await gallery.webp;
      if (webp) return response.set('ETag', webp.etag).type('image/webp').send(webp.bytes);
    }
    response.set('ETag', png.etag).type('image/png').send(png.bytes);
  };
}

export interface LineageOptions {
  readonly rooms: Pick<RoomRegistry, 'findServer' | 'planOf'>;
  readonly checkpoints: ReadonlyMap<string, LoadedCheckpoint>;
  readonly bans: Pick<Bans, 'isBanned'>;
  readonly addressOf: (request: Request) => string;
  /** Returns the wall-clock time, in ms. */
  readonly date: () => number;
}

/** Maximum age of a family tree that is served from memory, in ms. */
const TREE_AGE = 2_000;
/** Temporary refusals, answered with status 503, so that the client tries again. */
const RETRIED: ReadonlySet<Reason> = new Set(['room-busy', 'shutting-down', 'elsewhere']);
/** Maximum number of simultaneous picture requests from one network address. */
const MOST_PICTURES = 4;

/** A request about a room which the visitor is allowed to watch. */
interface RoomRequest {
  readonly roomServer: RoomServer;
  readonly loaded: LoadedCheckpoint;
  readonly request: Request;
  readonly response: Response;
}

/** Creates the routes for family trees, and for the pictures and seed tokens of their organisms. */
export function lineageRoutes(options: LineageOptions): Router {
  const router = Router();
  /** The latest family tree of each room. `madeAt` is when it was computed (wall clock, ms). */
  const trees = new WeakMap<
    RoomServer,
    { madeAt: number; json: Buffer; gzipped: Promise<Buffer> }
  >();
  const growing = new Map<string, number>();
  const on = (path: string, answer: (about: RoomRequest) => Promise<unknown>): void => {
    router.get(path, async (request, response) => {
      try {
        response.set('Cache-Control', 'no-store');
        const { roomServer, loaded } = requireWatchable(request, options);
        await answer({ roomServer, loaded, request, response });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { reason } = error;
        response.status(RETRIED.has(reason) ? 503 : 404).json({ reason });
      }
    });
  };
  on(lineagePath(':room'), async ({ roomServer, loaded, request, response }) => {
    const now = options.date();
    let tree = trees.get(roomServer);
    if (!tree || Math.abs(now - tree.madeAt) >= TREE_AGE) {
      const json = Buffer.from(JSON.stringify(pageOf(roomServer, loaded, now)));
      tree = { madeAt: now, json, gzipped: promisify(gzip)(json) };
      trees.set(roomServer, tree);
    }
    response.set('Vary', 'Accept-Encoding').type('json');
    if (!request.acceptsEncodings('gzip')) return response.send(tree.json);
    return response.set('Content-Encoding', 'gzip').send(await tree.gzipped);
  });
  on(lineagePicturePath(':room', ':organism'), async ({ roomServer, loaded, ...web }) => {
    const seed = seedOf(roomServer, web.request);
    // These pictures and the client's seed previews wait in the same queue, which serves its
    // sources in turn. Previews use the network address as their source. Give pictures another
    // source, so that previews do not wait for all pictures of the same client.
    const source = `lineage ${options.addressOf(web.request)}`;
    const others = growing.get(source) ?? 0;
    if (others >= MOST_PICTURES) throw new Refusal('room-busy', 'pictures');
    growing.set(source, others + 1);
    try {
      const film = await loaded.previews.grow(seed, source);
      web.response.type('png').send(await thumbnailOf(film, loaded));
    } finally {
      const left = growing.get(source)! - 1;
      if (left > 0) growing.set(source, left);
      else growing.delete(source);
    }
  });
  on(lineageSeedPath(':room', ':organism'), async ({ roomServer, request, response }) => {
    const token = seedTokenOf(roomServer.room.species, seedOf(roomServer, request));
    response.json({ token });
  });
  return router;
}

/**
 * Finds the requested room if the visitor may watch it.
 *
 * @throws Refusal 'no-such-room', 'room-closed' or 'sent-away'
 */
function requireWatchable(request: Request, options: LineageOptions) {
  const room = `${request.params.room}`;
  const roomServer = options.rooms.findServer(room);
  const loaded = options.checkpoints.get(options.rooms.planOf(room).checkpoint);
  if (!loaded || roomServer.policy.isClosed) throw new Refusal('room-closed', room);
  const address = options.addressOf(request);
  const applicant = { participant: undefined, device: undefined, address };
  if (options.bans.isBanned(room, applicant)) throw new Refusal('sent-away', room);
  return { roomServer, loaded };
}

/** Finds the seed of the requested organism. @throws Refusal 'no-such-organism' */
function seedOf({ room }: RoomServer, request: Request) {
  const organism = Number(request.params.organism);
  const seed = rememberedSeed(room, organism);
  if (!seed) throw new Refusal('no-such-organism', `organism ${organism}`);
  return seed;
}

function pageOf({ room, times, policy, seats }: RoomServer, loaded: LoadedCheckpoint, now: number) {
  const { gallery, sheet } = loaded.facts;
  const { organisms, ...tree } = lineageTree(room, policy.settings.tickRate);
  const current = (person: ParticipantView): ParticipantView => {
    const client = seats.memberOf(person.id);
    return (client && seats.participantOf(client)) ?? person;
  };
  const page: LineagePage = {
    ...tree,
    organisms: organisms.map(({ planter, parts, ...one }) => {
      const signed = parts?.map((part) => (part.by ? { ...part, by: current(part.by) } : part));
      const people = { planter: current(planter), ...(signed && { parts: signed }) };
      return policy.redactOrganism({ ...one, ...people });
    }),
    ...{ now, sheet, gallery: gallery.map((entry) => entry.name) },
    times: times.until({ tick: tree.tick, at: now }),
    canPlant: policy.settings.tokens,
  };
  return page;
}

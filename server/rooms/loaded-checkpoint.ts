/**
 * Loads checkpoints and prepares them for use in rooms. Stores a copy of each checkpoint, so that a
 * room keeps its weights if the installed checkpoint changes. Start reading at `prepareCheckpoint`.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';
import type { Log } from '../platform/log.ts';
import { openSeedPreviews, type SeedPreviews } from '../previews/growth-previews.ts';
import type { RoomInfo } from '../realtime/sessions/room-client.ts';
import { growthSchedule } from '../vnca/architecture.ts';
import {
  CARD_FILE,
  type Checkpoint,
  fingerprint,
  galleryLatent,
  identityOf,
  loadCheckpoint,
  MODEL_FILE,
  PAINTER_FILE,
  painterPath,
} from '../vnca/checkpoint.ts';
import {
  GALLERY_COLUMNS,
  GALLERY_FILE,
  loadGalleryLooks,
  PAINTED_GALLERY_FILE,
  selectGallery,
} from '../vnca/gallery.ts';
import { loadMaps, MAP_FILE, readMap } from '../vnca/gallery-map.ts';
import { boundsOf } from '../vnca/genome.ts';
import { loadRelatives, RELATIVES_FILE } from '../vnca/relatives.ts';
import type { Species } from '../world/species.ts';

/**
 * Name of the file of checksums, in the format of `sha256sum`. The first line is the checksum of
 * all other lines.
 */
const SUMS_FILE = 'SHA256SUMS';

const sumOf = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Returns a file's SHA-256 in hexadecimal; undefined if the file cannot be read. */
const sumOfFile = (path: string): Promise<string | undefined> =>
  readFile(path).then(sumOf, () => undefined);

/** Writes the checksums of all given files that exist to the file `SUMS_FILE`. */
async function writeSums(folder: string, files: readonly string[]): Promise<void> {
  const sums: string[] = [];
  for (const file of files) {
    const sum = await sumOfFile(join(folder, file));
    if (sum) sums.push(`${sum}  ${file}`);
  }
  const text = sums.join('\n');
  await writeFile(join(folder, SUMS_FILE), `${sumOf(text)}\n${text}`);
}

/**
 * Finds the files in a folder whose checksum differs from the stored checksum (see `writeSums`).
 *
 * @returns the stored checksum of each changed file, by file name; undefined if the file of
 *   checksums is missing or damaged
 */
async function changedFiles(folder: string): Promise<Map<string, string> | undefined> {
  const stored = await readFile(join(folder, SUMS_FILE), 'utf8').catch(() => '');
  const [own, ...lines] = stored.split('\n');
  if (sumOf(lines.join('\n')) !== own) return undefined;
  const changed = new Map<string, string>();
  for (const line of lines) {
    const [sum, file] = line.split('  ');
    if ((await sumOfFile(join(folder, file))) !== sum) changed.set(file, sum);
  }
  return changed;
}

/**
 * A checkpoint that is either installed or loaded from the data folder. A checkpoint from the data
 * folder gets a new name, because an installed checkpoint may have the same name.
 */
export interface NamedCheckpoint extends Checkpoint {
  /** The name in the checkpoint's own card. Absent if the checkpoint was not renamed. */
  readonly ownName?: string;
  /** Set if the checkpoint's map of seeds is unusable. */
  readonly hasBadMap?: true;
}

const FOLDER = 'checkpoints';
const FILES = [CARD_FILE, MODEL_FILE, GALLERY_FILE];
/** Optional files of a checkpoint. */
const MORE_FILES = [MAP_FILE, RELATIVES_FILE, PAINTER_FILE, PAINTED_GALLERY_FILE];
/** Files that a checkpoint can do without, if they are damaged and no intact copy exists. */
const SPARE_FILES = [MAP_FILE, PAINTER_FILE, PAINTED_GALLERY_FILE];
/**
 * Files that may differ between two versions of a checkpoint with the same fingerprint. The
 * fingerprint covers only the weights and those properties in the checkpoint's card that affect
 * cells.
 */
const DETAILS = [CARD_FILE, ...MORE_FILES];
const HASH = /^[0-9a-f]{64}$/;

/**
 * Creates a function that copies a checkpoint into the data folder. If an intact copy exists, the
 * function replaces only the files that have changed. Failures are logged.
 *
 * @param folders folder of each checkpoint, by checkpoint name
 */
export function checkpointCopier(data: string, folders: ReadonlyMap<string, string>, log: Log) {
  return (name: string, hash: string): Promise<void> =>
    keep(data, folders.get(name)!, hash).catch((error: Error) => {
      const what = `This server could not store a copy of the checkpoint "${name}" with the room`;
      log.warn('checkpoint-not-kept', `${what}: ${error.message}`);
    });
}

async function keep(data: string, from: string, hash: string): Promise<void> {
  const folder = join(data, FOLDER, hash);
  if (from === folder) return;
  const isKept = await isWhole(folder, hash);
  if (isKept && !(await hasOtherDetails(from, folder))) return;
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { recursive: true });
    for (const file of FILES) await copyFile(join(from, file), join(draft, file));
    for (const file of MORE_FILES) {
      await copyFile(join(from, file), join(draft, file)).catch(ignoreMissing);
    }
    await loadExactly(draft, hash);
    await writeSums(draft, [...FILES, ...MORE_FILES]);
    for (const file of await readdir(draft)) await sync(join(draft, file));
    await sync(draft);
    if (isKept) {
      // Remove the old checksums first: after a crash, new files with old checksums would look
      // damaged.
      await rm(join(folder, SUMS_FILE));
      for (const file of DETAILS) {
        await rename(join(draft, file), join(folder, file)).catch(ignoreMissing);
      }
      await writeSums(folder, [...FILES, ...MORE_FILES]);
      await sync(folder);
    } else {
      // Any existing copy is damaged, so replace the folder.
      await rm(folder, { recursive: true, force: true });
      await rename(draft, folder);
      await sync(join(data, FOLDER));
    }
  } catch (error) {
    // Ignore the error if an intact earlier copy exists.
    if (!isKept) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Whether the stored copy of a checkpoint is unchanged and can be loaded. */
const isWhole = async (folder: string, hash: string): Promise<boolean> =>
  (await changedFiles(folder))?.size === 0 &&
  loadExactly(folder, hash).then(
    () => true,
    () => false,
  );

/**
 * Replaces each damaged file in the stored copy of a checkpoint by a copy from an installed
 * checkpoint. If there is no such copy, but the checkpoint is usable without the file, renames the
 * damaged file. Logs each damaged file.
 */
async function mend(folder: string, installed: readonly Checkpoint[], log: Log): Promise<void> {
  for (const [file, sum] of (await changedFiles(folder)) ?? []) {
    const path = join(folder, file);
    let outcome = 'The file could not be replaced, because no installed checkpoint contains a copy';
    let shipped: string | undefined;
    for (const one of installed) {
      const candidate = join(one.folder, file);
      if ((await sumOfFile(candidate)) === sum) shipped = candidate;
    }
    if (shipped) {
      await copyFile(shipped, `${path}.new`);
      await rename(`${path}.new`, path);
      outcome = `The file was replaced by a copy of ${shipped}`;
    } else if (SPARE_FILES.includes(file)) {
      await rename(path, `${path}.damaged`).catch(ignoreMissing);
      outcome = 'The server continues without this file';
    }
    const text = `A file of a stored checkpoint is damaged: ${path}. ${outcome}.`;
    log.warn('checkpoint-damaged', text);
  }
}

/** Flushes a file or a folder to the disk (fsync), so that it survives a power failure. */
async function sync(path: string): Promise<void> {
  // Windows can neither open folders nor sync files that are open only for reading.
  if (process.platform === 'win32') return;
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

/** Whether an installed file of `DETAILS` differs from the stored copy, or has no stored copy. */
async function hasOtherDetails(installed: string, kept: string): Promise<boolean> {
  for (const file of DETAILS) {
    const bytes = await readFile(join(installed, file)).catch(ignoreMissing);
    const before = await readFile(join(kept, file)).catch(ignoreMissing);
    if (bytes && !before?.equals(bytes)) return true;
  }
  return false;
}

/** Ignores the error that a file is missing. @throws any other error */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Loads a checkpoint with its table of relatives, and checks its fingerprint.
 *
 * @throws CheckpointError if the files are damaged; Error if the fingerprint is not `hash`
 */
async function loadExactly(
  folder: string,
  hash: string,
  onBadPainter: (message: string) => void = () => {},
): Promise<Checkpoint> {
  const checkpoint = await loadCheckpoint(folder, { onBadPainter });
  await loadRelatives(checkpoint);
  if (fingerprint(checkpoint) !== hash)
    throw new Error(`the folder ${folder} contains a different checkpoint`);
  return checkpoint;
}

/**
 * Loads the stored checkpoints, except those with the fingerprint of an installed checkpoint.
 * Appends the first digits of the fingerprint to each name, for example `organisms-1a2b3c4d`,
 * because an installed checkpoint may have the same name. Logs damaged files and unreadable
 * checkpoints.
 */
export async function loadKeptCheckpoints(
  data: string,
  installed: readonly Checkpoint[],
  log: Log,
): Promise<NamedCheckpoint[]> {
  const loaded = new Set(installed.map(fingerprint));
  const kept: NamedCheckpoint[] = [];
  const hashes = await readdir(join(data, FOLDER)).catch(() => []);
  const warn = (what: string, { message }: { message: string }): void =>
    log.warn('checkpoint-not-kept', `${what}: ${message}`);
  for (const hash of hashes.filter((name) => HASH.test(name))) {
    const folder = join(data, FOLDER, hash);
    try {
      await mend(folder, installed, log);
      if (loaded.has(hash)) continue;
      const checkpoint = await loadExactly(folder, hash, (message) =>
        warn(
          'A stored checkpoint has an unusable painter (neural net that draws details), so pages show the organisms as plain cells',
          { message },
        ),
      );
      const { card } = checkpoint;
      const name = `${card.name}-${hash.slice(0, 8)}`;
      const renamed = { ...checkpoint, card: { ...card, name }, ownName: card.name };
      const isUsable = await readMap(checkpoint).then(
        () => true,
        (error: Error) => {
          const what =
            'The map on which visitors choose seeds is unusable in a stored checkpoint, so the server computes a new map';
          warn(what, error);
          return false;
        },
      );
      kept.push(isUsable ? renamed : { ...renamed, hasBadMap: true });
    } catch (error) {
      warn('A stored checkpoint is unusable', error as Error);
    }
  }
  return kept;
}

/** Collects the properties of a checkpoint that a room needs. */
export function speciesOf(
  checkpoint: NamedCheckpoint,
  more: Pick<Species, 'bodies' | 'colours' | 'featured' | 'map' | 'wholeMap' | 'relatives'> = {},
): Species {
  const { name, identity, side, latentSize, presence, gallery } = checkpoint.card;
  const { trustedSteps, closing, sampler, update } = checkpoint.card;
  const latents = gallery.map((_, i) => galleryLatent(checkpoint, i));
  return {
    checkpoint: name,
    identity: identity ?? identityOf(checkpoint),
    side,
    latentSize,
    latentBounds: boundsOf(latents, latentSize),
    schedule: growthSchedule(checkpoint.card),
    threshold: Math.ceil(presence.threshold * 255),
    hasStandingInput: update.standingInput,
    trustedSteps,
    closing,
    sampler,
    ...more,
    gallery: gallery.map(({ kind, name }, i) => ({ kind, name, latent: latents[i] })),
  };
}

export interface LoadedCheckpoint {
  readonly species: Species;
  /** The checkpoint's fingerprint, as returned by `fingerprint`. */
  readonly hash: string;
  /** Facts about the checkpoint for the welcome message. */
  readonly facts: RoomInfo['checkpoint'];
  readonly previews: SeedPreviews;
  readonly painter?: PainterNet;
}

/**
 * Prepares a loaded checkpoint for use in rooms.
 *
 * @throws an error if the map of seeds, the relatives or the gallery files cannot be read
 */
export async function prepareCheckpoint(
  checkpoint: NamedCheckpoint,
  tools: Omit<Parameters<typeof openSeedPreviews>[1], 'species'>,
): Promise<LoadedCheckpoint> {
  const { card } = checkpoint;
  const latents = card.gallery.map((_, i) => galleryLatent(checkpoint, i));
  const { featured, unsuitable } = selectGallery(card.gallery, latents);
  const maps = await loadMaps(checkpoint, featured, !checkpoint.hasBadMap);
  const relatives = await loadRelatives(checkpoint);
  const looks = await loadGalleryLooks(checkpoint);
  const species = speciesOf(checkpoint, { featured, ...maps, relatives, ...looks });
  const previews = openSeedPreviews(checkpoint, { species, ...tools });
  const url = `/checkpoints/${encodeURIComponent(card.name)}`;
  const facts = {
    name: checkpoint.ownName ?? card.name,
    title: card.title,
    side: card.side,
    latentSize: card.latentSize,
    growthTicks: species.schedule.length,
    gallery: card.gallery.map(({ name, kind }) => ({ name, kind })),
    ...{ featured: [...featured], unsuitable: [...unsuitable] },
    sheet: { url: `${url}/gallery.png`, columns: GALLERY_COLUMNS },
    ...(maps && { map: `${url}/map.json` }),
    ...(species.hasStandingInput && { transforms: true }),
    ...(previews.draws && { draws: previews.draws }),
    ...(checkpoint.painter && { painter: painterPath(checkpoint.painter) }),
  };
  const painter = checkpoint.painter && parsePainter(checkpoint.painter);
  return { species, hash: fingerprint(checkpoint), facts, previews, ...(painter && { painter }) };
}

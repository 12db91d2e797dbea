/**
 * The monsters of Angband, drawn at 32×32 by David Gervais, from the Debian package `angband-data`:
 * a sheet of tiles, and a table with the name of each tile.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ConfigOf } from './config.ts';
import {
  type BuildProgress,
  capitalised,
  type Dataset,
  type DatasetEntry,
  DatasetError,
  type DatasetSource,
  readSource,
  SPLITS,
  type SplitName,
  splitByShare,
} from './dataset.ts';
import { type ImageFile, listFingerprint, listImages, readPixels } from './folder.ts';
import { isInvisible, readSheet, readStretched } from './picture.ts';

const DEBIAN_FOLDER = '/usr/share/angband/tiles/gervais';
const SHEET = '32x32.png';
const TABLE = 'graf-dvg.prf';
const SIDE = 32;
const INSTALL =
  'install the Debian package angband-data (apt-get install angband-data), ' +
  `or set data.folder to the folder with ${SHEET} and ${TABLE}`;
const REINSTALL = 'reinstall angband-data';

interface Tile {
  readonly name: string;
  readonly row: number;
  readonly column: number;
}

/** Opens the set. @throws DatasetError missing-package: the files cannot be read */
export async function openAngband(config: ConfigOf<'angband'>): Promise<DatasetSource> {
  const folder = config.folder ?? DEBIAN_FOLDER;
  const sheetFile = join(folder, SHEET);
  const tableFile = join(folder, TABLE);
  const sheet = await readSource(sheetFile, 'missing-package', INSTALL);
  const table = await readSource(tableFile, 'missing-package', INSTALL);
  return {
    name: 'angband',
    fingerprint: createHash('sha256').update(sheet).update(table).digest('hex'),
    build: async (onProgress) => {
      const tiles = parseMonsters(table.toString(), tableFile);
      const data = await cut(sheet, sheetFile, tiles, tableFile);
      onProgress(data.count, data.count);
      return data;
    },
  };
}

/**
 * Reads lines `monster:NAME:0xRR:0xCC`: row and column, each with its highest bit set. Other lines
 * are ignored.
 *
 * @throws DatasetError broken-list, empty-set
 */
export function parseMonsters(table: string, file: string): Tile[] {
  const tiles: Tile[] = [];
  table.split(/\r?\n/).forEach((line, i) => {
    if (!line.startsWith('monster:')) return;
    const found = /^monster:(.+):0x([0-9a-f]{2}):0x([0-9a-f]{2})\s*$/i.exec(line);
    if (found === null) {
      const what = `line ${i + 1} is not "monster:NAME:0xRR:0xCC"`;
      throw new DatasetError('broken-list', file, what, `${REINSTALL}, or correct the line`);
    }
    const [row, column] = found.slice(2).map((hex) => Number.parseInt(hex, 16) & 0x7f);
    tiles.push({ name: found[1], row, column });
  });
  if (tiles.length === 0) throw new DatasetError('empty-set', file, 'names no monster', REINSTALL);
  return tiles;
}

/** Cuts the sheet into tiles. Identical tiles are taken once, under their first name. */
async function cut(
  sheet: Uint8Array,
  sheetFile: string,
  tiles: readonly Tile[],
  tableFile: string,
): Promise<Dataset> {
  const { width, height, pixels } = await readSheet(sheet, sheetFile);
  const pictures: Uint8Array[] = [];
  const entries: DatasetEntry[] = [];
  const seen = new Set<string>();
  for (const { name, row, column } of tiles) {
    if ((column + 1) * SIDE > width || (row + 1) * SIDE > height) {
      const what = `"${name}" is at row ${row}, column ${column}, outside of ${SHEET} (${width}×${height})`;
      const next = `the two files must be from one release: ${REINSTALL}`;
      throw new DatasetError('broken-list', tableFile, what, next);
    }
    const picture = new Uint8Array(SIDE * SIDE * 4);
    for (let y = 0; y < SIDE; y++) {
      const from = ((row * SIDE + y) * width + column * SIDE) * 4;
      picture.set(pixels.subarray(from, from + SIDE * 4), y * SIDE * 4);
    }
    const key = Buffer.from(picture).toString('latin1');
    if (seen.has(key) || isInvisible(picture)) continue;
    seen.add(key);
    pictures.push(picture);
    entries.push({ name: capitalised(name), kind: monsterKind(name) });
  }
  if (pictures.length === 0) {
    throw new DatasetError('empty-set', sheetFile, 'shows nothing', REINSTALL);
  }
  return {
    name: 'angband',
    side: SIDE,
    channels: 4,
    count: pictures.length,
    pixels: new Uint8Array(Buffer.concat(pictures)),
    entries,
    splits: splitByShare(pictures.length, 0),
    source: 'Angband tiles by David Gervais from the Debian package angband-data',
    licence: 'CC BY 3.0',
    description: `${pictures.length} monsters of Angband, drawn at 32×32 by David Gervais`,
  };
}

const THINGS =
  /\b(mimic|chest|scroll|potion|ring|creeping (\S+ )?coins?|lurker|trapper|vortex|whirlpool|golem|colossus|gargoyle statue)\b/i;
const PLANTS =
  /\b(mold|mould|mushrooms?|toadstool|fungus|memory moss|moss|tree|ent|huorn|shrieker|vine|algae)\b/i;

function monsterKind(name: string): DatasetEntry['kind'] {
  if (THINGS.test(name)) return 'thing';
  return PLANTS.test(name) ? 'plant' : 'animal';
}

const PARTITION = 'list_eval_partition.txt';
const OFFICIAL_COUNT = 202_599;
/** The last image of the train and of the validation part. */
const LAST_TRAIN = 162_770;
const LAST_VALIDATION = 182_637;

/**
 * Opens all images of the folder, the whole set or part of it, by file name. The splits come from
 * list_eval_partition.txt in or beside the folder; without that list, from the official image
 * numbers.
 *
 * @throws DatasetError missing-folder, empty-set, broken-list
 */
export async function openCeleba(config: ConfigOf<'celeba'>): Promise<DatasetSource> {
  const files = await listImages(config.folder);
  const list = await findPartition(config.folder);
  const parts = partition(files, list);
  return {
    name: `celeba-${config.side}`,
    fingerprint: listFingerprint(files, parts.join('')),
    build: (onProgress) => build(config, files, parts, onProgress),
  };
}

async function build(
  { side }: ConfigOf<'celeba'>,
  files: readonly ImageFile[],
  parts: readonly SplitName[],
  onProgress: BuildProgress,
): Promise<Dataset> {
  const read = (path: string) => readStretched(path, side);
  const pixels = await readPixels(files, side * side * 3, read, onProgress);
  const indices = (part: SplitName) =>
    Uint32Array.from(parts.flatMap((of, i) => (of === part ? [i] : [])));
  return {
    name: 'celeba',
    side,
    channels: 3,
    count: files.length,
    pixels,
    entries: files.map(({ path }) => ({ name: `Face ${stem(path)}`, kind: 'face' as const })),
    splits: { train: indices('train'), validation: indices('validation'), test: indices('test') },
    source: 'CelebA (Z. Liu, P. Luo, X. Wang, X. Tang, ICCV 2015), a folder given by the user',
    licence: 'non-commercial research only; the images must not be passed on',
    description:
      `${files.length.toLocaleString('en')} of the ${OFFICIAL_COUNT.toLocaleString('en')} aligned faces of CelebA, ` +
      `stretched to ${side}×${side}`,
  };
}

interface PartitionList {
  readonly file: string;
  readonly parts: ReadonlyMap<string, SplitName>;
}

async function findPartition(folder: string): Promise<PartitionList | undefined> {
  for (const at of [folder, dirname(folder), join(folder, 'Eval'), join(dirname(folder), 'Eval')]) {
    const file = join(at, PARTITION);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return { file, parts: parsePartition(text, file) };
  }
  return undefined;
}

/**
 * Reads lines "000001.jpg 0": 0 train, 1 validation, 2 test. Keyed by name without extension, since
 * PNGs have another.
 */
function parsePartition(text: string, file: string): Map<string, SplitName> {
  const parts = new Map<string, SplitName>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    const found = /^\s*(\S+)\s+([012])\s*$/.exec(line);
    if (found === null) {
      const next = 'use the list that comes with CelebA, or remove it to use the official ranges';
      const what = `line ${i + 1} is not a file name and 0, 1 or 2`;
      throw new DatasetError('broken-list', file, what, next);
    }
    parts.set(stem(found[1]), SPLITS[Number(found[2])]);
  });
  return parts;
}

function partition(files: readonly ImageFile[], list: PartitionList | undefined): SplitName[] {
  return files.map(({ path }) => {
    const part = list === undefined ? officialPart(stem(path)) : list.parts.get(stem(path));
    if (part !== undefined) return part;
    const unofficial = `is not an official name (000001 … ${OFFICIAL_COUNT})`;
    const what = list ? `lacks ${basename(path)}` : unofficial;
    const next = `put the ${PARTITION} of these images into their folder, or train on them as kind "folder"`;
    throw new DatasetError('broken-list', list?.file ?? path, what, next);
  });
}

function officialPart(name: string): SplitName | undefined {
  const number = /^\d{6}$/.test(name) ? Number(name) : 0;
  if (number < 1 || number > OFFICIAL_COUNT) return undefined;
  return number <= LAST_TRAIN ? 'train' : number <= LAST_VALIDATION ? 'validation' : 'test';
}

function stem(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '');
}

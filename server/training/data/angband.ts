/**
 * The monsters of Angband, drawn at 32×32 by David Gervais, from the Debian package `angband-data`:
 * a sheet of tiles, and a table with the name of each tile.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ConfigOf } from './config.ts';
import { type Dataset, type DatasetEntry, type DatasetSource, splitByShare } from './dataset.ts';
import { DatasetError, readSource } from './errors.ts';
import { capitalised } from './names.ts';
import { isInvisible, readSheet } from './picture.ts';

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

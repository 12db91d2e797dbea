/**
 * The monsters of Angband as David Gervais drew them, 32×32 each, from the Debian package `angband-data`: a sheet of
 * tiles, and a table that says which tile is which monster.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigOf } from './config.ts';
import { type Dataset, type DatasetEntry, type DatasetSource, splitByShare } from './dataset.ts';
import { DatasetError, ioCode } from './errors.ts';
import { capitalised } from './names.ts';
import { isInvisible, readSheet } from './picture.ts';

const DEBIAN_FOLDER = '/usr/share/angband/tiles/gervais';
const SHEET = '32x32.png';
const TABLE = 'graf-dvg.prf';
const SIDE = 32;

interface Tile {
  readonly name: string;
  readonly row: number;
  readonly column: number;
}

/** @throws DatasetError missing-package where the files are not to be found */
export async function openAngband(config: ConfigOf<'angband'>): Promise<DatasetSource> {
  const folder = config.folder ?? DEBIAN_FOLDER;
  const sheetFile = join(folder, SHEET);
  const tableFile = join(folder, TABLE);
  const sheet = await read(sheetFile);
  const table = await read(tableFile);
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
 * Reads `monster:NAME:0xRR:0xCC`: row and column, each with its highest bit set. Other lines are of other things.
 *
 * @throws DatasetError broken-list, empty-set
 */
export function parseMonsters(table: string, file: string): Tile[] {
  const tiles: Tile[] = [];
  table.split(/\r?\n/).forEach((line, i) => {
    if (!line.startsWith('monster:')) return;
    const found = /^monster:(.+):0x([0-9a-f]{2}):0x([0-9a-f]{2})\s*$/i.exec(line);
    if (found === null) {
      throw new DatasetError(
        'broken-list',
        file,
        `line ${i + 1} is not "monster:NAME:0xRR:0xCC"`,
        'install angband-data again, or mend the line',
      );
    }
    const [, name, row, column] = found;
    tiles.push({
      name,
      row: Number.parseInt(row, 16) & 0x7f,
      column: Number.parseInt(column, 16) & 0x7f,
    });
  });
  if (tiles.length === 0) {
    throw new DatasetError('empty-set', file, 'names no monster', 'install angband-data again');
  }
  return tiles;
}

/** Each tile once, under the first name that it has; tiles that look alike are one. */
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
      throw new DatasetError(
        'broken-list',
        tableFile,
        `"${name}" is at row ${row}, column ${column}, outside of ${SHEET} (${width}×${height})`,
        'the two files must be of one release: install angband-data again',
      );
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
    throw new DatasetError('empty-set', sheetFile, 'shows nothing', 'install angband-data again');
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

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error) => {
    throw new DatasetError(
      'missing-package',
      file,
      `cannot be read (${ioCode(error)})`,
      'install the Debian package angband-data (apt-get install angband-data), ' +
        `or say in data.folder where ${SHEET} and ${TABLE} lie`,
    );
  });
}

/** Makes a checkpoint's table of relatives: `npm run relatives -- checkpoints/<name>`. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEngine } from '../../engine/create-engine.ts';
import { text } from '../../settings/server-types.ts';
import { loadModel } from '../../vnca/checkpoint.ts';
import { RELATIVES_FILE, writeRelatives } from '../../vnca/relatives.ts';
import { drawSheet, inRows, straight, type Tile } from '../pictures/sheet.ts';
import { CHECKPOINT_FOLDER, runTool, say } from '../terminal.ts';
import { EACH, type Found, findRelatives } from './find-relatives.ts';

const COMMAND = {
  about:
    'Writes relatives.json of a checkpoint: for each creature of its gallery, the creatures that it can look like for a moment. In each pair, the creature has returned to itself several times in a row, and nothing flashes.',
  usage: 'npm run relatives -- <folder> [options]',
  positional: CHECKPOINT_FOLDER,
  options: {
    sheet: {
      value: 'FILE',
      type: text,
      help: 'also draw each creature and its expressions on a PNG sheet',
    },
  },
} as const;

const CREATURES_A_ROW = 5;

/** Draws rows of creatures, each with its expressions. Missing expressions are left empty. */
function drawExpressions({ pairs, resting, table }: Found, side: number) {
  const tile = (rgba: Uint8Array): Tile => ({ side, rgba: straight(rgba) });
  const empty = tile(new Uint8Array(4 * side * side));
  const groups = table.of.map((_, own) => {
    const some = pairs.filter((pair) => pair.own === own).map(({ expression }) => tile(expression));
    return [tile(resting[own].rgba), ...some, ...Array(EACH + 1 - some.length).fill(empty)];
  });
  return drawSheet(
    inRows(groups, CREATURES_A_ROW).map((row) => row.flat()),
    { scale: 2 },
  );
}

await runTool('relatives', COMMAND, async ({ folder, sheet }) => {
  const model = await loadModel(folder);
  const engine = await createEngine({ checkpoints: [model] });
  try {
    const found = await findRelatives(engine, model, say);
    const { table, pairs, tried } = found;
    const creatures = table.of.filter((some) => some.length > 0).length;
    say(`kept ${pairs.length} of ${tried} pairs, for ${creatures} of ${table.of.length} creatures`);
    if (sheet) await writeFile(sheet, await drawExpressions(found, model.card.side));
    if (pairs.length === 0) return;
    const worst = Math.max(...pairs.map(({ error }) => error));
    say(`largest error after returning: ${worst.toFixed(5)}`);
    const file = join(folder, RELATIVES_FILE);
    await writeFile(file, writeRelatives(table, model.card.gallery));
    process.stdout.write(`${file}\n`);
  } finally {
    await engine.close();
  }
});

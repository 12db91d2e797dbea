/**
 * Implements `npm run relatives -- checkpoints/<name>`, which writes a checkpoint's table of
 * relatives.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEngine } from '../../engine/create-engine.ts';
import { loadModel } from '../../vnca/checkpoint.ts';
import { RELATIVES_FILE, writeRelatives } from '../../vnca/relatives.ts';
import { CHECKPOINT_FOLDER, runTool, say } from '../terminal.ts';
import { findRelatives } from './find-relatives.ts';

const COMMAND = {
  about:
    'Writes relatives.json of a checkpoint. The file lists the relatives of each creature in the gallery: other creatures that the creature can look like for a moment. Each listed relative has passed a test: the creature looks like the relative and then like itself again, several times in a row, without flashing.',
  usage: 'npm run relatives -- <folder>',
  positional: CHECKPOINT_FOLDER,
  options: {},
} as const;

await runTool('relatives', COMMAND, async ({ folder }) => {
  const model = await loadModel(folder);
  const engine = await createEngine({ checkpoints: [model] });
  try {
    const { table, pairs, tried } = await findRelatives(engine, model, say);
    const creatures = table.of.filter((some) => some.length > 0).length;
    const text = `${pairs.length} of ${tried} pairs of creatures passed the test; ${creatures} of ${table.of.length} creatures have a relative (can look like another creature)`;
    say(text);
    if (pairs.length === 0) return;
    const worst = Math.max(...pairs.map(({ error }) => error));
    const change = `largest mean squared difference between a creature's pictures before and after it looked like a relative: ${worst.toFixed(5)}`;
    say(change);
    const file = join(folder, RELATIVES_FILE);
    await writeFile(file, writeRelatives(table, model.card.gallery));
    process.stdout.write(`${file}\n`);
  } finally {
    await engine.close();
  }
});

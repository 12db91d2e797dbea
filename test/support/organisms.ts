/**
 * The shipped organisms, for servers of tests. A start loads the weights that they have replaced
 * too, which few tests are about: the servers of all others take a folder that names none.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CARD = 'card.json';
/** Tells the processes of tests where the folder without earlier weights is. */
const VARIABLE = 'VIVARIUM_TEST_ORGANISMS';

/** As they are shipped. */
export const CHECKPOINT_FOLDER = join(root, 'checkpoints', 'organisms');

/** Without earlier weights; in benches, as they are shipped. */
export const ORGANISMS = process.env[VARIABLE] ?? CHECKPOINT_FOLDER;

/** Makes the folder without earlier weights, before all tests. Others may use it already. */
export function leaveOutEarlier(): void {
  const folder = join(root, '.cache', 'test', 'organisms');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(CHECKPOINT_FOLDER)) {
    const [shipped, own] = [CHECKPOINT_FOLDER, folder].map((place) => join(place, file));
    if (file === CARD) {
      const { earlier: _, ...card } = JSON.parse(readFileSync(shipped, 'utf8'));
      const draft = `${own}.${process.pid}`;
      writeFileSync(draft, JSON.stringify(card));
      renameSync(draft, own);
    } else if (!existsSync(own)) symlinkSync(shipped, own);
  }
  process.env[VARIABLE] = folder;
}

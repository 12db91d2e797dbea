/**
 * The table of relatives: for each creature of a gallery, the similar creatures (relatives) that it
 * can look like for a moment. `npm run relatives` writes the table to `relatives.json`. If this
 * file is missing, no creature can look like a relative.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { count, whole } from '../../shared/common-schemas.ts';
import { CheckpointError } from './card.ts';
import { type Checkpoint, parseJson, readIfPresent } from './checkpoint.ts';

export const RELATIVES_FILE = 'relatives.json';

/** Maximum number of relatives of one creature. */
const MOST_EACH = 8;
/** Maximum number of creatures in a gallery. */
const MOST = 65_536;

const steps = whole(1, 1_000);
const indices = v.pipe(v.array(count), v.maxLength(MOST_EACH));

export const relativesTable = v.strictObject({
  /** Number of steps for which a creature reads the latent of its relative. */
  lentSteps: steps,
  /** Number of steps, with its own latent, until a creature looks like itself again. */
  homeSteps: steps,
  /** For each gallery entry, the gallery indices of its relatives. */
  of: v.pipe(v.array(indices), v.maxLength(MOST)),
});

export type Relatives = v.InferOutput<typeof relativesTable>;

const relativesFile = v.strictObject({
  lentSteps: steps,
  homeSteps: steps,
  gallery: v.pipe(
    v.array(v.strictObject({ name: v.string(), relatives: indices })),
    v.maxLength(MOST),
  ),
});

/**
 * Loads a checkpoint's table of relatives.
 *
 * @returns undefined if the file does not exist
 * @throws CheckpointError 'bad-card' if the file is not a table for this gallery, or 'missing-file'
 * if the file exists but cannot be read
 */
export async function loadRelatives({
  folder,
  card,
}: Pick<Checkpoint, 'folder' | 'card'>): Promise<Relatives | undefined> {
  const file = join(folder, RELATIVES_FILE);
  const bytes = await readIfPresent(file);
  if (!bytes) return undefined;
  const bad = (what: string): CheckpointError => new CheckpointError('bad-card', file, what);
  const parsed = v.safeParse(relativesFile, parseJson(bytes, file, 'table of relatives'));
  if (!parsed.success) throw bad(`table of relatives: ${parsed.issues[0].message}`);
  const { lentSteps, homeSteps, gallery } = parsed.output;
  const isOfGallery =
    gallery.length === card.gallery.length &&
    gallery.every(({ name, relatives }, i) => {
      const areOthers = relatives.every((index) => index < gallery.length && index !== i);
      return name === card.gallery[i].name && areOthers;
    });
  if (!isOfGallery) {
    const text = `table of relatives (similar creatures) does not match the gallery, which has ${card.gallery.length} creatures`;
    throw bad(text);
  }
  return { lentSteps, homeSteps, of: gallery.map(({ relatives }) => relatives) };
}

export function writeRelatives(
  { lentSteps, homeSteps, of }: Relatives,
  gallery: readonly { readonly name: string }[],
): string {
  const lines = gallery.map(({ name }, i) => `    ${JSON.stringify({ name, relatives: of[i] })}`);
  return `{\n  "lentSteps": ${lentSteps},\n  "homeSteps": ${homeSteps},\n  "gallery": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

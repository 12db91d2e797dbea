/** Makes a checkpoint's `gallery.png`: every latent of its gallery, grown. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GALLERY_FILE, loadModel } from '../../vnca/checkpoint.ts';
import { gallerySheet } from '../../vnca/gallery.ts';
import { drawGallery } from './draw-gallery.ts';

const HELP = `Makes gallery.png of a checkpoint: every latent of its gallery, grown for the card's steps.

Usage: npm run gallery -- <folder>

  <folder>    checkpoint with card.json and model.safetensors
  -h, --help  print this
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (positionals.length !== 1) throw new Error(`one folder is needed\n\n${HELP}`);
  const [folder] = positionals;
  const model = await loadModel(folder);
  const file = join(folder, GALLERY_FILE);
  await writeFile(file, await drawGallery(model));
  const { width, height } = gallerySheet(model.card);
  process.stdout.write(`${file}: ${width}×${height}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`gallery: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});

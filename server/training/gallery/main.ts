/** Draws a checkpoint's `gallery.png`: `npm run gallery -- checkpoints/<name>`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../settings/help.ts';
import { GALLERY_FILE, loadModel } from '../../vnca/checkpoint.ts';
import { gallerySheet } from '../../vnca/gallery.ts';
import { reportErrors } from '../errors.ts';
import { drawGallery } from './draw-gallery.ts';

const COMMAND = {
  about:
    "Writes gallery.png of a checkpoint: every latent of its gallery, grown for the card's steps.",
  usage: 'npm run gallery -- <folder>',
  positional: {
    key: 'folder',
    noun: 'checkpoint folder',
    help: 'checkpoint with card.json and model.safetensors',
  },
  options: {},
} as const;

const done = runCommand(COMMAND, async ({ folder }) => {
  const model = await loadModel(folder);
  const file = join(folder, GALLERY_FILE);
  await writeFile(file, await drawGallery(model));
  const { width, height } = gallerySheet(model.card);
  process.stdout.write(`${file}: ${width}×${height}\n`);
});
await reportErrors('gallery', done);

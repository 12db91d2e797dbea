/**
 * Models as the page of keepsakes loads them: the card, the update net and the painter in one file.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import { updateShapes } from '../vnca/architecture.ts';
import { galleryLatent, identityOf, type Model, writeSafetensors } from '../vnca/checkpoint.ts';
import { boundsOf } from '../vnca/genome.ts';
import { LIFE } from '../world/organisms/organism.ts';
import { type Representation, representation } from './static-files.ts';

/** The models of checkpoints by their identity; of two with one identity, the first. */
export function pageModels(
  checkpoints: readonly (Model & { readonly painter?: Buffer })[],
): ReadonlyMap<string, Representation> {
  const { restLevel: level, restSteps: ticks, wakingSteps } = LIFE;
  const models = new Map<string, Representation>();
  for (const model of checkpoints) {
    const { card, tensors, painter } = model;
    const identity = card.identity ?? identityOf(model);
    if (models.has(identity)) continue;
    // Pages do not need what trains and judges the model.
    const { training: _, figures: __, ...needed } = card;
    const net = new Map<string, Float32Tensor>();
    for (const tensor of updateShapes(card).keys()) net.set(tensor, tensors.get(tensor)!);
    const latents = card.gallery.map((_, i) => galleryLatent({ card, tensors }, i));
    const file = writeSafetensors(net, {
      card: JSON.stringify({ ...needed, identity }),
      rest: JSON.stringify({ level, ticks, most: card.trustedSteps ?? wakingSteps }),
      bounds: JSON.stringify(boundsOf(latents, card.latentSize)),
      ...(painter && { painter: painter.toString('base64') }),
    });
    models.set(identity, representation(Buffer.from(file.buffer)));
  }
  return models;
}

export interface SinglePageOptions {
  /** The folder of the built client. */
  readonly clientFolder: string;
  /** From `pageModels`. */
  readonly models: ReadonlyMap<string, { readonly bytes: Buffer }>;
  /** Origin of the server to plant at; absent: the page offers no planting. */
  readonly server?: string | undefined;
}

/** The file asks nobody for anything. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";

/**
 * Puts the page's script, its styles and the models into its HTML.
 *
 * @throws the error of reading the built client
 */
export async function singlePage(options: SinglePageOptions): Promise<string> {
  const { clientFolder, models, server } = options;
  const page = await readFile(join(clientFolder, 'keep.html'), 'utf8');
  const files = new Map<string, string>();
  for (const [path] of page.matchAll(/\/assets\/[^"]+/g)) {
    files.set(path, await readFile(join(clientFolder, path), 'utf8'));
  }
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />`,
    ...(server === undefined ? [] : [`<meta name="vivarium-server" content="${server}" />`]),
  ];
  const data = Array.from(
    models,
    ([name, { bytes }]) =>
      `<script type="text/plain" data-model="${name}">${bytes.toString('base64')}</script>`,
  );
  return page
    .replace(/<meta charset[^>]*>/, (charset) => [charset, ...head].join('\n    '))
    .replace(
      /<link rel="stylesheet"[^>]*href="(\/assets\/[^"]+)"[^>]*>/g,
      (_, path: string) => `<style>${files.get(path)}</style>`,
    )
    .replace(
      /<script type="module"[^>]*src="(\/assets\/[^"]+)"[^>]*><\/script>/g,
      (_, path: string) => `<script type="module">${asInline(files.get(path)!)}</script>`,
    )
    .replace('</body>', () => `${data.join('\n')}\n</body>`);
}

/** What would end a script element, or begin a comment in it, means the same with a backslash. */
const asInline = (script: string): string =>
  script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

/**
 * Creates the keepsake page, and packs the checkpoints (trained models) from which it grows
 * creatures in the browser.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import { updateShapes } from '../vnca/architecture.ts';
import { galleryLatent, identityOf, type Model, writeSafetensors } from '../vnca/checkpoint.ts';
import { boundsOf } from '../vnca/genome.ts';
import { LIFE } from '../world/organisms/organism.ts';
import { type Representation, representation } from './serve-client.ts';

/**
 * Packs each checkpoint (trained model) into one file for the keepsake page: its card, update net,
 * gallery and, if it has one, painter. If checkpoints have the same identity, packs only the first.
 *
 * @returns the packed models, by the checkpoints' identities
 */
export function pageModels(
  checkpoints: readonly (Model & { readonly painter?: Buffer })[],
): ReadonlyMap<string, Representation> {
  const { restLevel: level, restSteps: ticks, wakingSteps } = LIFE;
  const models = new Map<string, Representation>();
  for (const model of checkpoints) {
    const { card, tensors, painter } = model;
    const identity = card.identity ?? identityOf(model);
    if (models.has(identity)) continue;
    // Pages do not use the training settings and the evaluation results.
    const { training: _, figures: __, ...needed } = card;
    const net = new Map<string, Float32Tensor>();
    for (const tensor of [...updateShapes(card).keys(), 'gallery.latents']) {
      net.set(tensor, tensors.get(tensor)!);
    }
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

/** Content security policy that forbids the keepsake page all network requests. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";

/**
 * Creates the keepsake page as one HTML file with embedded script, styles and models.
 *
 * @param clientFolder the folder of the built client
 * @param models the result of `pageModels`
 * @param server origin of the server on which people can plant the shown creature; if absent, the
 *   page does not offer planting
 * @throws Error of the file system if the built client cannot be read
 */
export async function singlePage(
  clientFolder: string,
  models: ReadonlyMap<string, { readonly bytes: Buffer }>,
  server?: string,
): Promise<string> {
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

/** Escapes a script for embedding in HTML. The escaped script does the same as the original. */
const asInline = (script: string): string =>
  script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

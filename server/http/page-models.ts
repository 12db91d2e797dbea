/**
 * Models as the page of keepsakes loads them: the card, the update net and the painter in one file.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import { updateShapes } from '../vnca/architecture.ts';
import { galleryLatent, type Model } from '../vnca/checkpoint.ts';
import { identityOf } from '../vnca/checkpoint-fingerprint.ts';
import { boundsOf } from '../vnca/latent-bounds.ts';
import { writeSafetensors } from '../vnca/safetensors.ts';
import { type Representation, representation } from './static-files.ts';

/** The models of checkpoints by their identity; of two with one identity, the first. */
export function pageModels(
  checkpoints: readonly (Model & { readonly painter?: Buffer })[],
): ReadonlyMap<string, Representation> {
  const { restLevel: level, restSteps: ticks, wakingSteps } = DEFAULTS.life;
  const models = new Map<string, Representation>();
  for (const model of checkpoints) {
    const { card, tensors, painter } = model;
    const identity = card.identity ?? identityOf(model);
    if (models.has(identity)) continue;
    // What trains and judges it, pages do not need.
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

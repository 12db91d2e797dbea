/**
 * Models as the page of keepsakes loads them: the card, the update net and the painter in one file.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import { modelName } from '../../shared/seed-token.ts';
import { updateShapes } from '../vnca/architecture.ts';
import { galleryLatent, type Model } from '../vnca/checkpoint.ts';
import { boundsOf } from '../vnca/latent-bounds.ts';
import { writeSafetensors } from '../vnca/safetensors.ts';
import { type Representation, representation } from './static-files.ts';

/** A model, and its own name where it goes by another. */
type NamedModel = Model & { readonly ownName?: string; readonly painter?: Buffer };

/** The models of checkpoints by `modelName`; of two with one `modelName`, the first. */
export function pageModels(
  checkpoints: readonly NamedModel[],
): ReadonlyMap<string, Representation> {
  const { restLevel: level, restSteps: ticks, wakingSteps } = DEFAULTS.life;
  const models = new Map<string, Representation>();
  for (const { card: shown, ownName = shown.name, tensors, painter } of checkpoints) {
    const card = { ...shown, name: ownName };
    const { identity, latentSize } = card;
    const name = modelName({ identity, checkpoint: ownName, latentSize });
    if (models.has(name)) continue;
    // What trains and judges it, pages do not need.
    const { training: _, figures: __, ...needed } = card;
    const net = new Map<string, Float32Tensor>();
    for (const tensor of updateShapes(card).keys()) net.set(tensor, tensors.get(tensor)!);
    const latents = card.gallery.map((_, i) => galleryLatent({ card, tensors }, i));
    const file = writeSafetensors(net, {
      card: JSON.stringify(needed),
      rest: JSON.stringify({ level, ticks, most: card.trustedSteps ?? wakingSteps }),
      bounds: JSON.stringify(boundsOf(latents, latentSize)),
      ...(painter && { painter: painter.toString('base64') }),
    });
    models.set(name, representation(Buffer.from(file.buffer)));
  }
  return models;
}

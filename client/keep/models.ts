/** The models that this page can grow seeds with: those in the page, else those of its server. */

import type { Card } from '../../server/vnca/card.ts';
import type { Model } from '../../server/vnca/checkpoint.ts';
import type { LatentBounds } from '../../server/vnca/latent-bounds.ts';
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';
import { float32Of, readSafetensors } from '../../shared/safetensors.ts';
import { modelPath } from '../../shared/seed-token.ts';
import { latin1 } from '../keepsake/latin1.ts';

/** A model, which latents it is for, and when its organisms fall asleep. */
export interface PageModel extends Model {
  readonly bounds: LatentBounds;
  readonly rest: {
    /** Largest change of an RGBA8 value between steps that still counts as rest. */
    readonly level: number;
    /** Steps of rest after which an organism sleeps. */
    readonly ticks: number;
    /** Steps since it was grown after which it sleeps in any case. */
    readonly most: number;
  };
  /** Paints its organisms; absent: they are enlarged. */
  readonly painter?: PainterNet;
}

/** Models that `npm run keep-page` has put into the page. */
const inlined = document.querySelectorAll<HTMLElement>('script[data-model]');

/** The origin of the server to plant at: '' for the page's own, undefined for none. */
export const plantingServer: string | undefined =
  document.querySelector<HTMLMetaElement>('meta[name=vivarium-server]')?.content ??
  (inlined.length > 0 ? undefined : '');

/**
 * Finds a model by the identity of its weights.
 *
 * @returns undefined if there is none here
 * @throws Error when it cannot be loaded
 */
export async function findModel(name: string): Promise<PageModel | undefined> {
  if (inlined.length > 0) {
    const found = [...inlined].find(({ dataset }) => dataset.model === name);
    return found && parse(latin1(atob(found.textContent ?? '')));
  }
  const response = await fetch(modelPath(name));
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  return parse(new Uint8Array(await response.arrayBuffer()));
}

/** The server has checked the card and the painter, but it may be of a later release. */
function painterOf(text: string): PainterNet | undefined {
  try {
    return parsePainter(latin1(atob(text)));
  } catch {
    return undefined;
  }
}

function parse(bytes: Uint8Array): PageModel {
  const file = readSafetensors(bytes);
  const { card, bounds, rest, painter } = file.metadata;
  const net = painter ? painterOf(painter) : undefined;
  return {
    card: JSON.parse(card) as Card,
    tensors: float32Of(file),
    bounds: JSON.parse(bounds),
    rest: JSON.parse(rest),
    ...(net && { painter: net }),
  };
}

/** Watches whether an organism flashes, as a room does (rule LIF-9). */
import type { Readout } from '../../engine/engine.ts';
import { GridPlanes } from '../../world/grid-planes.ts';
import { hasFlashed, remember } from '../../world/organisms/flicker.ts';
import { newOrganism } from '../../world/organisms/organism.ts';

/**
 * Watches one organism as a room shows it, with bare ground around it. Call the returned function
 * with the read-out of each step.
 *
 * @param resting.rgba [S, S, 4] picture before the first step
 * @param resting.alive [S, S], 1 = a place that the organism holds, even without a living cell
 * @param threshold presence of a living cell, 0…255
 * @param tickRate steps per second
 * @returns whether the organism has flashed so often that a room would stop it
 */
export function watchFlashes(
  resting: { readonly rgba: Uint8Array; readonly alive: Uint8Array },
  threshold: number,
  tickRate: number,
): (seen: Pick<Readout, 'rgba' | 'presence'>) => boolean {
  const side = Math.sqrt(resting.alive.length);
  const grid = new GridPlanes(side, side);
  const organism = newOrganism({
    ...{ id: 1, patch: 1, window: { x: 0, y: 0, width: side, height: side }, stage: side },
    ...{ latent: new Float32Array(), origin: 'gallery', kind: '', parents: [], born: 0 },
    planter: { id: 0, name: '', hue: 0 },
  });
  const show = (rgba: Uint8Array, isHeld: (place: number) => boolean): void => {
    resting.alive.forEach((_, place) => {
      const held = isHeld(place);
      grid.planes.owner[place] = held ? 1 : 0;
      for (let c = 4 * place; c < 4 * place + 4; c++) grid.planes.rgba[c] = held ? rgba[c] : 0;
    });
  };
  let [flashes, tick] = [false, 0];
  show(resting.rgba, (place) => resting.alive[place] === 1);
  remember(organism, grid, 0);
  return ({ rgba, presence }) => {
    show(rgba, (place) => presence[place] >= threshold || resting.alive[place] === 1);
    if (hasFlashed(organism, grid, { tick: ++tick, tickRate, limit: 2 })) flashes = true;
    return flashes;
  };
}

/** Finds the colours of a seed's creature, in which the page draws grafts at first. */

import type { InteractionState } from '../state/interaction-state.ts';
import type { Rgb } from '../style/fragments.ts';
import type { Previews } from './seed-previews.ts';

/** Cells with a lower opacity, 0…255, have no colour worth showing. */
const LEAST_ALPHA = 128;

/** Reads the colours of the last picture of a strip of square pictures. */
async function coloursOf(url: string): Promise<Rgb[]> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { width, height: side } = image;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d')!;
  context.drawImage(image, side - width, 0);
  const { data } = context.getImageData(0, 0, side, side);
  const colours: Rgb[] = [];
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, alpha] = data.subarray(i, i + 4);
    if (alpha >= LEAST_ALPHA) colours.push([r / 255, g / 255, b / 255]);
  }
  return colours;
}

/** Knows the colours of the seed that the visitor grafts with, once its preview has arrived. */
export class SeedColours {
  /** Colours of the grown creature's cells, sRGB, 0…1; empty until they are known. */
  colours: readonly Rgb[] = [];
  private url = '';

  constructor(previews: Previews, state: InteractionState, read = coloursOf) {
    // The seed tray, which is on the page while the visitor grafts, requests the preview.
    const update = (): void => {
      const { tool, held } = state.state;
      const film = tool === 'graft' && previews.film(held);
      const url = film && film !== 'none' ? film.url : '';
      if (url === this.url) return;
      this.url = url;
      this.colours = [];
      if (url === '') return;
      // Without its colours, the stroke appears in the visitor's own colour.
      read(url).then((colours) => {
        if (url === this.url) this.colours = colours;
      }, console.warn);
    };
    state.onChange(update);
    previews.onChange(update);
  }
}

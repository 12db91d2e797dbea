import { MAP_FILE } from '../../vnca/latent-map.ts';

/** Files that an evaluation writes beside the card of its checkpoint. */
export const WRITTEN_FILES = [
  'samples.png',
  'growth.png',
  'heal.png',
  'wounds.png',
  'interpolation.png',
  'map.png',
  MAP_FILE,
] as const;

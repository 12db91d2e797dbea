/** The logos of exhibitions, one for each room, which walls, signs and visitors' pages show. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { MAX_LOGO_BYTES } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Store } from '../storage/store.ts';

const logoRecord = v.object({ id: v.string(), png: v.instance(Uint8Array) });

/** Maximum size of a stored logo, in pixels: as wide as it is shown on a wall of 3840×2160. */
const SIZE = { width: 640, height: 320 } as const;
/** Maximum number of pixels to decode, so that a small file cannot fill the memory. */
const MAX_PIXELS = 25_000_000;
const FORMATS: readonly (string | undefined)[] = ['png', 'jpeg', 'webp'];

/**
 * Encodes a picture anew, so that nothing of its file but the pixels is shown to visitors, and
 * stores it.
 *
 * @returns an id that identifies the picture
 * @throws HostRefusal not-a-picture, too-large
 */
export async function storeLogo(store: Store, room: string, file: Buffer): Promise<string> {
  if (file.length > MAX_LOGO_BYTES) throw new HostRefusal('too-large');
  const { default: sharp } = await import('sharp');
  const picture = sharp(file, { limitInputPixels: MAX_PIXELS });
  const { format } = await picture.metadata().catch(() => ({ format: undefined }));
  if (!FORMATS.includes(format)) throw new HostRefusal('not-a-picture');
  const fitted = picture.autoOrient().resize({ ...SIZE, fit: 'inside', withoutEnlargement: true });
  const png = await fitted
    .png({ palette: true })
    .toBuffer()
    .catch(() => {
      throw new HostRefusal('not-a-picture');
    });
  const id = createHash('sha256').update(png).digest('hex').slice(0, 16);
  await store.putServerRecord(`logo/${room}`, { id, png });
  return id;
}

/** @returns undefined if the room has no logo */
export const readLogo = (store: Store, room: string) =>
  store.serverRecord(`logo/${room}`, logoRecord);

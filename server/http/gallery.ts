/** The pictures of seeds: the largest file that a phone fetches, so it is sent as small as its browser can read it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { type Representation, representation } from './static-files.ts';

const QUALITY = { quality: 80, alphaQuality: 90, smartSubsample: true, effort: 4 };
const AGE = 'public, max-age=3600';

/** A checkpoint's gallery. */
interface Gallery {
  readonly png: Representation;
  /** Less than half of the PNG; made once, when the first page asks for it. */
  webp?: Promise<Representation | undefined>;
}

/** @returns undefined where `sharp` is not installed */
async function asWebp(png: Buffer): Promise<Representation | undefined> {
  try {
    const { default: sharp } = await import('sharp');
    return representation(await sharp(png).webp(QUALITY).toBuffer());
  } catch {
    return undefined;
  }
}

/**
 * Reads the galleries of checkpoints, once.
 *
 * @param folders of checkpoints, by their names; those without a gallery have none to serve
 * @throws the error of reading
 */
export async function loadGalleries(
  folders: ReadonlyMap<string, string>,
): Promise<RequestHandler<{ name: string }>> {
  const galleries = new Map<string, Gallery>();
  for (const [name, folder] of folders) {
    const bytes = await readFile(join(folder, 'gallery.png')).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes) galleries.set(name, { png: representation(bytes) });
  }
  return async (request, response, next) => {
    const gallery = galleries.get(request.params.name);
    if (!gallery) return next();
    response.set({ 'Cache-Control': AGE, Vary: 'Accept' });
    const { png } = gallery;
    // Named: old browsers take anything, and cannot read it.
    if (request.headers.accept?.includes('image/webp')) {
      gallery.webp ??= asWebp(png.bytes);
      const webp = await gallery.webp;
      if (webp) return response.set('ETag', webp.etag).type('image/webp').send(webp.bytes);
    }
    response.set('ETag', png.etag).type('image/png').send(png.bytes);
  };
}

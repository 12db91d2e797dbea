/**
 * Serves gallery pictures, the largest files that phones fetch, as WebP if the browser supports
 * it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import { type Representation, representation } from './static-files.ts';

const QUALITY = { quality: 80, alphaQuality: 90, smartSubsample: true, effort: 4 };
const AGE = 'public, max-age=3600';

/** A checkpoint's gallery picture. */
interface Gallery {
  readonly png: Representation;
  /** Less than half the size of the PNG; encoded once, at the first request. */
  webp?: Promise<Representation | undefined>;
}

/** @returns undefined if `sharp` is not installed */
async function asWebp(png: Buffer): Promise<Representation | undefined> {
  try {
    const { default: sharp } = await import('sharp');
    return representation(await sharp(png).webp(QUALITY).toBuffer());
  } catch {
    return undefined;
  }
}

/**
 * Reads the gallery pictures of checkpoints into memory.
 *
 * @param folders checkpoint folders by checkpoint name; a folder need not have a gallery
 * @returns the handler that serves them
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
    // WebP must be named: old browsers accept `*/*` but cannot decode it.
    if (request.headers.accept?.includes('image/webp')) {
      gallery.webp ??= asWebp(png.bytes);
      const webp = await gallery.webp;
      if (webp) return response.set('ETag', webp.etag).type('image/webp').send(webp.bytes);
    }
    response.set('ETag', png.etag).type('image/png').send(png.bytes);
  };
}

/** The pictures of seeds: the largest file that a phone fetches, so it is sent as small as its browser can read it. */
import { join } from 'node:path';
import type { RequestHandler } from 'express';

const QUALITY = { quality: 80, alphaQuality: 90, smartSubsample: true, effort: 4 };
const AGE = 'public, max-age=3600';

/** @returns a checkpoint's gallery as WebP, less than half of the PNG; undefined where `sharp` is not installed */
async function asWebp(file: string): Promise<Buffer | undefined> {
  try {
    const { default: sharp } = await import('sharp');
    return await sharp(file).webp(QUALITY).toBuffer();
  } catch {
    return undefined;
  }
}

/** @param folders of checkpoints, by their names */
export function serveGallery(folders: ReadonlyMap<string, string>): RequestHandler<{
  name: string;
}> {
  // Each is made small once, when the first page asks for it.
  const small = new Map<string, Promise<Buffer | undefined>>();
  return async (request, response, next) => {
    const folder = folders.get(request.params.name);
    if (!folder) return next();
    response.set({ 'Cache-Control': AGE, Vary: 'Accept' });
    // Named: old browsers take anything, and cannot read it.
    if (request.headers.accept?.includes('image/webp')) {
      const known = small.get(folder) ?? asWebp(join(folder, 'gallery.png'));
      small.set(folder, known);
      const bytes = await known;
      if (bytes) return response.type('image/webp').send(bytes);
    }
    response.sendFile('gallery.png', { root: folder, cacheControl: false });
  };
}

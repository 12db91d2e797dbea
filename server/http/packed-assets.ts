/** The pages' programs, sent packed: over a venue's wireless they are most of what a visitor waits for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { RequestHandler } from 'express';

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** @param folder of files that never change, for their names carry their hash */
export function servePackedAssets(folder: string): RequestHandler {
  // Each is packed once; there are as many as the folder has.
  const packed = new Map<string, Promise<Buffer | undefined>>();
  const pack = (name: string): Promise<Buffer | undefined> =>
    readFile(join(folder, name)).then(
      (bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
      () => {
        packed.delete(name);
        return undefined;
      },
    );
  return async (request, response, next) => {
    const [, name, kind] = request.path.match(/^\/([\w-]+\.(js|css))$/) ?? [];
    if (!name || request.method !== 'GET' || !request.acceptsEncodings('gzip')) return next();
    const known = packed.get(name) ?? pack(name);
    packed.set(name, known);
    const bytes = await known;
    if (!bytes) return next();
    response.set({
      'Content-Type': TYPES[kind],
      'Content-Encoding': 'gzip',
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
    });
    response.send(bytes);
  };
}

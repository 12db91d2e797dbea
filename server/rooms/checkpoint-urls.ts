/** Where things are served that pages are told of. */

/** Where a checkpoint's gallery picture is served. */
export function galleryUrl(checkpoint: string): string {
  return `/checkpoints/${encodeURIComponent(checkpoint)}/gallery.png`;
}

/** Where a checkpoint's latent map is served. */
export function mapUrl(checkpoint: string): string {
  return `/checkpoints/${encodeURIComponent(checkpoint)}/map.json`;
}

/** URL paths of a checkpoint's files. */

/** The path of a checkpoint's gallery picture. */
export function galleryUrl(checkpoint: string): string {
  return `/checkpoints/${encodeURIComponent(checkpoint)}/gallery.png`;
}

/** The path of a checkpoint's latent map. */
export function mapUrl(checkpoint: string): string {
  return `/checkpoints/${encodeURIComponent(checkpoint)}/map.json`;
}

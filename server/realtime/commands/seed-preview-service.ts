/** Growth previews of seeds, and latents of drawings, for the participants of one room. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { GrowthFilm } from '../../previews/growth-previews.ts';
import type { Room } from '../../world/room.ts';

/** Grows previews, and encodes drawings if the checkpoint has an encoder. */
export interface PreviewBackend {
  /**
   * Grows a latent, [latentSize], into a film.
   *
   * @param source the network address that asks; addresses take turns
   * @throws Refusal too-fast, room-busy
   */
  grow(latent: Float32Array, source?: string): Promise<GrowthFilm>;
  /** Encodes a drawing as a latent. @throws Refusal bad-drawing, room-busy */
  encode?(pixels: Uint8Array, source?: string): Promise<Float32Array>;
  /** Starts what the first drawing needs, if it has not started yet. */
  prepareToDraw?(): void;
}

/** Limits previews per participant. */
export class SeedPreviewService {
  /** Number of unfinished previews of each participant. */
  private readonly waiting = new Map<number, number>();

  constructor(
    private readonly room: Room,
    private readonly backend: PreviewBackend,
  ) {}

  /**
   * Grows a preview of a seed.
   *
   * @param address address key of the participant's connection
   * @throws Refusal no-such-seed, no-such-organism, bad-latent, too-fast, room-busy
   */
  async preview(
    { id }: ParticipantView,
    { seed }: Command<'preview'>,
    address?: string,
  ): Promise<GrowthFilm> {
    const latent = this.room.previewLatent(seed, id);
    const count = this.waiting.get(id) ?? 0;
    if (count >= DEFAULTS.preview.maxWaitingEach) throw new Refusal('too-fast', 'previews');

    this.waiting.set(id, count + 1);
    try {
      return await this.backend.grow(latent, address);
    } finally {
      const remaining = this.waiting.get(id)! - 1;
      if (remaining > 0) this.waiting.set(id, remaining);
      else this.waiting.delete(id);
    }
  }

  /** Visitors may draw soon. */
  prepareToDraw(): void {
    this.backend.prepareToDraw?.();
  }

  /**
   * Encodes a drawing as a latent.
   *
   * @param address address key of the participant's connection
   * @throws Refusal bad-drawing, room-busy
   */
  async encode(pixels: Uint8Array, address: string | undefined): Promise<Float32Array> {
    if (!this.backend.encode) throw new Refusal('bad-drawing', 'the checkpoint has no encoder');
    return this.backend.encode(pixels, address);
  }

  /** Grows a latent for the host. @throws Refusal too-fast, room-busy */
  grow(latent: Float32Array): Promise<GrowthFilm> {
    return this.backend.grow(latent);
  }
}

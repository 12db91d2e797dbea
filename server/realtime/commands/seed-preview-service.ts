/** What one visitor may see and make of seeds before they are planted: asks the nursery and the atelier on her behalf. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { GrowthFilm } from '../../previews/growth-film.ts';
import type { Room } from '../../world/room.ts';

/** Grows seeds for a look, and makes latents of drawings, where the checkpoint can. */
export interface PreviewBackend {
  /** @throws Refusal */
  grow(latent: Float32Array): Promise<GrowthFilm>;
  /** @throws Refusal */
  encode?(pixels: Uint8Array): Promise<Float32Array>;
}

export class SeedPreviewService {
  /** How many previews each participant waits for. */
  private readonly waiting = new Map<number, number>();

  constructor(
    private readonly room: Room,
    private readonly glass: PreviewBackend | undefined,
  ) {}

  /** @throws Refusal no-such-seed, no-such-organism, bad-latent, too-fast, room-busy */
  async preview({ id }: ParticipantView, { seed }: Command<'preview'>): Promise<GrowthFilm> {
    const latent = this.room.previewLatent(seed, id);
    const count = this.waiting.get(id) ?? 0;
    if (count >= DEFAULTS.nursery.maxWaitingEach) throw new Refusal('too-fast', 'previews');
    if (!this.glass) throw new Refusal('no-such-seed', 'there is no nursery');
    this.waiting.set(id, count + 1);
    try {
      return await this.glass.grow(latent);
    } finally {
      const left = this.waiting.get(id)! - 1;
      if (left > 0) this.waiting.set(id, left);
      else this.waiting.delete(id);
    }
  }

  /**
   * Makes a drawing a seed: the room puts it into her hand at its next tick, and answers then.
   *
   * @param isHere whether she is still there when it is done
   * @throws Refusal bad-drawing, room-busy, too-fast
   */
  async draw(
    by: ParticipantView,
    { id, pixels }: Command<'draw'>,
    isHere: () => boolean,
  ): Promise<void> {
    if (!this.glass?.encode) throw new Refusal('bad-drawing', 'the checkpoint has no encoder');
    const latent = await this.glass.encode(pixels);
    // Nobody would ever empty the hand of one who has gone for good.
    if (!isHere()) return;
    this.room.enqueue(id, { what: 'hold', by, latent: [...latent], origin: 'drawing' });
  }
}

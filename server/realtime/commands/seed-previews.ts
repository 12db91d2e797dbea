/** Grows previews of seeds, and encodes drawings as latents, for the participants of one room. */

import type { PreviewSource } from '../../../shared/protocol/commands.ts';
import { packGenomes } from '../../../shared/protocol/genomes.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import { type GrowthFilm, PREVIEWS } from '../../previews/growth-previews.ts';
import { type Genotype, genomesOf } from '../../world/organisms/grafts.ts';
import type { Room } from '../../world/room.ts';

/** Grows previews, and encodes drawings if the checkpoint has an encoder. */
export interface PreviewBackend {
  /**
   * Grows an organism from a seed, and returns the growth as a film.
   *
   * @param source network address of the requesting client. Waiting previews of different addresses
   *   take turns
   * @throws Refusal `too-fast`, `room-busy`
   */
  grow(seed: Genotype, source?: string): Promise<GrowthFilm>;
  /** Encodes a drawing as a latent. @throws Refusal `bad-drawing`, `room-busy` */
  encode?(pixels: Uint8Array, source?: string): Promise<Float32Array>;
  /** Starts the thread that refines drawings, so that the first drawing need not wait for it. */
  prepareToDraw?(): void;
}

/** Grows previews for participants, and limits each participant's number of unfinished previews. */
export class SeedPreviews {
  private readonly unfinished = new Map<ParticipantId, number>();

  constructor(
    private readonly room: Room,
    readonly backend: PreviewBackend,
  ) {}

  /**
   * Grows a preview of a participant's seed. Returns the film of the growth, and the seed's
   * genomes.
   *
   * @param address address of the participant's connection, as returned by `addressKey`
   * @throws Refusal `no-such-seed`, `no-such-organism`, `bad-latent`, `too-fast`, `room-busy`
   */
  async preview(by: ParticipantId, seed: PreviewSource, address: string) {
    const { unfinished } = this;
    const genotype = this.room.previewSeed(seed, by);
    const count = unfinished.get(by) ?? 0;
    if (count >= PREVIEWS.maxWaitingEach) throw new Refusal('too-fast', 'previews');
    unfinished.set(by, count + 1);
    try {
      const film = await this.backend.grow(genotype, address);
      return { ...film, genomes: packGenomes(genomesOf(genotype)) };
    } finally {
      const remaining = unfinished.get(by)! - 1;
      if (remaining > 0) unfinished.set(by, remaining);
      else unfinished.delete(by);
    }
  }

  /** Encodes a drawing as a latent. @throws Refusal `bad-drawing`, `room-busy` */
  async encode(pixels: Uint8Array, address: string): Promise<Float32Array> {
    if (!this.backend.encode) throw new Refusal('bad-drawing', 'the checkpoint has no encoder');
    return this.backend.encode(pixels, address);
  }
}

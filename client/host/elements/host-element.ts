/** Base class of the elements that show a part of the host model. */
import { nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import type { HostModel } from '../host-model.ts';
import { StyledElement } from './styled-element.ts';

/** Renders again when `version` changes, and notices when another room is selected. */
export abstract class HostElement extends StyledElement {
  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  /** Actions apply to this room, even if another one is selected before they end. */
  protected shownRoom = '';
  /** Server time between calls of `load` for the same room, ms. */
  protected readonly reloadInterval: number = Number.POSITIVE_INFINITY;
  private loadedAt = 0;

  protected override willUpdate(_changed: PropertyValues): void {
    const { room, state } = this.host;
    const now = state?.now ?? 0;
    const isNew = room !== this.shownRoom;
    this.shownRoom = room;
    if (isNew) this.roomChanged();
    if (!room || (!isNew && now - this.loadedAt <= this.reloadInterval)) return;
    this.loadedAt = now;
    void this.load(room);
  }

  /** A section about the selected room renders this. */
  protected section(_room: RoomSummary, _all: HostState): TemplateResult | typeof nothing {
    return nothing;
  }

  override render(): TemplateResult | typeof nothing {
    const { summary, state } = this.host;
    return summary && state ? this.section(summary, state) : nothing;
  }

  /** Resets what belongs to the room that was shown before. */
  protected roomChanged(): void {}

  /** Fetches what the model does not hold. Must not reject. */
  protected async load(_room: string): Promise<void> {}
}

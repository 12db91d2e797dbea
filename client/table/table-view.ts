/** Draws the whole room on a table, and what each ring's fingers would do. */
import { organismAt } from '../input/picking.ts';
import type { Point } from '../render/camera.ts';
import type { Framing } from '../render/canvas-view.ts';
import { RoomView } from '../render/room-view.ts';
import { ownerColor } from '../style/fragments.ts';
import { Finger, type Ring } from './ring.ts';

/** Radius of the line from a creature to the finger that crosses it, in cells. */
const THREAD = 0.35;

interface Touch {
  readonly finger: Finger;
  readonly view: RoomView;
  readonly ring: Ring;
}

export class TableView extends RoomView {
  /** The fingers on the ground, by pointer. */
  readonly touches = new Map<number, Touch>();
  /** The open rings. */
  rings: Iterable<Ring> = [];

  /** Lets a pointer work as a finger of a ring. */
  touch(pointer: number, ring: Ring): Finger {
    // The table's view, with a pointer of its own.
    const view: RoomView = Object.create(this, {
      pointer: { value: undefined, writable: true },
      hovered: { value: 0, writable: true },
      gauge: { value: undefined, writable: true },
    });
    const finger = new Finger(ring, view);
    this.touches.set(pointer, { finger, view, ring });
    return finger;
  }

  protected override frame(): Framing {
    for (const { view, ring, finger } of this.touches.values()) {
      const from = this.model.organisms.get(finger.from);
      if (!view.pointer) continue;
      if (!from) this.drawPointer(view.pointer, ring.state.state, view.gauge);
      else this.drawThread(from, this.toWorld(view.pointer), ring);
    }
    for (const { state, fingers, place, left } of this.rings) {
      // Show on free ground what would grow there.
      const isFree = !left && fingers === 0 && organismAt(this.model, this.toWorld(place)) === 0;
      if (isFree) this.drawPointer({ ...place, pressed: false }, state.state, undefined);
    }
    return super.frame();
  }

  private drawThread(from: Point, to: Point, { model }: Ring): void {
    const color = ownerColor(model.you?.hue ?? 0);
    const line = { x: from.x, y: from.y, x2: to.x, y2: to.y };
    this.marks.add({ kind: 'disc', ...line, radius: THREAD, softness: 1, color, alpha: 0.9 });
  }
}
